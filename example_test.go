package columnvault_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"
	_ "time/tzdata" // where the machine has no time zones

	"columnvault"
	"columnvault/dtype"
)

// check ends an example on an error.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// openTemp opens a new vault in a temporary directory. done closes and removes
// it.
func openTemp() (v *columnvault.Vault, done func()) {
	dir, err := os.MkdirTemp("", "columnvault")
	check(err)
	v, err = columnvault.Open(context.Background(), filepath.Join(dir, "example.db"), nil)
	check(err)
	return v, func() {
		check(v.Close())
		check(os.RemoveAll(dir))
	}
}

// The columns of a vault are lists. One Update changes several of them as a
// whole.
func Example() {
	// check(err) stands for: if err != nil { log.Fatal(err) }
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "columnvault")
	check(err)
	defer os.RemoveAll(dir)

	v, err := columnvault.Open(ctx, filepath.Join(dir, "weather.db"), nil)
	check(err)
	defer v.Close()
	days, err := columnvault.Ensure(ctx, v, "days", dtype.String, nil)
	check(err)
	rain, err := columnvault.Ensure(ctx, v, "rain", dtype.Int64, nil)
	check(err)

	check(days.Append(ctx, "Mon", "Tue", "Wed"))
	check(rain.Append(ctx, 0, 12, 3))

	// Both columns get the next day, or neither does.
	check(v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		if err := days.In(tx).Append(ctx, "Thu"); err != nil {
			return err
		}
		return rain.In(tx).Append(ctx, 7)
	}))

	last, err := days.At(ctx, -1) // days[-1] in Python
	check(err)
	first, err := days.Slice(ctx, columnvault.Begin, 2) // days[:2]
	check(err)
	total := int64(0)
	for mm, err := range rain.Values(ctx) {
		check(err)
		total += mm
	}
	fmt.Println(first, "...", last, "with", total, "mm of rain")
	// Output: [Mon Tue] ... Thu with 22 mm of rain
}

// A vault that is open for reading refuses to write, and never waits for a
// writer.
func ExampleOpen() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	_, err := columnvault.Create(ctx, v, "temperature", dtype.Float64, nil)
	check(err)

	reader, err := columnvault.Open(ctx, v.Path(), &columnvault.Options{ReadOnly: true})
	check(err)
	defer reader.Close()
	columns, err := reader.Columns(ctx)
	check(err)
	for _, c := range columns {
		fmt.Println(c.Name, c.DType, c.Len)
	}

	temperature, err := columnvault.Lookup(ctx, reader, "temperature", dtype.Float64)
	check(err)
	fmt.Println(errors.Is(temperature.Append(ctx, 21.5), columnvault.ErrReadOnly))
	// Output:
	// temperature f64 0
	// true
}

// The elements of a msgpack column are Go structs, and dicts in Python.
func ExampleCreate() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()

	type Event struct {
		User int64    `msgpack:"user"`
		Name string   `msgpack:"name"`
		Tags []string `msgpack:"tags,omitempty"`
	}
	events, err := columnvault.Create(ctx, v, "events", dtype.MsgPack[Event](), nil)
	check(err)
	check(events.Append(ctx,
		Event{User: 7, Name: "login"},
		Event{User: 7, Name: "upload", Tags: []string{"photo", "public"}}))

	last, err := events.At(ctx, -1)
	check(err)
	fmt.Printf("%+v\n", last)

	_, err = columnvault.Create(ctx, v, "events", dtype.String, nil)
	fmt.Println(err)
	// Output:
	// {User:7 Name:upload Tags:[photo public]}
	// create "events": already exists: a column of dtype msgpack with 2 elements
}

// Ensure opens a column, or creates it.
func ExampleEnsure() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()

	for range 2 {
		runs, err := columnvault.Ensure(ctx, v, "runs", dtype.Int64, nil)
		check(err)
		n, err := runs.Len(ctx)
		check(err)
		fmt.Println("runs so far:", n)
		check(runs.Append(ctx, 1))
	}

	_, err := columnvault.Ensure(ctx, v, "runs", dtype.String, nil)
	fmt.Println(errors.Is(err, columnvault.ErrDType))
	// Output:
	// runs so far: 0
	// runs so far: 1
	// true
}

