package interop

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// python is a running agent.py.
type python struct {
	in  *json.Encoder
	out *bufio.Reader
}

type request struct {
	Op     string `json:"op"`
	Path   string `json:"path"`
	Name   string `json:"name"`
	DType  string `json:"dtype"`
	Values []any  `json:"values,omitempty"`
	I      int    `json:"i"`
	J      int    `json:"j"`
	Min    int    `json:"min,omitempty"`
	Max    int    `json:"max,omitempty"`
}

// pythonPath returns the path of a Python that has KohakuVault. Without one the
// test is skipped.
func pythonPath(t *testing.T) string {
	t.Helper()
	path := os.Getenv("COLUMNVAULT_PYTHON")
	if path == "" {
		t.Skip("COLUMNVAULT_PYTHON does not name a Python that has kohakuvault 0.8.6; see doc.go")
	}
	return path
}

func startPython(t *testing.T) *python {
	t.Helper()
	cmd := exec.Command(pythonPath(t), "agent.py")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("agent.py: %v", err)
		}
	})
	return &python{in: json.NewEncoder(in), out: bufio.NewReader(out)}
}

func (p *python) do(r request) ([]any, error) {
	if err := p.in.Encode(r); err != nil {
		return nil, err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var answer struct {
		Values []any
		Error  string
	}
	d := json.NewDecoder(strings.NewReader(string(line)))
	d.UseNumber()
	if err := d.Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("kohakuvault: %s", answer.Error)
	}
	return answer.Values, nil
}

// kind is a kind of column and how its elements travel.
type kind struct {
	dtype    string
	min, max int
	value    *rapid.Generator[any]
	varsize  bool
}

// kinds are small enough in their chunks that a few elements cross the edges.
var kinds = []kind{
	{"i64", 16, 512, number, false},
	{"i64", 104, 1000, number, false},
	{"f64", 16, 512, float, false},
	{"bytes:10", 16, 1024, bytesOf(10, 10), false},
	{"str:6:utf8", 16, 256, text(6), false},
	{"bytes", 16, 504, bytesOf(0, 40), true},
	{"bytes", 16, 4092, bytesOf(0, 300), true},
	{"str:utf8", 12, 252, text(60), true},
	{"msgpack", 24, 504, record, true},
	{"cbor", 24, 504, record, true},
	{"vec:f32", 24, 504, vector, true},
	{"vec:i16:3", 24, 504, triple, false},
}

var (
	number = rapid.Map(rapid.Int64(), func(i int64) any { return i })
	float  = rapid.Map(rapid.Float64Range(-1e15, 1e15), func(f float64) any { return f })
	record = rapid.Map(rapid.SliceOfN(rapid.Int64Range(-1e6, 1e6), 0, 12), func(list []int64) any {
		return map[string]any{"n": len(list), "list": anys(list), "text": strings.Repeat("é", len(list))}
	})
	vector = rapid.Map(rapid.SliceOfN(rapid.Float32Range(-100, 100), 0, 12), func(list []float32) any { return doubles(list) })
	triple = rapid.Map(rapid.SliceOfN(rapid.Int16(), 3, 3), func(list []int16) any { return anys(list) })
)

func anys[T any](list []T) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = v
	}
	return all
}

// doubles are numbers as Python prints them: all its floats are doubles.
func doubles(list []float32) []any {
	all := make([]any, len(list))
	for i, f := range list {
		all[i] = float64(f)
	}
	return all
}

func text(most int) *rapid.Generator[any] {
	return rapid.Map(rapid.StringOfN(rapid.RuneFrom([]rune("abc déß日😀")), 0, -1, most), func(s string) any { return s })
}

// bytesOf makes hexadecimal text, which is how bytes travel.
func bytesOf(least, most int) *rapid.Generator[any] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), least, most), func(p []byte) any { return hex.EncodeToString(p) })
}

// canonical is the text by which two values are compared. Numbers are compared
// by value: JSON writes 1.0 as 1 here and as 1.0 there.
func canonical(t rapid.TB, value any) string {
	p, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	d := json.NewDecoder(bytes.NewReader(p))
	d.UseNumber()
	if err := d.Decode(&plain); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(canonicalNumbers(plain))
}

