package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLongTextInErrors checks that errors quote only the beginning of what they
// are about.
func TestLongTextInErrors(t *testing.T) {
	dir := t.TempDir()
	db, file := filepath.Join(dir, "a.db"), filepath.Join(dir, "file")
	for _, dtype := range []string{"i64", "f16", "bool", "str", "str:4:ascii", "bytes", "msgpack", "vec:f32"} {
		columnvaultCommand(t, "create", db, dtype, dtype)
	}
	long := strings.Repeat("x", 1<<18)
	digits := strings.Repeat("1", 1<<18)
	for _, c := range []struct {
		args string // of which LONG is long text, and FILE has the contents of input
		in   string
	}{
		{"append DB i64", long},
		{"append DB i64", digits},
		{"append DB f16", digits},
		{"append DB f16", long},
		{"append DB bool", long},
		{"append DB str", digits},
		{"append DB str", `"` + long},
		{"append DB str", `{"` + long + `":1}`},
		{"append DB str", `"\ud800` + long + `"`},
		{"append DB str:4:ascii", long},
		{"append DB str:4:ascii", "é" + long},
		{"append DB bytes", long},
		{"append DB bytes", `{"$base64":true,"encoded":"!` + long + `"}`},
		{"append DB msgpack", `[` + long + `]`},
		{"append DB msgpack", `{"` + long + `":1e400}`},
		{"append DB msgpack", `[` + digits + `]`},
		{"append DB vec:f32", `[` + long + `]`},
		{"append DB vec:f32", `[1]` + long},
		{"append DB vec:f32", strings.Repeat("[", 1<<18)},
		{"append DB LONG", "1"},
		{"get DB i64 LONG", ""},
		{"slice DB i64 LONG", ""},
		{"slice DB i64 :LONG", ""},
		{"create DB LONG i64", ""},
		{"create DB x LONG", ""},
		{"create DB x str:LONG", ""},
		{"create DB x str:4:LONG", ""},
		{"create DB x vec:LONG", ""},
		{"create DB x vec:f32" + strings.Repeat(":1", 1<<17) + ":0", ""},
		{"rename DB i64 LONG", ""},
		{"drop DB LONG", ""},
		{"export DB LONG LONG", ""},
		{"import DB FILE --format LONG", ""},
		{"import DB FILE --format csv", long + "," + long + "\n"},
		{"import DB FILE --format csv", long + "\n\xff\n"},
		{"import DB FILE --format csv", long + "\n1\n"},
		{"import DB FILE --format csv --append", long + "\n1\n"},
		{"import DB FILE --format csv --append", "i64\n" + long + "\n"},
		{"import DB FILE --format csv --types LONG", "a\n1\n"},
		{"import DB FILE --format csv --types a=LONG", "a\n1\n"},
		{"import DB FILE --format csv --types LONG=i64", long[1:] + "\n1\n"},
		{"import DB FILE --format csv --na LONG", "a\n1\n"},
		{"import DB FILE --format csv --na LONG=1", "a\n1\n"},
		{"import DB FILE --format csv --na a=LONG", "a\n1\n"},
		{"import DB FILE --format csv", long + "\n"},
		{"import DB FILE --format csv", strings.Repeat(long[:64], 1<<8) + "," + strings.Repeat("a,", 2) + "\n"},
		{"import DB FILE --format jsonl", `{"` + long + `":1,"` + long + `":2}`},
		{"import DB FILE --format jsonl", `{"` + long + `":1}`},
		{"import DB FILE --format jsonl", `"` + long + `"`},
		{"import DB FILE --format jsonl", `{"` + long},
		{"kv put DB x {\"$base64\":true,\"encoded\":\"!LONG\"}", ""},
		{"kv put DB {\"$base64\":true,\"encoded\":\"!LONG\"} x", ""},
		{"kv put DB x [LONG", ""},
		{"kv put DB x y --table sqlite_LONG", ""},
		{"kv ls DB --table LONG --prefix {\"$base64\":true,\"encoded\":\"!LONG\"}", ""},
		{"kv get DB LONG", ""},
		{"kv rm DB LONG", ""},
		{"kv rm DB LONG LONG", ""},
		{"kv cat DB x --range LONG", ""},
		{"checkpoint DB --mode LONG", ""},
		{"completion LONG", ""},
		{"create DB x i64 --min-chunk LONG", ""},
		{"ls DB --LONG", ""},
		{"ls LONG", ""},
		{"LONG", ""},
	} {
		if err := os.WriteFile(file, []byte(c.in), 0o666); err != nil {
			t.Fatal(err)
		}
		args := strings.Fields(c.args)
		for i, arg := range args {
			args[i] = strings.NewReplacer("DB", db, "FILE", file, "LONG", long).Replace(arg)
		}
		var stderr bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(c.in), &bytes.Buffer{}, &stderr)
		if code == exitOK || stderr.Len() > 8<<10 {
			t.Errorf("%.60s, with %.20q: exit code %d, and %d bytes: %.300s", c.args, c.in, code, stderr.Len(), stderr.String())
		}
	}
}