// Column opens a column whose dtype is only known from the file.
func ExampleVault_Column() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	sizes, err := columnvault.Create(ctx, v, "sizes", dtype.Uint16, nil)
	check(err)
	check(sizes.Append(ctx, 640, 480))

	c, err := v.Column(ctx, "sizes")
	check(err)
	check(c.Append(ctx, 1080)) // any integer that fits
	values, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
	check(err)
	fmt.Printf("%s %v, as %T\n", c.DType(), values, values[0])

	fmt.Println(c.Append(ctx, 70_000))
	// Output:
	// u16 [640 480 1080], as uint16
	// append "sizes": invalid argument: value 0 of the call: dtype: bad value: 70000 is outside the range of u16
}

// A logger stamps what it measures, and some of it is missing.
func ExampleVault_Retype() {
	ctx := context.Background()
	v, done := openTemp()
	defer done()

	at, err := columnvault.Ensure(ctx, v, "at", dtype.Timestamp(dtype.Microsecond, "Europe/Berlin"), nil)
	check(err)
	temp, err := columnvault.Ensure(ctx, v, "temp", dtype.Nullable(dtype.Float64), nil)
	check(err)
	check(v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		noon := time.Date(2026, 7, 31, 12, 0, 0, 0, time.UTC)
		if err := at.In(tx).Append(ctx, noon, noon.Add(time.Minute)); err != nil {
			return err
		}
		return temp.In(tx).Append(ctx, sql.Null[float64]{V: 21.5, Valid: true}, sql.Null[float64]{})
	}))
	last, err := at.At(ctx, -1)
	check(err)
	fmt.Println(last.Format(time.RFC3339))

	// Numbers of another program become days.
	_, err = columnvault.Create(ctx, v, "day", dtype.Int64, nil)
	check(err)
	_, err = v.Retype(ctx, "day", dtype.Meaning{Date: true}, nil)
	check(err)
	infos, err := v.Columns(ctx)
	check(err)
	for _, info := range infos {
		fmt.Println(info.Name, info.DType, info.Meaning)
	}
	// Output:
	// 2026-07-31T14:01:00+02:00
	// at i64 time=us zone=Europe/Berlin
	// temp f64 null
	// day i64 date
}

// What an Update has done is undone if its function returns an error.
func ExampleVault_Update() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	names, err := columnvault.Create(ctx, v, "names", dtype.String, nil)
	check(err)
	ages, err := columnvault.Create(ctx, v, "ages", dtype.Uint8, nil)
	check(err)

	add := func(name string, age int) error {
		return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			if err := names.In(tx).Append(ctx, name); err != nil {
				return err
			}
			if age < 0 || age > 150 {
				return fmt.Errorf("%s cannot be %d years old", name, age)
			}
			return ages.In(tx).Append(ctx, uint8(age))
		})
	}
	fmt.Println(add("Ada", 36))
	fmt.Println(add("Bob", 361))

	all, err := names.Slice(ctx, columnvault.Begin, columnvault.End)
	check(err)
	fmt.Println(all)
	// Output:
	// <nil>
	// Bob cannot be 361 years old
	// [Ada]
}

// A View shows all columns at one moment, whatever is written meanwhile.
func ExampleVault_View() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	states, err := columnvault.Create(ctx, v, "states", dtype.String, nil)
	check(err)
	check(states.Append(ctx, "started"))

	check(v.View(ctx, func(inside context.Context, tx *columnvault.Tx) error {
		// Somebody writes. It takes the ctx from outside: the other one marks
		// what belongs to the View.
		if err := states.Append(ctx, "stopped"); err != nil {
			return err
		}
		n, err := states.In(tx).Len(inside)
		fmt.Println("in the View:", n)
		return err
	}))
	n, err := states.Len(ctx)
	check(err)
	fmt.Println("after it:", n)
	// Output:
	// in the View: 1
	// after it: 2
}

