package kvcodec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"columnvault/internal/store"
)

func appendJSON(dst []byte, value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		err = fmt.Errorf("%w: %w", store.ErrInvalidArgument, err)
	}
	return append(dst, text...), err
}

// decodeJSON reads JSON. Numbers become int64, uint64 or float64 where out is
// any, or a list or map of that.
func decodeJSON(payload []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		kind := store.ErrCorrupt
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			kind = store.ErrInvalidArgument
		}
		return fmt.Errorf("%w: reading the JSON: %w", kind, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: something follows the JSON", store.ErrCorrupt)
	}
	switch v := out.(type) {
	case *any:
		*v = plainNumbers(*v)
	case *[]any:
		plainNumbers(*v)
	case *map[string]any:
		plainNumbers(*v)
	}
	return nil
}

func plainNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		if u, err := strconv.ParseUint(v.String(), 10, 64); err == nil {
			return u
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plainNumbers(v[k])
		}
	}
	return value
}
