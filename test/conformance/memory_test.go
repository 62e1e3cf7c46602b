package conformance_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	. "columnvault/internal/vaulttest"
)

// TestElementThatTakesTooMuchMemory: a value that takes a hundred times its
// bytes is refused where it would be decoded, with a hint, and nowhere else.
// Those beside it can be read.
func TestElementThatTakesTooMuchMemory(t *testing.T) {
	ctx := t.Context()
	path := t.TempDir() + "/vault.db"
	v := OpenAt(t, path, nil)
	const n = 4 << 20
	// A list of maps with one pair each, as msgpack.
	bomb := append(binary.BigEndian.AppendUint32([]byte{0xdd}, n/3), bytes.Repeat([]byte{0x81, 0xa0, 0xc0}, n/3)...)
	raw := Create(t, v, "raw", dtype.Bytes)
	Must(t, raw.Append(ctx, []byte("\xa6before"), bomb, []byte("\xa5after")))
	text := "[" + strings.Repeat(`{"":0},`, n/7) + "{}]"
	Must(t, v.KV().PutValueAs(ctx, []byte("list"), columnvault.EncodingJSON, json.RawMessage(text)))
	_, err := columnvault.GetValue[any](ctx, v.KV(), []byte("list"))
	WantErr(t, "the value of a key", err, columnvault.ErrTooLarge)
	Must(t, v.Close())
	ExecSQL(t, path,
		`UPDATE col_meta SET name = 'values_data', dtype = 'msgpack' WHERE name = 'raw_data'`,
		`UPDATE col_meta SET name = 'values_idx' WHERE name = 'raw_idx'`)
	v = OpenAt(t, path, nil)
	values := Lookup(t, v, "values", dtype.MsgPack[any]())
	WantAt(t, values, 0, any("before"))
	WantAt(t, values, 2, any("after"))
	_, err = values.At(ctx, 1)
	WantErr(t, "the element in between", err, columnvault.ErrTooLarge)
	WantIndex(t, err, 1)
	var e *columnvault.Error
	if !errors.As(err, &e) || e.Hint() == "" || errors.Is(err, columnvault.ErrCorrupt) {
		t.Errorf("no hint, or called damage: %v", err)
	}
	typed := Lookup(t, v, "values", dtype.MsgPack[[]struct{ X int8 }]())
	one, err := typed.At(ctx, 1)
	if len(one) != n/3 || err != nil {
		t.Errorf("by a type of its own it has %d elements: %v", len(one), err)
	}
}
