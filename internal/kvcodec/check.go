package kvcodec

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"columnvault/internal/store"
	"columnvault/internal/structured"
)

// Check tells why a stored value cannot be decoded, without making a Go value
// of it: [store.ErrCorrupt] if the bytes are not what their header says, and
// [ErrUnsupportedEncoding] if they may be sound but are not read here.
func Check(stored []byte) error {
	e, payload, err := Parse(stored)
	if err != nil {
		return err
	}
	switch e {
	case Raw:
		if hasMagic(stored) && (stored[8] != 0x56 || stored[9] != 0x4b) {
			return ErrAlmostHeader
		}
	case Text:
		if !utf8.Valid(payload) {
			return fmt.Errorf("%w: the text is not UTF-8", store.ErrCorrupt)
		}
	case JSON:
		err := structured.ValidJSON(payload)
		switch {
		case errors.Is(err, structured.ErrJSONRange):
			return fmt.Errorf("%w: %w", ErrUnsupportedEncoding, err)
		case err != nil:
			return fmt.Errorf("%w: %w", store.ErrCorrupt, err)
		}
	case MsgPack, CBOR:
		format := structured.MsgPack
		if e == CBOR {
			format = structured.CBOR
		}
		if err := structured.Valid(format, payload); err != nil {
			return fmt.Errorf("%w: %v: %w", store.ErrCorrupt, e, err)
		}
	case Pickle:
		return fmt.Errorf("%w: %v", ErrUnsupportedEncoding, e)
	}
	return nil
}

// ErrAlmostHeader is returned by [Check] for raw bytes that begin as a header
// does and go on differently.
var ErrAlmostHeader = errors.New("the bytes begin with 89 4b and are no header: KohakuVault refuses to read them")