// Positions mean what they mean in Python.
func ExampleColumn_Slice() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.Int64, nil)
	check(err)
	check(c.Append(ctx, 0, 10, 20, 30, 40))

	for _, bounds := range [][2]int{
		{1, 3},                  // c[1:3]
		{-2, columnvault.End},   // c[-2:]
		{columnvault.Begin, -3}, // c[:-3]
		{3, 1000},               // c[3:1000]
		{4, 2},                  // c[4:2]
	} {
		values, err := c.Slice(ctx, bounds[0], bounds[1])
		check(err)
		fmt.Println(values)
	}
	// Output:
	// [10 20]
	// [30 40]
	// [0 10]
	// [30 40]
	// []
}

func ExampleColumn_SliceStep() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.Int64, nil)
	check(err)
	check(c.Append(ctx, 0, 10, 20, 30, 40))

	even, err := c.SliceStep(ctx, columnvault.Begin, columnvault.End, 2) // c[::2]
	check(err)
	reversed, err := c.SliceStep(ctx, columnvault.End, columnvault.Begin, -1) // c[::-1]
	check(err)
	down, err := c.SliceStep(ctx, -2, 0, -1) // c[-2:0:-1]
	check(err)
	fmt.Println(even, reversed, down)
	// Output: [0 20 40] [40 30 20 10 0] [30 20 10]
}

func ExampleColumn_Insert() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	words, err := columnvault.Create(ctx, v, "words", dtype.String, nil)
	check(err)
	check(words.Append(ctx, "the", "fox"))

	check(words.Insert(ctx, 1, "quick", "brown"))
	check(words.Insert(ctx, -1, "little")) // before the last
	check(words.Insert(ctx, columnvault.End, "jumps"))

	all, err := words.Slice(ctx, columnvault.Begin, columnvault.End)
	check(err)
	fmt.Println(all)
	// Output: [the quick brown little fox jumps]
}

func ExampleColumn_Delete() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.Int64, nil)
	check(err)
	check(c.Append(ctx, 0, 1, 2, 3, 4, 5, 6, 7))

	check(c.Delete(ctx, 0, 2))                // del c[0:2]
	check(c.Delete(ctx, -1, columnvault.End)) // del c[-1:]
	taken, err := c.Pop(ctx, 1)               // c.pop(1)
	check(err)

	left, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
	check(err)
	fmt.Println(left, "and", taken)
	// Output: [2 4 5 6] and 3
}

func ExampleColumn_Set() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	words, err := columnvault.Create(ctx, v, "words", dtype.String, nil)
	check(err)
	check(words.Append(ctx, "one", "two", "three", "four"))

	check(words.Set(ctx, -1, "a far longer word than four"))
	check(words.SetSlice(ctx, 0, 2, []string{"uno", "dos"}))
	check(words.SetEach(ctx, []int{2, 0}, []string{"tres", "UNO"}))

	all, err := words.Slice(ctx, columnvault.Begin, columnvault.End)
	check(err)
	fmt.Printf("%q\n", all)
	// Output: ["UNO" "dos" "tres" "a far longer word than four"]
}

// A loop sees one snapshot and reads ahead in large pieces. It may be left at
// any time.
func ExampleColumn_Values() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	lines, err := columnvault.Create(ctx, v, "lines", dtype.String, nil)
	check(err)
	check(lines.Append(ctx, "# title", "", "first paragraph", "second paragraph"))

	for line, err := range lines.Values(ctx) {
		check(err)
		if line == "first paragraph" {
			break
		}
		fmt.Printf("%q\n", line)
	}
	for line, err := range lines.Backward(ctx) {
		check(err)
		fmt.Println("the last line is the", line)
		break
	}
	// Output:
	// "# title"
	// ""
	// the last line is the second paragraph
}

// Chunks are the fastest way over a column: a slice of numbers at a time.
func ExampleColumn_Runs() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.Float64, nil)
	check(err)
	values := make([]float64, 300_000)
	for i := range values {
		values[i] = float64(i)
	}
	check(c.Append(ctx, values...))

	sum := 0.0
	for chunk, err := range c.Runs(ctx) {
		check(err)
		fmt.Println(len(chunk.Values), "elements from", chunk.Start, "on")
		for _, x := range chunk.Values {
			sum += x
		}
	}
	fmt.Println(sum)
	// Output:
	// 131072 elements from 0 on
	// 131072 elements from 131072 on
	// 37856 elements from 262144 on
	// 4.499985e+10
}

