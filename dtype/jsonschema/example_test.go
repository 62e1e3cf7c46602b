package jsonschema_test

import (
	"errors"
	"fmt"

	"columnvault/dtype"
	"columnvault/dtype/jsonschema"
)

func Example() {
	schema, err := jsonschema.Compile(`{
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
	people := dtype.CBOR[map[string]any]().WithCheck(schema.Check)
	_, err = people.Append(nil, map[string]any{"age": -1, "name": 7})
	var invalid *jsonschema.Error
	if errors.As(err, &invalid) {
		for _, v := range invalid.Violations {
			fmt.Println(v.Location, v.Message)
		}
	}
	// Output:
	// /age minimum: got -1, want 0
	// /name got number, want string
}
