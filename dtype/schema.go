package dtype

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"columnvault/internal/excerpt"
	"columnvault/internal/structured"
)

// A SchemaError lists everything in a value that violates the schema of its
// dtype; see [Structured.WithSchema]. It is an [ErrSchema] and an [ErrValue].
type SchemaError struct {
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
func (e *SchemaError) Error() string {
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
	return ErrSchema.Error() + ": " + strings.Join(texts, "; ")
}

// Unwrap returns [ErrSchema].
func (e *SchemaError) Unwrap() error { return ErrSchema }

// schema validates stored values. So it checks what a reader will see, whatever
// Go type it came from.
type schema struct {
	compiled *jsonschema.Schema
	codec    structured.Codec[any]
}

// noLoader refuses to load the schemas that another one refers to, because a
// dtype must not read files.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is outside the schema: put it under $defs", excerpt.Line(url, excerpt.Name))
}

func compileSchema(text string, f structured.Format) (*schema, error) {
	const name = "schema:///schema.json" // what references inside the schema are resolved against
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%w: the schema is not JSON: %w", ErrSyntax, excerpt.Error(err))
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(name, doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, excerpt.Error(err))
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, excerpt.Error(err))
	}
	codec, err := structured.New[any](f)
	return &schema{compiled, codec}, err
}

// validate checks the value that is stored in b.
func (s *schema) validate(b []byte) error {
	var v any
	if err := s.codec.Decode(b, &v); err != nil {
		return fmt.Errorf("%w: %w", ErrValue, err)
	}
	err := s.compiled.Validate(v)
	if err == nil {
		return nil
	}
	invalid, ok := err.(*jsonschema.ValidationError)
	if !ok {
		return fmt.Errorf("%w: %w", ErrSchema, excerpt.Error(err))
	}
	list := violations(nil, invalid, message.NewPrinter(language.English))
	// The validator goes over objects in no particular order.
	slices.SortStableFunc(list, func(a, b Violation) int { return strings.Compare(a.Location, b.Location) })
	return &SchemaError{list}
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