// Read fills memory that the caller has, so that reading again and again
// allocates nothing.
func ExampleColumn_Read() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.Int32, nil)
	check(err)
	check(c.Append(ctx, 1, 2, 3, 4, 5))

	page := make([]int32, 2)
	for at := 0; ; at += len(page) {
		n, err := c.Read(ctx, page, at)
		check(err)
		if n == 0 {
			break
		}
		fmt.Println(page[:n])
	}
	// Output:
	// [1 2]
	// [3 4]
	// [5]
}

// Take picks elements at any positions.
func ExampleColumn_Take() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.String, nil)
	check(err)
	check(c.Append(ctx, "zero", "one", "two", "three"))

	picked, err := c.Take(ctx, []int{-1, 0, 2, 2})
	check(err)
	fmt.Println(picked)
	_, err = c.Take(ctx, []int{0, 4})
	fmt.Println(err)
	// Output:
	// [three zero two two]
	// take "c"[4]: out of range: the column has 4 elements
}

// The rows of a column of vectors go into one flat slice, as what multiplies
// matrices wants them.
func ExampleReadFlat() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	embeddings, err := columnvault.Create(ctx, v, "embeddings", dtype.Vector[float32](3), nil)
	check(err)
	check(columnvault.AppendFlat(ctx, embeddings, []float32{
		1, 0, 0,
		0, 1, 0,
	}))
	check(embeddings.Append(ctx, []float32{0.5, 0.5, 0}))

	flat := make([]float32, 2*3)
	rows, err := columnvault.ReadFlat(ctx, embeddings, flat, 1)
	check(err)
	fmt.Println(rows, "rows:", flat)

	row, err := embeddings.At(ctx, 0)
	check(err)
	fmt.Println(row)
	// Output:
	// 2 rows: [0 1 0 0.5 0.5 0]
	// [1 0 0]
}

// A program that logs one record at a time enables the cache: appends then cost
// far less than a transaction each.
func ExampleVault_EnableCache() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	messages, err := columnvault.Create(ctx, v, "messages", dtype.String, nil)
	check(err)

	check(v.EnableCache(ctx, &columnvault.CacheOptions{
		FlushThreshold: 1 << 20, // bytes
		OnError:        func(err error) { log.Print(err) },
	}))
	for i := range 1000 {
		check(messages.Append(ctx, fmt.Sprint("message ", i)))
	}
	last, err := messages.At(ctx, -1) // what is held can be read
	check(err)
	fmt.Println(last)

	n, err := v.Flush(ctx) // Close does it too
	check(err)
	fmt.Println(n, "written")
	// Output:
	// message 999
	// 1000 written
}

// Cached has the cache for the time of a function.
func ExampleVault_Cached() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	squares, err := columnvault.Create(ctx, v, "squares", dtype.Int64, nil)
	check(err)

	check(v.Cached(ctx, nil, func() error {
		for i := range int64(1000) {
			if err := squares.Append(ctx, i*i); err != nil {
				return err
			}
		}
		return nil
	}))
	n, err := v.Flush(ctx)
	check(err)
	fmt.Println("still held:", n)
	// Output: still held: 0
}

// A Batch keeps the fields of a record together, also in caches.
func ExampleVault_Batch() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	times, err := columnvault.Create(ctx, v, "times", dtype.Int64, nil)
	check(err)
	levels, err := columnvault.Create(ctx, v, "levels", dtype.String, nil)
	check(err)
	check(v.EnableCache(ctx, nil))

	record := func(time int64, level string) error {
		return v.Batch(ctx, func(b *columnvault.Batch) error {
			if err := times.AppendTo(b, time); err != nil {
				return err
			}
			if level == "" {
				return errors.New("a record without a level")
			}
			return levels.AppendTo(b, level)
		})
	}
	fmt.Println(record(1700000000, "info"))
	fmt.Println(record(1700000001, ""))

	n, err := times.Len(ctx)
	check(err)
	fmt.Println(n)
	// Output:
	// <nil>
	// a record without a level
	// 1
}

