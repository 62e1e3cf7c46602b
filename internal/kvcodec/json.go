package kvcodec

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"columnvault/dtype"
	"columnvault/internal/store"
	"columnvault/internal/structured"
)

// appendJSON appends JSON text. A [json.RawMessage] is text already.
func appendJSON(dst []byte, value any) ([]byte, error) {
	if text, ok := value.(json.RawMessage); ok {
		if !json.Valid(text) || !utf8.Valid(text) {
			return nil, fmt.Errorf("%w: the json.RawMessage is not JSON", store.ErrInvalidArgument)
		}
		return append(dst, text...), nil
	}
	out, err := structured.AppendJSON(dst, value)
	if err != nil {
		return nil, fmt.Errorf("%w: JSON: %w", store.ErrInvalidArgument, err)
	}
	return out, nil
}

// decodeJSON reads JSON text. For a [json.RawMessage] that is the text itself,
// whatever it says.
func decodeJSON[T any](payload []byte, out *T) error {
	if text, ok := any(out).(*json.RawMessage); ok {
		*text = payload
		return nil
	}
	err := structured.DecodeJSON(payload, out)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, structured.ErrMemory):
		return fmt.Errorf("JSON: %w", err)
	case errors.Is(err, structured.ErrJSON):
		return fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	case errors.Is(err, structured.ErrJSONRange):
		return fmt.Errorf("%w: %w; GetValue[json.RawMessage] returns the text", ErrUnsupportedEncoding, err)
	}
	return fmt.Errorf("%w: JSON: %w", store.ErrInvalidArgument, err)
}

// plainNumber returns the int64, uint64 or float64 that a [json.Number] is
// written as, and other values as they are.
func plainNumber(value any) (any, error) {
	n, ok := value.(json.Number)
	if !ok {
		return value, nil
	}
	model := dtype.MsgPack[any]()
	item, err := model.Append(nil, n)
	if err != nil {
		return nil, err
	}
	return model.Decode(item)
}

// decodeNumber sets out to a number as it is written.
func decodeNumber(number any, out *json.Number) error {
	item, err := dtype.MsgPack[any]().Append(nil, number)
	if err != nil {
		return err
	}
	return decodeStructured(dtype.MsgPack[json.Number](), dtype.MsgPack[any](), item, out)
}
