package dtype_test

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"columnvault/dtype"
)

func ExampleParse() {
	t, err := dtype.Parse("string:8")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t, t.Size())

	stored, _ := t.Append(nil, "héllo")
	fmt.Printf("%q\n", stored)
	v, _ := t.Decode(stored)
	fmt.Printf("%q\n", v)

	_, err = t.Append(nil, "too long a text")
	fmt.Println(err)
	// Output:
	// str:8:utf8 8
	// "héllo\x00\x00"
	// "héllo"
	// dtype: bad value: "too long a text" needs 15 bytes but str:8:utf8 holds 8
}

// Times and missing values are stored as ordinary elements, and the file says
// beside the dtype what they mean.
func ExampleNullable() {
	t := dtype.Nullable(dtype.Timestamp(dtype.Millisecond, "Europe/Berlin"))
	fmt.Println(t, "with", t.Meaning())

	data, _, err := t.AppendAll(nil, nil, []sql.Null[time.Time]{
		{V: time.Date(2026, 7, 31, 12, 0, 0, 0, time.UTC), Valid: true},
		{},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	times := make([]sql.Null[time.Time], 2)
	if err := t.DecodeAll(times, data, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(times[0].V.Format(time.RFC3339), times[1].Valid)
	// Output:
	// i64 with time=ms zone=Europe/Berlin null
	// 2026-07-31T14:00:00+02:00 false
}

// Values that vary in size are stored back to back, with the end of each beside
// them.
func ExampleType() {
	data, ends, err := dtype.String.AppendAll(nil, nil, []string{"one", "two", "three"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %d\n", data, ends)

	words := make([]string, len(ends))
	err = dtype.String.DecodeAll(words, data, ends)
	fmt.Println(words, err)
	// Output:
	// onetwothree [3 6 11]
	// [one two three] <nil>
}

// Whole slices of numbers move without a loop: here two stored ones are read
// into a slice.
func ExampleType_bytes() {
	stored := []byte{1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}
	values := make([]int32, 2)
	if b := dtype.Int32.Bytes(values); b != nil {
		copy(b, stored)
	} else { // a big-endian machine
		_ = dtype.Int32.DecodeAll(values, stored, nil)
	}
	fmt.Println(values)
	// Output:
	// [1 -1]
}

func ExampleMsgPack() {
	type Event struct {
		Name string   `msgpack:"name"`
		User int64    `msgpack:"user"`
		Tags []string `msgpack:"tags,omitempty"`
	}
	t := dtype.MsgPack[Event]()
	stored, err := t.Append(nil, Event{Name: "login", User: 42})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%q\n", stored) // keys in the order of their bytes

	e, _ := t.Decode(stored)
	fmt.Printf("%+v\n", e)

	v, _ := dtype.MsgPack[any]().Decode(stored)
	fmt.Println(v)
	// Output:
	// "\x82\xa4name\xa5login\xa4user*"
	// {Name:login User:42 Tags:[]}
	// map[name:login user:42]
}

func ExampleStructured_WithCheck() {
	short := dtype.MsgPack[[]string]().WithCheck(func(value any) error {
		if n := len(value.([]any)); n > 2 {
			return fmt.Errorf("%d names, and 2 are the limit", n)
		}
		return nil
	})
	_, err := short.Append(nil, []string{"a", "b", "c"})
	fmt.Println(err)
	// Output:
	// dtype: bad value: 3 names, and 2 are the limit
}

func ExampleVector() {
	points := dtype.Vector[float32](3)
	fmt.Println(points, points.Size()) // a type byte and three numbers

	data, err := points.AppendFlat(nil, []float32{1, 2, 3, 4, 5, 6})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := make([][]float32, 2)
	err = points.DecodeAll(rows, data, nil)
	fmt.Println(rows, err)

	_, err = points.Append(nil, []float32{1, 2})
	fmt.Println(err)
	// Output:
	// vec:f32:3 13
	// [[1 2 3] [4 5 6]] <nil>
	// dtype: bad value: a row of 2 elements, but vec:f32:3 has 3
}

func ExampleTensors() {
	t := dtype.Tensors[int16]()
	stored, err := t.Append(nil, dtype.Tensor[int16]{Shape: []int{2, 3}, Data: []int16{1, 2, 3, 4, 5, 6}})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := t.Decode(stored)
	fmt.Println(v.Shape, v.Data, err)
	// Output:
	// [2 3] [1 2 3 4 5 6] <nil>
}

// Text of a fixed size is padded with zeros, and what is too long is refused.
func ExampleFixedText() {
	country := dtype.FixedText(2, dtype.ASCII)
	stored, err := country.Append(nil, "NZ")
	fmt.Printf("%s %q %v\n", country, stored, err)

	_, err = country.Append(nil, "NZL")
	fmt.Println(errors.Is(err, dtype.ErrValue), err)
	// Output:
	// str:2:ascii "NZ" <nil>
	// true dtype: bad value: "NZL" needs 3 bytes but str:2:ascii holds 2
}

// A Spec says what a dtype is made of, in its canonical spelling.
func ExampleParseSpec() {
	spec, err := dtype.ParseSpec("vector:float32:2:3")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(spec, spec.Kind, spec.Elem, spec.Dims, spec.ElemSize())

	_, err = dtype.ParseSpec("float")
	fmt.Println(errors.Is(err, dtype.ErrSyntax))
	// Output:
	// vec:f32:2:3 vec f32 [2 3] 25
	// true
}

// A dynamic codec takes Go values of any type that fits, as long as nothing is
// lost.
func ExampleSpec_Type() {
	t := dtype.Spec{Kind: dtype.KindUint8}.Type()
	for _, v := range []any{7, int64(7), true, 256, 7.0, "7"} {
		stored, err := t.Append(nil, v)
		fmt.Printf("%T: %d %t\n", v, stored, errors.Is(err, dtype.ErrValue))
	}
	// Output:
	// int: [7] false
	// int64: [7] false
	// bool: [1] false
	// int: [] true
	// float64: [] true
	// string: [] true
}

// The error of a batch says which element is wrong.
func ExampleElementError() {
	_, _, err := dtype.String.AppendAll(nil, nil, []string{"fine", "\xff"})
	var bad *dtype.ElementError
	if errors.As(err, &bad) {
		fmt.Println(bad.Index, bad.Err)
	}
	// Output:
	// 1 dtype: bad value: "\xff" is not valid UTF-8: use a bytes column for raw bytes
}