// The fields of a struct are columns. Rows are appended whole, and a column is
// still a list of its own.
func ExampleEnsureTable() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()

	type Trip struct {
		Start  time.Time
		Meters float64
		Stop   string
		Tip    sql.Null[int32] // may be missing
	}
	trips, err := columnvault.EnsureTable[Trip](ctx, v, "trips", nil)
	check(err)
	check(trips.Append(ctx,
		Trip{Start: time.Date(2024, 5, 1, 8, 0, 0, 0, time.UTC), Meters: 1200, Stop: "harbour"},
		Trip{Start: time.Date(2024, 5, 1, 9, 30, 0, 0, time.UTC), Meters: 800, Stop: "market", Tip: sql.Null[int32]{V: 2, Valid: true}}))

	last, err := trips.At(ctx, -1)
	check(err)
	fmt.Println(last.Start.Format(time.Kitchen), last.Meters, last.Stop, last.Tip)
	meters, err := columnvault.Lookup(ctx, v, "trips.Meters", dtype.Float64)
	check(err)
	total := 0.0
	for m, err := range meters.Values(ctx) {
		check(err)
		total += m
	}
	fmt.Println(total)
	// Output:
	// 9:30AM 800 market {2 true}
	// 2000
}

// New fields are missing in the rows that are there, or have their default.
func ExampleEnsureTable_newField() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()

	type Old struct{ Name string }
	old, err := columnvault.EnsureTable[Old](ctx, v, "users", nil)
	check(err)
	check(old.Append(ctx, Old{"Ada"}))

	type New struct {
		Name  string
		Plan  string `columnvault:",,default=free"`
		Email sql.Null[string]
	}
	users, err := columnvault.EnsureTable[New](ctx, v, "users", nil)
	check(err)
	row, err := users.At(ctx, 0)
	check(err)
	fmt.Printf("%+v\n", row)
	fmt.Println(errors.Is(old.Append(ctx, Old{"Bob"}), columnvault.ErrTableChanged))
	// Output:
	// {Name:Ada Plan:free Email:{V: Valid:false}}
	// true
}

// A table can be opened by its name alone, as lists of values.
func ExampleVault_Table() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()

	type City struct {
		Name   string
		People sql.Null[int]
	}
	cities, err := columnvault.EnsureTable[City](ctx, v, "cities", nil)
	check(err)
	check(cities.Append(ctx, City{"Oslo", sql.Null[int]{V: 717710, Valid: true}}, City{"Atlantis", sql.Null[int]{}}))

	table, err := v.Table(ctx, "cities")
	check(err)
	for _, c := range table.Columns() {
		fmt.Println(c.Name, c.DType, c.Meaning.Null)
	}
	for row, err := range table.Values(ctx) {
		check(err)
		fmt.Println(row...)
	}
	// Output:
	// Name str:utf8 false
	// People i64 true
	// Oslo 717710
	// Atlantis <nil>
}

// Column.View keeps the steps of a reading in one snapshot, also where only the
// column is at hand. Inside of a transaction it is part of that.
func ExampleColumn_View() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.Int64, nil)
	check(err)
	check(c.Append(ctx, 1, 2, 3))

	check(c.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		n, err := c.In(tx).Len(ctx)
		if err != nil {
			return err
		}
		middle, err := c.In(tx).At(ctx, n/2)
		fmt.Println(n, middle)
		return err
	}))
	// Output: 3 2
}

// Columns of KohakuVault 1.x, and others that were brought to its layout, can be
// read and not changed.
func ExampleVault_Migrate() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.Int64, nil)
	check(err)
	check(c.Append(ctx, 1, 2, 3))

	names, err := v.Migrate(ctx, columnvault.MigrateOptions{To: 1})
	check(err)
	fmt.Println(names)
	values, err := c.Slice(ctx, 1, columnvault.End)
	check(err)
	fmt.Println(values)
	fmt.Println(errors.Is(c.Append(ctx, 4), columnvault.ErrLayout))

	_, err = v.Migrate(ctx, columnvault.MigrateOptions{To: 0, Columns: []string{"c"}})
	check(err)
	fmt.Println(c.Append(ctx, 4))
	// Output:
	// [c]
	// [2 3]
	// true
	// <nil>
}

