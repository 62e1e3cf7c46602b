package columnvault_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"columnvault"
	"columnvault/dtype"
)

// What is searched and sorted lies in columns, what is only fetched under keys.
// One Update keeps them together.
func Example_hybrid() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	ids, err := columnvault.Create(ctx, v, "ids", dtype.Int64, nil)
	check(err)
	titles, err := columnvault.Create(ctx, v, "titles", dtype.String, nil)
	check(err)
	files := v.KVTable("files")
	key := func(id int64) []byte { return fmt.Appendf(nil, "photo/%08d", id) }

	add := func(id int64, title string, content []byte) error {
		return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			if err := ids.In(tx).Append(ctx, id); err != nil {
				return err
			}
			if err := titles.In(tx).Append(ctx, title); err != nil {
				return err
			}
			return files.In(tx).Put(ctx, key(id), content)
		})
	}
	check(add(17, "a lake", []byte("\xff\xd8 the bytes of a JPEG")))
	check(add(18, "a hill", []byte("\xff\xd8 those of another")))

	at, err := titles.Index(ctx, "a hill")
	check(err)
	id, err := ids.At(ctx, at)
	check(err)
	content, err := files.Get(ctx, key(id))
	check(err)
	fmt.Printf("%d %q\n", id, content)
	// Output: 18 "\xff\xd8 those of another"
}

// Get and Put work with bytes. A key that does not exist is an error, or nil in
// GetMany.
func ExampleKV() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	kv := v.KV()

	check(kv.Put(ctx, columnvault.Key("thumbnail"), []byte{1, 2, 3}))
	value, err := kv.Get(ctx, columnvault.Key("thumbnail"))
	check(err)
	fmt.Println(value)

	_, err = kv.Get(ctx, columnvault.Key("poster"))
	fmt.Println(err)
	values, err := kv.GetMany(ctx, columnvault.Key("poster"), columnvault.Key("thumbnail"))
	check(err)
	fmt.Println(values[0] == nil, values[1])
	// Output:
	// [1 2 3]
	// get "kv"["poster"]: not found
	// true [1 2 3]
}

// Values other than bytes are stored with their encoding, as Python's KVault
// does.
func ExampleKV_PutValue() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	kv := v.KV()
	key := columnvault.Key

	type Settings struct {
		Theme string `msgpack:"theme"`
		Zoom  int    `msgpack:"zoom"`
	}
	check(kv.PutValue(ctx, key("name"), "columns"))
	check(kv.PutValue(ctx, key("answer"), 42))
	check(kv.PutValue(ctx, key("weights"), []float32{0.25, 0.75}))
	check(kv.PutValue(ctx, key("settings"), Settings{"dark", 2}))

	answer, err := columnvault.GetValue[int](ctx, kv, key("answer"))
	check(err)
	weights, err := columnvault.GetValue[[]float32](ctx, kv, key("weights"))
	check(err)
	settings, err := columnvault.GetValue[Settings](ctx, kv, key("settings"))
	check(err)
	fmt.Println(answer, weights, settings)

	for k, err := range kv.Keys(ctx, nil) {
		check(err)
		info, err := kv.Stat(ctx, k)
		check(err)
		value, err := columnvault.GetValue[any](ctx, kv, k)
		check(err)
		fmt.Printf("%s: %v, %d bytes: %v\n", k, info.Encoding, info.Size, value)
	}
	// Output:
	// 42 [0.25 0.75] {dark 2}
	// answer: packed, 8 bytes: 42
	// name: text, 7 bytes: columns
	// settings: msgpack, 18 bytes: map[theme:dark zoom:2]
	// weights: packed, 14 bytes: {[2] [0.25 0.75]}
}

// PutFrom and OpenBlob move values of any size through a small buffer.
func ExampleKV_PutFrom() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	kv := v.KV()
	key := columnvault.Key("film")

	source := strings.NewReader(strings.Repeat("0123456789", 100_000))
	check(kv.PutFrom(ctx, key, source.Size(), source))

	film, err := kv.OpenBlob(ctx, key)
	check(err)
	defer film.Close()
	piece := make([]byte, 12)
	_, err = film.ReadAt(piece, 654_321)
	check(err)
	n, err := io.Copy(io.Discard, film)
	check(err)
	fmt.Printf("%s of %d\n", piece, n)

	err = kv.PutFrom(ctx, key, 100, strings.NewReader("too short"))
	fmt.Println(err)
	// Output:
	// 123456789012 of 1000000
	// put "kv"["film"]: invalid argument: the source has ended after 9 of 100 bytes: unexpected EOF
}

// A Range selects keys, which are ordered by their bytes.
func ExampleKV_Keys() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	kv := v.KV()
	for _, name := range []string{"photo/2", "photo/10", "film/1", "photo/1"} {
		check(kv.Put(ctx, columnvault.Key(name), nil))
	}

	for key, err := range kv.Keys(ctx, columnvault.Prefix("photo/")) {
		check(err)
		fmt.Printf("%s\n", key)
	}
	for key, err := range kv.Keys(ctx, &columnvault.Range{Reverse: true, Limit: 1}) {
		check(err)
		fmt.Printf("the last: %s\n", key)
	}
	// Output:
	// photo/1
	// photo/10
	// photo/2
	// the last: photo/2
}

// A vault may have any number of key-value tables.
func ExampleVault_Tables() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	check(v.KV().Put(ctx, columnvault.Key("title"), []byte("Weather")))
	check(v.KVTable("logos").Put(ctx, columnvault.Key("small"), []byte("...")))

	names, err := v.Tables(ctx)
	check(err)
	fmt.Println(names)
	// Output: [kv logos]
}

// What has to change together gets one home, for vaults that are divided over
// several servers. In a file it means nothing.
func ExampleVault_EnsureKV() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	events, err := columnvault.Ensure(ctx, v, "events", dtype.Int64, &columnvault.ColumnOptions{Home: 7})
	check(err)
	last, err := v.EnsureKV(ctx, "last", &columnvault.KVOptions{Home: 7})
	check(err)
	check(v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		if err := events.In(tx).Append(ctx, 3); err != nil {
			return err
		}
		return last.In(tx).Put(ctx, columnvault.Key("event"), []byte("3"))
	}))
	fmt.Println(events.Len(ctx))
	// Output: 1 <nil>
}
