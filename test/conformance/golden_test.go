package conformance_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestFilesOfKohakuVaultAreReadWhole reads every column of every file that
// KohakuVault 0.8.6 and 1.1.0 wrote, element by element, in a vault opened for
// reading and in one for writing.
func TestFilesOfKohakuVaultAreReadWhole(t *testing.T) {
	for layout, folder := range []string{"v0", "v1"} {
		for name, file := range vaulttest.ReadGolden(t, folder) {
			for _, readOnly := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/readonly=%v", folder, name, readOnly), func(t *testing.T) {
					v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, folder, name), &columnvault.Options{ReadOnly: readOnly})
					wantGolden(t, v, file, layout)
				})
			}
		}
	}
}

// wantGolden compares the columns of a vault with what they should be.
func wantGolden(t *testing.T, v *columnvault.Vault, file vaulttest.Golden, layout int) {
	t.Helper()
	infos, err := v.Columns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(infos) != len(file.Columns) {
		t.Errorf("%d columns are listed, want %d: %+v", len(infos), len(file.Columns), infos)
	}
	for _, info := range infos {
		want, ok := file.Columns[info.Name]
		if !ok || cmp.Or(info.Stored, info.DType) != want.DType || info.Len != want.Length || info.VarSize != (want.Kind == "VarSizeColumn") || info.Layout != layout {
			t.Errorf("listed: %+v, want %+v", info, want)
		}
		wantElements(t, info.Name, readDynamic(t, v, info.Name), want)
	}
}

// wantElements compares the elements of a column with what they should be.
func wantElements(t *testing.T, name string, got []any, want vaulttest.GoldenColumn) {
	t.Helper()
	if len(got) != want.Length {
		t.Fatalf("%s: %d elements, want %d", name, len(got), want.Length)
	}
	for i, w := range want.Values {
		compareGolden(t, name, i, got[i], w)
	}
	for _, pair := range want.Sample {
		i, err := pair[0].(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		compareGolden(t, name, int(i), got[i], pair[1])
	}
}

func readDynamic(t *testing.T, v *columnvault.Vault, name string) []any {
	t.Helper()
	ctx := context.Background()
	c, err := v.Column(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	values, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := dtype.ParseSpec(c.DType())
	if err != nil {
		t.Fatal(err)
	}
	for i, value := range values {
		one, err := c.At(ctx, i-len(values))
		if err != nil {
			t.Fatal(err)
		}
		values[i] = comparable(value, spec.Dims)
		if one := comparable(one, spec.Dims); !reflect.DeepEqual(one, values[i]) {
			t.Errorf("%s: At gives %v and Slice %v", name, one, values[i])
		}
	}
	return values
}

func compareGolden(t *testing.T, column string, i int, got, want any) {
	t.Helper()
	if want := fromGolden(t, want); !reflect.DeepEqual(got, want) {
		t.Errorf("%s[%d]: got %#v, want %#v", column, i, got, want)
	}
}

// float is a float64 by its bits, so that NaN equals itself and the zeros do
// not equal each other; array is a vector or tensor by its stored bytes.
type (
	float uint64
	array struct {
		elem  string
		shape string
		data  string
	}
)

// comparable turns a value that a column gave into one that DeepEqual can
// compare.
func comparable(value any, dims []int) any {
	switch value := value.(type) {
	case float64:
		return float(math.Float64bits(value))
	case float32:
		return float(math.Float64bits(float64(value)))
	case []any:
		list := make([]any, len(value))
		for i, v := range value {
			list[i] = comparable(v, nil)
		}
		return list
	case map[string]any:
		m := map[string]any{}
		for k, v := range value {
			m[k] = comparable(v, nil)
		}
		return m
	case []byte:
		if len(dims) == 0 { // else it is a vector of u8
			return value
		}
	case uint64:
		if value <= math.MaxInt64 {
			return int64(value)
		}
		return value
	case string, bool, nil, int64:
		return value
	}
	r := reflect.ValueOf(value)
	if r.CanInt() {
		return r.Int()
	}
	if r.CanUint() {
		return int64(r.Uint())
	}
	if r.Kind() == reflect.Struct { // a dtype.Tensor
		dims = r.FieldByName("Shape").Interface().([]int)
		r = r.FieldByName("Data")
	}
	if len(dims) == 0 {
		dims = []int{1} // KohakuVault reads a stored scalar as a vector of one
	}
	var data bytes.Buffer
	if err := binary.Write(&data, binary.LittleEndian, r.Interface()); err != nil {
		panic(err)
	}
	return array{elem: r.Type().Elem().String(), shape: fmt.Sprint(dims), data: data.String()}
}

// widened is numbers of f16 as those of f32.
func widened(t *testing.T, halves []byte) (wide []byte) {
	t.Helper()
	numbers := make([]float32, len(halves)/2)
	if err := dtype.Float16.DecodeAll(numbers, halves, nil); err != nil {
		t.Fatal(err)
	}
	wide, _, err := dtype.Float32.AppendAll(nil, nil, numbers)
	if err != nil {
		t.Fatal(err)
	}
	return wide
}

// fromGolden turns a value as expected.json writes it into one to compare with.
func fromGolden(t *testing.T, value any) any {
	t.Helper()
	switch value := value.(type) {
	case json.Number:
		i, err := value.Int64()
		if err != nil {
			t.Fatal(err)
		}
		return i
	case []any:
		list := make([]any, len(value))
		for i, v := range value {
			list[i] = fromGolden(t, v)
		}
		return list
	case map[string]any:
		return fromTagged(t, value)
	}
	return value
}

func fromTagged(t *testing.T, tagged map[string]any) any {
	t.Helper()
	text := func(key string) string { s, _ := tagged[key].(string); return s }
	unhex := func(s string) []byte {
		p, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if pairs, ok := tagged["$map"].([]any); ok {
		m := map[string]any{}
		for _, pair := range pairs {
			pair := pair.([]any)
			m[pair[0].(string)] = fromGolden(t, pair[1])
		}
		return m
	}
	switch {
	case tagged["$f64"] != nil:
		return float(binary.LittleEndian.Uint64(unhex(text("$f64"))))
	case tagged["$hex"] != nil:
		return unhex(text("$hex"))
	case tagged["$vec"] != nil:
		elem, data := text("$vec"), unhex(text("hex"))
		switch elem { // read as what layout 0 has
		case "bool":
			elem = "uint8"
		case "float16":
			elem, data = "float32", widened(t, data)
		}
		return array{elem: elem, shape: fmt.Sprint(tagged["shape"]), data: string(data)}
	case tagged["$int"] != nil:
		if i, err := strconv.ParseInt(text("$int"), 10, 64); err == nil {
			return i
		}
		u, err := strconv.ParseUint(text("$int"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	t.Fatalf("unknown tag: %v", tagged)
	return nil
}
