package exchange_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/arrow"
	"columnvault/exchange/csv"
	"columnvault/exchange/jsonl"
	"columnvault/exchange/parquet"
)

// TestImportRange imports rows by their positions, as Python has them, from a
// source of many batches, and compares what has come.
func TestImportRange(t *testing.T) {
	ctx := t.Context()
	const rows = 300_000 // some blocks of 1 MiB
	text, lines := &strings.Builder{}, &strings.Builder{}
	text.WriteString("a,b,c\n")
	for i := range rows {
		fmt.Fprintf(text, "%d,,%d\n", i, -i)
		fmt.Fprintf(lines, `{"a":%d,"late%d":1}`+"\n", i, i/(rows-1))
	}
	for _, c := range []struct{ start, stop, from, to int }{
		{0, 0, 0, rows}, {5, 0, 5, rows}, {0, 7, 0, 7}, {-3, 0, rows - 3, rows}, {200_000, 200_010, 200_000, 200_010},
		{10, -5, 10, rows - 5}, {columnvault.Begin, -rows + 2, 0, 2}, {20, 10, 20, 20}, {columnvault.End, columnvault.End, rows, rows},
		{-2 * rows, 2 * rows, 0, rows},
	} {
		for name, src := range map[string]exchange.Source{
			"csv":   csv.NewReader(strings.NewReader(text.String()), &csv.Options{Columns: []string{"a", "c"}}),
			"jsonl": jsonl.NewReader(strings.NewReader(lines.String()), &jsonl.Options{Columns: []string{"a", "late1", "a"}}),
		} {
			name := fmt.Sprintf("%s[%d:%d]", name, c.start, c.stop)
			types := map[string]exchange.Field{"a": {Type: dtype.Int64.Spec()}}
			v := open(t)
			found, err := exchange.Detect(ctx, src, &exchange.DetectOptions{Types: types, Start: c.start, Stop: c.stop})
			if err != nil || found.Rows != c.to-c.from || len(found.Columns) != 2 {
				t.Fatalf("%s: found %+v, %v", name, found, err)
			}
			r, err := exchange.Import(ctx, v, src, &exchange.ImportOptions{Types: types, Start: c.start, Stop: c.stop})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			col, err := columnvault.Lookup(ctx, v, "a", dtype.Int64)
			if err != nil {
				t.Fatal(err)
			}
			got, err := col.Slice(ctx, 0, columnvault.End)
			if err != nil {
				t.Fatal(err)
			}
			if r.Rows != c.to-c.from || len(got) != r.Rows || len(r.Columns) != 2 {
				t.Errorf("%s: %d rows, want %d; columns %v", name, len(got), c.to-c.from, r.Columns)
			}
			for i, n := range got {
				if n != int64(c.from+i) {
					t.Fatalf("%s: row %d is %d", name, i, n)
				}
			}
		}
	}
}

// TestNullableWithoutGaps: a nullable column stays one, although no value is
// missing, and others do not become nullable.
func TestNullableWithoutGaps(t *testing.T) {
	ctx := t.Context()
	from := open(t)
	err := from.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		a, err := columnvault.Create(ctx, tx, "a", dtype.Nullable(dtype.Int64), nil)
		if err == nil {
			err = a.Append(ctx, sql.Null[int64]{V: 1, Valid: true})
		}
		if err != nil {
			return err
		}
		b, err := columnvault.Create(ctx, tx, "b", dtype.String, nil)
		if err == nil {
			err = b.Append(ctx, "x")
		}
		if err != nil {
			return err
		}
		c, err := columnvault.Create(ctx, tx, "c", dtype.Nullable(dtype.Bool), nil)
		if err == nil {
			err = c.Append(ctx, sql.Null[bool]{V: true, Valid: true})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var p, a bytes.Buffer
	for _, sink := range []exchange.Sink{parquet.NewWriter(&p, nil), arrow.NewWriter(&a, nil)} {
		if _, err := exchange.Export(ctx, from, nil, sink, nil); err != nil {
			t.Fatal(err)
		}
	}
	nulls := func(r *exchange.Result) (nulls []bool) {
		for _, c := range r.Columns {
			nulls = append(nulls, c.Meaning.Null)
		}
		return nulls
	}
	for name, src := range map[string]func() exchange.Source{
		"parquet": func() exchange.Source { return parquet.NewReader(bytes.NewReader(p.Bytes()), int64(p.Len()), nil) },
		"arrow":   func() exchange.Source { return arrow.NewReader(bytes.NewReader(a.Bytes()), int64(a.Len()), nil) },
	} {
		found, err := exchange.Detect(ctx, src(), nil)
		if want := []bool{true, false, true}; err != nil || !reflect.DeepEqual(nulls(found), want) {
			t.Errorf("%s: found nullable %v, want %v (%v)", name, nulls(found), want, err)
		}
		for _, o := range []struct {
			exchange.ImportOptions
			want []bool
		}{
			{exchange.ImportOptions{}, []bool{true, false, true}},
			{exchange.ImportOptions{Types: map[string]exchange.Field{"a": {Type: dtype.Int64.Spec()}}}, []bool{false, false, true}},
			{exchange.ImportOptions{Fill: map[string]string{"c": "false"}}, []bool{true, false, false}},
		} {
			v := open(t)
			r, err := exchange.Import(ctx, v, src(), &o.ImportOptions)
			if err != nil || !reflect.DeepEqual(nulls(r), o.want) {
				t.Errorf("%s, %+v: nullable %v, want %v (%v)", name, o.ImportOptions, nulls(r), o.want, err)
				continue
			}
			infos, err := v.Columns(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for i, info := range infos {
				if info.Meaning.Null != o.want[i] {
					t.Errorf("%s: column %s is nullable: %v", name, info.Name, info.Meaning.Null)
				}
			}
		}
	}
}
