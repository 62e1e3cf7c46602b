package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"columnvault/dtype"
)

// parser turns text into values of one dtype: what the dynamic form of the
// dtype takes, checked so far that the column cannot refuse it.
type parser struct {
	spec   dtype.Spec
	t      dtype.Type[any]
	number numeric // nil if the dtype is not one of numbers
	buf    []byte
}

func newParser(spec dtype.Spec) *parser {
	return &parser{spec: spec, t: spec.Type(), number: numbers[spec.Kind]}
}

// parse reads a value as JSON, or as text if it is a word that is not JSON.
func (p *parser) parse(text []byte) (any, error) {
	if p.number != nil {
		return p.number.parse(bytes.TrimSpace(text))
	}
	var v any
	var err error
	switch p.spec.Kind {
	case dtype.KindBool:
		v, err = parseBool(bytes.TrimSpace(text))
	case dtype.KindText:
		v, err = parseText(text)
	case dtype.KindBytes:
		v, err = parseBytes(text)
	case dtype.KindVector:
		v, err = numbers[p.spec.Elem].parseVector(text)
	default:
		v, err = parseAny(text)
	}
	if err != nil {
		return nil, err
	}
	return v, p.check(v)
}

// check returns the error that appending v would give.
func (p *parser) check(v any) (err error) {
	if p.buf, err = p.t.Append(p.buf[:0], v); err != nil {
		return errors.New(reason(err))
	}
	return nil
}

// parseText reads text: a JSON string, or a word that is not JSON.
func parseText(text []byte) (string, error) {
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) > 0 && trimmed[0] == '"' {
		return unquote(trimmed)
	}
	word, err := isWord(text)
	switch {
	case err != nil:
		return "", err
	case word:
		return string(text), nil
	}
	err = fmt.Errorf("%s is %s, and the column holds text", excerpt(trimmed), jsonKind(trimmed))
	if c := trimmed[0]; c == '{' || c == '[' {
		return "", err
	}
	return "", withHint(err, `as text it is "%s"; in a shell, '"%s"'`, trimmed, trimmed)
}

// isWord tells whether text is a word that is not JSON. What begins like JSON
// of several characters and breaks off is an error, for it was hardly meant as
// text.
func isWord(text []byte) (bool, error) {
	if !utf8.Valid(text) {
		return false, withHint(errors.New("the value is not UTF-8 text"), `bytes are written as {"$base64":true,"encoded":"..."}`)
	}
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return true, nil
	}
	if json.Valid(trimmed) {
		if halfPair(trimmed) {
			return false, fmt.Errorf("%s has half of a surrogate pair, which no text can hold", excerpt(trimmed))
		}
		return false, nil
	}
	switch trimmed[0] {
	case '{', '[', '"':
		var v json.RawMessage
		err := fmt.Errorf("%s is not JSON: %w", excerpt(trimmed), json.Unmarshal(trimmed, &v))
		return false, withHint(err, `text that begins with %c is written as a JSON string, "..."`, trimmed[0])
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

// jsonKind says what a JSON value is.
func jsonKind(text []byte) string {
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

// unquote reads a JSON string.
func unquote(text []byte) (string, error) {
	if n := len(text); n >= 2 && isPlain(text[1:n-1]) && text[n-1] == '"' && utf8.Valid(text) {
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

// isPlain tells whether a JSON string between its quotes stands for itself.
func isPlain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func parseBool(text []byte) (bool, error) {
	b, err := strconv.ParseBool(string(text))
	if err != nil {
		return false, fmt.Errorf("%s is neither true nor false, as bool needs", excerpt(text))
	}
	return b, nil
}

// encodedBytes is bytes in JSON.
type encodedBytes struct {
	Base64  bool    `json:"$base64"`
	Encoded *string `json:"encoded"`
}

func parseBytes(text []byte) ([]byte, error) {
	b, ok, err := decodeBytes(text)
	if !ok {
		err = withHint(fmt.Errorf("%s is not bytes", excerpt(text)), `bytes are written as {"$base64":true,"encoded":"..."}`)
	}
	return b, err
}

// decodeBytes reads bytes in JSON. ok tells whether text is an object of that
// form; the error is that of what is encoded in it.
func decodeBytes(text []byte) (b []byte, ok bool, err error) {
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
		err = fmt.Errorf("the bytes %s are not base64: %w", excerpt([]byte(*e.Encoded)), err)
	}
	return b, true, err
}

// parseAny reads a value of the JSON model. Numbers stay as they are written,
// so that integers and floats keep what they are.
func parseAny(text []byte) (any, error) {
	word, err := isWord(text)
	switch {
	case err != nil:
		return nil, err
	case word:
		return string(text), nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	err = d.Decode(&v)
	return v, err
}