func canonicalNumbers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if i, err := value.Int64(); err == nil {
			return i
		}
		f, _ := value.Float64()
		if i := int64(f); float64(i) == f {
			return i
		}
		return f
	case []any:
		for i, v := range value {
			value[i] = canonicalNumbers(v)
		}
	case map[string]any:
		for k, v := range value {
			value[k] = canonicalNumbers(v)
		}
	}
	return value
}

// TestTurns lets this project and KohakuVault work on one column in turn, and
// after every step both must read what a slice holds.
func TestTurns(t *testing.T) {
	p := startPython(t)
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		k := rapid.SampledFrom(kinds).Draw(rt, "kind")
		m := &turns{p: p, t: t, path: filepath.Join(dir, fmt.Sprint(round, ".db")), kind: k}
		m.create(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"append": m.append,
			"set":    m.set,
			"insert": m.insert,
			"delete": m.delete,
			"clear":  m.clear,
			"":       m.check,
		})
	})
}

type turns struct {
	p    *python
	t    *testing.T
	path string
	kind kind
	// values is what the column should hold.
	values []any
	// stuck says that 0.8.6 has left chunks behind the end of the column, after
	// which it cannot append until somebody has cleaned up.
	stuck bool
}

const name = "a column"

func (m *turns) python(rt *rapid.T, r request) {
	rt.Helper()
	r.Path, r.Name, r.DType = m.path, name, m.kind.dtype
	if _, err := m.p.do(r); err != nil {
		rt.Fatalf("%s: %v", r.Op, err)
	}
}

// ours runs fn on the column, opened anew.
func (m *turns) ours(rt *rapid.T, fn func(c *columnvault.Column[any]) error) {
	rt.Helper()
	v, err := columnvault.Open(rt.Context(), m.path, nil)
	if err != nil {
		rt.Fatal(err)
	}
	defer v.Close()
	c, err := v.Column(m.t.Context(), name)
	if err != nil {
		rt.Fatal(err)
	}
	if err := fn(c); err != nil {
		rt.Fatal(err)
	}
}

func (m *turns) create(rt *rapid.T) {
	if rapid.Bool().Draw(rt, "created by KohakuVault") {
		m.python(rt, request{Op: "create", Min: m.kind.min, Max: m.kind.max})
		return
	}
	v, err := columnvault.Open(rt.Context(), m.path, nil)
	if err != nil {
		rt.Fatal(err)
	}
	defer v.Close()
	typ, err := dtype.Parse(m.kind.dtype)
	if err != nil {
		rt.Fatal(err)
	}
	if _, err := columnvault.Create(m.t.Context(), v, name, typ, &columnvault.ColumnOptions{MinChunk: m.kind.min, MaxChunk: m.kind.max}); err != nil {
		rt.Fatal(err)
	}
}

// turn tells whose turn it is.
func (m *turns) turn(rt *rapid.T) bool { return rapid.Bool().Draw(rt, "KohakuVault's turn") }

// native turns values as they travel into those that a Column[any] takes.
func (m *turns) native(values []any) []any {
	if !strings.HasPrefix(m.kind.dtype, "bytes") {
		return values
	}
	all := make([]any, len(values))
	for i, v := range values {
		all[i], _ = hex.DecodeString(v.(string))
	}
	return all
}

func (m *turns) append(rt *rapid.T) {
	values := rapid.SliceOfN(m.kind.value, 0, 80).Draw(rt, "values")
	if m.turn(rt) && !m.stuck {
		m.python(rt, request{Op: rapid.SampledFrom([]string{"append", "extend"}).Draw(rt, "op"), Values: values})
	} else {
		m.ours(rt, func(c *columnvault.Column[any]) error { return c.Append(m.t.Context(), m.native(values)...) })
		m.stuck = m.stuck && len(values) == 0
	}
	m.values = append(m.values, values...)
}

