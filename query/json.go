package query

import (
	"encoding/json"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault/dtype"
	"columnvault/internal/values"
)

// setJSON gives the engine a value of msgpack, CBOR or JSON, or whatever else a
// key may have: numbers are numbers, nothing is NULL, bytes are a BLOB, and all
// else is JSON text, as the tool and exports print it.
func (c *conn) setJSON(ctx sqlite3.Context, v any) {
	switch v := v.(type) {
	case nil:
		ctx.ResultNull()
	case int64:
		ctx.ResultInt64(v)
	case uint64:
		setUint64(ctx, v)
	case float64:
		ctx.ResultFloat(v)
	case []byte:
		c.setBytes(ctx, v)
	case json.RawMessage:
		c.setText(ctx, string(v))
	default:
		c.setText(ctx, string(values.AppendStored(nil, v)))
	}
}

// setVector returns what gives the engine the JSON text of vectors of a dtype,
// as the tool prints it but for what is no number.
func (c *conn) setVector(spec dtype.Spec) func(sqlite3.Context, any) {
	p := values.NewPrinter(spec, dtype.Meaning{})
	return func(ctx sqlite3.Context, v any) { c.setText(ctx, noNumbers.Replace(string(p.Append(nil, v)))) }
}

// noNumbers makes null of them: as text they would count as 0 in sums.
var noNumbers = strings.NewReplacer(`"NaN"`, "null", `"Infinity"`, "null", `"-Infinity"`, "null")