// A native column takes inserts and deletes anywhere for the price of a chunk, and
// can be compressed. KohakuVault does not see it; Migrate brings columns there and
// back.
func ExampleColumnOptions_native() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	o := &columnvault.ColumnOptions{Layout: columnvault.Native, Compression: columnvault.Zstd}
	c, err := columnvault.Create(ctx, v, "times", dtype.Int64, o)
	check(err)
	check(c.Append(ctx, 10, 30, 40))
	check(c.Insert(ctx, 1, 20))
	check(c.Delete(ctx, 0, 1))

	old, err := columnvault.Create(ctx, v, "words", dtype.String, nil)
	check(err)
	check(old.Append(ctx, "it", "moves"))
	names, err := v.Migrate(ctx, columnvault.MigrateOptions{To: columnvault.Native, Columns: []string{"words"}, Compression: columnvault.Zstd})
	check(err)
	fmt.Println(names)

	// To layout 0, for Python.
	_, err = v.Migrate(ctx, columnvault.MigrateOptions{To: 0, Columns: []string{"times"}})
	check(err)
	values, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
	check(err)
	fmt.Println(values)
	// Output:
	// [words]
	// [20 30 40]
}

// Native columns know bounds of stretches of elements: here the one that is all.
// Package scan leaves out by them what it need not read.
func ExampleColumn_Bounds() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.Int64, &columnvault.ColumnOptions{Layout: columnvault.Native})
	check(err)
	check(c.Append(ctx, 20, 10, 40))

	ten, _ := c.Key(10)
	forty, _ := c.Key(40)
	for b, err := range c.Bounds(ctx, columnvault.Begin, columnvault.End) {
		check(err)
		fmt.Println(b.From, b.To, b.Known, b.Low == ten, b.High == forty)
	}
	from, to, err := c.Within(ctx, columnvault.Begin, columnvault.End, 50, 60)
	fmt.Println(from, to, err)
	// Output:
	// 0 3 true true true
	// 3 3 <nil>
}

// An error has a kind for errors.Is, says what it is about, and often what to
// do.
func ExampleError() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.Int64, nil)
	check(err)
	check(c.Append(ctx, 1, 2, 3))

	_, err = c.At(ctx, 3)
	fmt.Println(errors.Is(err, columnvault.ErrOutOfRange))
	fmt.Println(err)
	var e *columnvault.Error
	if errors.As(err, &e) {
		fmt.Println(e.Op, e.Column, e.Index)
	}

	_, err = columnvault.Lookup(ctx, v, "c", dtype.Float64)
	if errors.As(err, &e) {
		fmt.Println(e)
		fmt.Println(e.Hint())
	}
	// Output:
	// true
	// at "c"[3]: out of range: the column has 3 elements
	// at c 3
	// open column "c": dtype mismatch: the column is of i64, not of f64
	// open the column with the dtype that the file has, or drop it first
}

// Two goroutines read one state, whatever others write meanwhile.
func ExampleTx_Sibling() {
	ctx := context.Background()
	v, done := openTemp()
	defer done()
	temps, err := columnvault.Create(ctx, v, "temps", dtype.Float64, nil)
	check(err)
	check(temps.Append(ctx, 20.5, 21, 21.5, 22))
	check(v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		var end []float64
		other := make(chan error, 1)
		go func() {
			sibling, err := tx.Sibling(ctx)
			if err == nil && sibling != nil {
				defer sibling.Close()
				end, err = temps.In(sibling).Slice(ctx, 2, columnvault.End)
			}
			other <- err
		}()
		begin, err := temps.In(tx).Slice(ctx, columnvault.Begin, 2)
		if err := errors.Join(err, <-other); err != nil {
			return err
		}
		if end == nil { // there is no sibling
			if end, err = temps.In(tx).Slice(ctx, 2, columnvault.End); err != nil {
				return err
			}
		}
		fmt.Println(begin, end)
		return nil
	}))
	// Output: [20.5 21] [21.5 22]
}