func (m *turns) set(rt *rapid.T) {
	if len(m.values) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.values)-1).Draw(rt, "i")
	value := m.kind.value.Draw(rt, "value")
	if m.turn(rt) && !m.oversized(rt) {
		m.python(rt, request{Op: "set", I: i, Values: []any{value}})
	} else {
		m.ours(rt, func(c *columnvault.Column[any]) error { return c.Set(m.t.Context(), i, m.native([]any{value})[0]) })
	}
	m.values[i] = value
}

// oversized tells whether a chunk has grown so far that an update by 0.8.6 may
// destroy it.
func (m *turns) oversized(rt *rapid.T) (found bool) {
	m.ours(rt, func(c *columnvault.Column[any]) error { return nil })
	for _, p := range m.problems(rt) {
		found = found || strings.Contains(p.Text, "above the maximum")
	}
	return found
}

func (m *turns) problems(rt *rapid.T) (all []columnvault.Finding) {
	v, err := columnvault.Open(rt.Context(), m.path, &columnvault.Options{ReadOnly: true})
	if err != nil {
		rt.Fatal(err)
	}
	defer v.Close()
	return vaulttest.Found(m.t, v, columnvault.CheckOptions{Full: true})
}

func (m *turns) insert(rt *rapid.T) {
	i := rapid.IntRange(0, len(m.values)).Draw(rt, "i")
	value := m.kind.value.Draw(rt, "value")
	if m.turn(rt) && !m.kind.varsize && !m.stuck {
		m.python(rt, request{Op: "insert", I: i, Values: []any{value}})
	} else {
		m.ours(rt, func(c *columnvault.Column[any]) error { return c.Insert(m.t.Context(), i, m.native([]any{value})...) })
		m.stuck = false
	}
	m.values = slices.Insert(m.values, i, value)
}

func (m *turns) delete(rt *rapid.T) {
	if len(m.values) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.values)-1).Draw(rt, "i")
	j := min(len(m.values), i+rapid.IntRange(1, 60).Draw(rt, "n"))
	if m.turn(rt) {
		for range j - i {
			m.python(rt, request{Op: "delete", I: i})
		}
		m.stuck = true
	} else {
		m.ours(rt, func(c *columnvault.Column[any]) error { return c.Delete(m.t.Context(), i, j) })
		m.stuck = false
	}
	m.values = slices.Delete(m.values, i, j)
}

func (m *turns) clear(rt *rapid.T) {
	if m.turn(rt) {
		m.python(rt, request{Op: "clear"})
		m.stuck = true
	} else {
		m.ours(rt, func(c *columnvault.Column[any]) error { return c.Clear(m.t.Context()) })
		m.stuck = false
	}
	m.values = nil
}

// check lets both read the column. No damage may be found, whichever wrote
// last.
func (m *turns) check(rt *rapid.T) {
	theirs, err := m.p.do(request{Op: "read", Path: m.path, Name: name, DType: m.kind.dtype})
	if err != nil {
		rt.Fatal(err)
	}
	m.compare(rt, "kohakuvault", theirs)
	m.ours(rt, func(c *columnvault.Column[any]) error {
		values, err := c.Slice(m.t.Context(), columnvault.Begin, columnvault.End)
		if err != nil {
			return err
		}
		for i, v := range values {
			switch v := v.(type) {
			case []byte:
				values[i] = hex.EncodeToString(v)
			case dtype.Tensor[float32]:
				values[i] = doubles(v.Data)
			}
		}
		m.compare(rt, "columnvault", values)
		return nil
	})
	for _, p := range m.problems(rt) {
		if p.Severity == columnvault.SeverityDamage {
			rt.Errorf("%s: %s", p.Column, p.Text)
		}
	}
}

func (m *turns) compare(rt *rapid.T, who string, got []any) {
	rt.Helper()
	if len(got) != len(m.values) {
		rt.Fatalf("%s reads %d elements, want %d", who, len(got), len(m.values))
	}
	for i, want := range m.values {
		if g, w := canonical(rt, got[i]), canonical(rt, want); g != w {
			rt.Fatalf("%s reads %s at %d, want %s", who, g, i, w)
		}
	}
}
