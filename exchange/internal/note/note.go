// Package note is what files of other formats say about the columns of a vault
// that their own types do not: the exact dtypes and meanings.
package note

import (
	"encoding/json"

	"columnvault/dtype"
	"columnvault/exchange"
)

// Key is the name of the note in the metadata of a file.
const Key = "columnvault.columns"

// column is a column in the JSON text of a note.
type column struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Meaning string `json:"meaning,omitempty"`
}

// Encode returns the note about columns.
func Encode(fields []exchange.Field) string {
	columns := make([]column, len(fields))
	for i, f := range fields {
		columns[i] = column{f.Name, f.Type.String(), f.Meaning.String()}
	}
	text, err := json.Marshal(columns)
	if err != nil {
		return "[]" // which cannot be: there is nothing but text in it
	}
	return string(text)
}

// maxSize bounds the text of a note in bytes.
const maxSize = 16 << 20

// Decode reads a note. What it says of a column counts only if all of it is
// understood.
func Decode(text string) map[string]exchange.Field {
	var columns []column
	if text == "" || len(text) > maxSize || json.Unmarshal([]byte(text), &columns) != nil {
		return nil
	}
	fields := make(map[string]exchange.Field, len(columns))
	for _, c := range columns {
		spec, err := dtype.ParseSpec(c.Type)
		if err != nil {
			continue
		}
		m, err := dtype.ParseMeaning(c.Meaning)
		if err != nil || m.Check(spec) != nil {
			continue
		}
		fields[c.Name] = exchange.Field{Name: c.Name, Type: spec, Meaning: m}
	}
	return fields
}
