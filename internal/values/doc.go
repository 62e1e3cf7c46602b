// Package values turns text into values and values into text, as the commands
// take and print them: JSON, with forms of its own for what JSON lacks.
//
// A word that is not JSON is text. NaN and the infinities are "NaN", "Infinity"
// and "-Infinity" and may lack their quotes, and bytes are objects such as
// {"$base64":true,"encoded":"AP8="}.
package values
