package dtype_test

import (
	"errors"
	"fmt"

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

// Values that vary in size are stored back to back, with the end of each beside them.
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

// Whole slices of numbers move without a loop: here two stored ones are read into a slice.
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

func ExampleStructured_WithSchema() {
	people, err := dtype.CBOR[map[string]any]().WithSchema(`{
		"properties": {
			"age":  {"type": "integer", "minimum": 0},
			"name": {"type": "string"}
		},
		"required": ["age", "name"]
	}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = people.Append(nil, map[string]any{"age": -1, "name": 7})
	var invalid *dtype.SchemaError
	if errors.As(err, &invalid) {
		for _, v := range invalid.Violations {
			fmt.Println(v.Location, v.Message)
		}
	}
	// Output:
	// /age minimum: got -1, want 0
	// /name got number, want string
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
