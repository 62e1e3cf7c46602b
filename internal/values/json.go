package values

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
)

// Excerpt shows text that an error is about, in quotes unless it looks like
// JSON.
func Excerpt(text []byte) string {
	s := excerpt.Printable(excerpt.Shorten(string(text[:min(len(text), 400)]), 60))
	if json.Valid(text) || len(text) > 0 && bytes.IndexByte([]byte(`"{[`), text[0]) >= 0 {
		return s
	}
	return `"` + s + `"`
}

// ParseText reads text: a JSON string, or a word that is not JSON.
func ParseText(text []byte) (string, error) {
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) > 0 && trimmed[0] == '"' {
		return Unquote(trimmed)
	}
	word, err := isWord(text)
	switch {
	case err != nil:
		return "", err
	case word:
		return string(text), nil
	}
	err = fmt.Errorf("%s is %s, and the column holds text", Excerpt(trimmed), DescribeJSON(trimmed))
	switch c := trimmed[0]; {
	case c == '{', c == '[':
		return "", err
	case len(trimmed) > excerpt.Value:
		return "", hint.Add(err, `text that looks like a number is written as a JSON string, "..."`)
	}
	return "", hint.Add(err, `as text it is "%s"; in a shell, '"%s"'`, trimmed, trimmed)
}

// isWord tells whether text is a word that is not JSON. What begins like JSON
// of several characters and breaks off is an error, for it was hardly meant as
// text.
func isWord(text []byte) (bool, error) {
	if !utf8.Valid(text) {
		return false, hint.Add(errors.New("the value is not UTF-8 text"), `bytes are written as {"$base64":true,"encoded":"..."}`)
	}
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return true, nil
	}
	if json.Valid(trimmed) {
		if halfPair(trimmed) {
			return false, fmt.Errorf("%s has half of a surrogate pair, which no text can hold", Excerpt(trimmed))
		}
		return false, nil
	}
	switch trimmed[0] {
	case '{', '[', '"':
		var v json.RawMessage
		err := fmt.Errorf("%s is not JSON: %w", Excerpt(trimmed), json.Unmarshal(trimmed, &v))
		return false, hint.Add(err, `text that begins with %c is written as a JSON string, "..."`, trimmed[0])
	}
	return true, nil
}

// halfPair tells whether a string in the JSON has an escape for half of a
// surrogate pair, in place of which encoding/json would put another character.
func halfPair(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return false
		}
		text = text[i:]
		r, n := escaped(text)
		if utf16.IsSurrogate(r) {
			low, m := escaped(text[n:])
			if utf16.DecodeRune(r, low) == utf8.RuneError {
				return true
			}
			n += m
		}
		text = text[n:]
	}
}

// escaped returns the number in the escape at the beginning of text and the
// length of it. It is 0 if there is no number.
func escaped(text []byte) (r rune, n int) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, min(2, len(text))
	}
	code, _ := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(code), 6
}

// DescribeJSON says what a JSON value is.
func DescribeJSON(text []byte) string {
	switch text[0] {
	case '"':
		return "text"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// Unquote reads a JSON string.
func Unquote(text []byte) (string, error) {
	if n := len(text); n >= 2 && IsPlain(text[1:n-1]) && text[n-1] == '"' && utf8.Valid(text) {
		return string(text[1 : n-1]), nil
	}
	if _, err := isWord(text); err != nil {
		return "", err
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return "", err
	}
	return s, nil
}

// IsPlain tells whether a JSON string between its quotes stands for itself.
func IsPlain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// encodedBytes is bytes in JSON.
type encodedBytes struct {
	Base64  bool    `json:"$base64"`
	Encoded *string `json:"encoded"`
}

// ParseBytes reads bytes in JSON.
func ParseBytes(text []byte) ([]byte, error) {
	b, ok, err := DecodeBytes(text)
	if !ok {
		err = hint.Add(fmt.Errorf("%s is not bytes", Excerpt(text)), `bytes are written as {"$base64":true,"encoded":"..."}`)
	}
	return b, err
}

// DecodeBytes reads bytes in JSON. ok tells whether text is an object of that
// form; the error is that of what is encoded in it.
func DecodeBytes(text []byte) (b []byte, ok bool, err error) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, false, nil
	}
	var e encodedBytes
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if !json.Valid(text) || d.Decode(&e) != nil || !e.Base64 || e.Encoded == nil {
		return nil, false, nil
	}
	if b, err = base64.StdEncoding.DecodeString(*e.Encoded); err != nil {
		err = fmt.Errorf("the bytes %s are not base64: %w", Excerpt([]byte(*e.Encoded)), err)
	}
	return b, true, err
}
