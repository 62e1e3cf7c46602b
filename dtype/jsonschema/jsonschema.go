// Package jsonschema checks values of the dtypes msgpack and cbor by JSON
// Schemas. It is a package of its own because the library that it leans on
// makes programs larger and slower to start, also where no value is checked.
//
//	people, err := jsonschema.Compile(`{"required": ["name"]}`)
//	t := dtype.CBOR[map[string]any]().WithCheck(people.Check)
package jsonschema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"columnvault/dtype"
	"columnvault/internal/excerpt"
)

// Schema is a compiled JSON Schema. It is immutable and safe for concurrent
// use.
type Schema struct{ compiled *jsonschema.Schema }

// Compile compiles the text of a JSON Schema, of draft 2020-12 unless $schema
// names draft 4, 6, 7 or 2019-09. It must not refer to other schemas by URL. One
// that does not compile is a [dtype.ErrSyntax].
func Compile(text string) (*Schema, error) {
	const name = "schema:///schema.json" // what references inside the schema are resolved against
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%w: the schema is not JSON: %w", dtype.ErrSyntax, excerpt.Error(err))
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(name, doc); err != nil {
		return nil, fmt.Errorf("%w: %w", dtype.ErrSyntax, excerpt.Error(err))
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", dtype.ErrSyntax, excerpt.Error(err))
	}
	return &Schema{compiled}, nil
}

// noLoader refuses to load the schemas that another one refers to, because a
// dtype must not read files.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is outside the schema: put it under $defs", excerpt.Line(url, excerpt.Name))
}

// Check returns an [Error] for a value that violates the schema. It is what
// [dtype.Structured.WithCheck] wants.
func (s *Schema) Check(value any) error {
	err := s.compiled.Validate(value)
	if err == nil {
		return nil
	}
	invalid, ok := err.(*jsonschema.ValidationError)
	if !ok {
		return excerpt.Error(err)
	}
	list := violations(nil, invalid, message.NewPrinter(language.English))
	// The validator goes over objects in no particular order.
	slices.SortStableFunc(list, func(a, b Violation) int { return strings.Compare(a.Location, b.Location) })
	return &Error{list}
}

// An Error lists everything in a value that violates a schema.
type Error struct {
	Violations []Violation
}

// A Violation is one part of a value that a schema does not allow.
type Violation struct {
	// Location is a JSON Pointer into the value: "/tags/2", or "" for the value
	// itself.
	Location string
	// Message says what is wrong there: "minimum: got -1, want 0".
	Message string
}

// Error describes the first violations.
func (e *Error) Error() string {
	const most = 10
	var texts []string
	for i, v := range e.Violations {
		if i == most {
			texts = append(texts, fmt.Sprintf("and %d more", len(e.Violations)-most))
			break
		}
		where := cmp.Or(excerpt.Line(v.Location, excerpt.Name), "the value")
		texts = append(texts, where+": "+excerpt.Line(v.Message, excerpt.Name))
	}
	return "schema violated: " + strings.Join(texts, "; ")
}

// violations appends what e and the errors below it say. Keywords that only
// group others say nothing themselves.
func violations(list []Violation, e *jsonschema.ValidationError, p *message.Printer) []Violation {
	switch e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
	default:
		list = append(list, Violation{pointer(e.InstanceLocation), e.ErrorKind.LocalizedString(p)})
	}
	for _, cause := range e.Causes {
		list = violations(list, cause, p)
	}
	return list
}

// pointer writes a path as a JSON Pointer (RFC 6901).
func pointer(path []string) string {
	var b strings.Builder
	for _, step := range path {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	return b.String()
}
