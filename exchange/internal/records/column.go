package records

import (
	"bytes"
	"errors"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/internal/values"
)

// column is what is known of a column.
type column struct {
	name  string
	at    int            // its place in the block
	field exchange.Field // of the last Begin
	given bool           // the dtype is one that was asked for
	// shape is that of the values so far; plain and quoted tell whether there
	// were missing ones, without and in quotes.
	shape         Shape
	quoted, plain bool
	rows          bool // there were any
	parser        *values.Parser
}

var errMisfit = errors.New("the type does not fit")

// cellError is the error of a cell.
type cellError struct {
	name string
	row  int
	err  error
}

func (e *cellError) Error() string { return e.err.Error() }

// found is the type for what is known, without a kind if there are no rows.
func (c *column) found(s *Source) exchange.Field {
	switch {
	case !c.rows:
		return exchange.Field{}
	case c.shape == 0 && c.quoted && !c.plain:
		return String
	}
	return s.format.TypeOf(c.shape)
}

// look notes what the cells of a block hold.
func (c *column) look(s *Source) {
	for row := range s.block.Rows {
		c.rows = true
		text, state := s.block.cell(row, c.at)
		if !c.note(s, text, state) {
			c.shape |= s.format.ShapeOf(s.format.Trim(text))
		}
	}
}

// note notes a cell that says that there is no value, if it is one.
func (c *column) note(s *Source, text []byte, state State) bool {
	if state != Absent && !s.nulls.has(s.format.Trim(text)) {
		return false
	}
	if state == Quoted {
		c.quoted = true
	} else {
		c.plain = true
	}
	return true
}

// slow notes a cell that the fast path for the dtype did not take. It returns
// errMisfit if the column needs another dtype.
func (c *column) slow(s *Source, text []byte, state State) (missing bool, err error) {
	c.rows = true
	missing = c.note(s, text, state)
	if c.given {
		return missing, nil
	}
	if !missing {
		c.shape |= s.format.ShapeOf(s.format.Trim(text))
	}
	if f := c.found(s); f.Type.Kind != c.field.Type.Kind || f.Meaning != c.field.Meaning {
		return missing, errMisfit
	}
	return missing, nil
}

// add adds the cells of a block to a column.
func (c *column) add(s *Source, to exchange.Column) error {
	if s.block.Rows > 0 {
		c.rows = true
	}
	switch v := to.(type) {
	case *exchange.Vector[int8]:
		return addNumbers(c, s, v)
	case *exchange.Vector[int16]:
		return addNumbers(c, s, v)
	case *exchange.Vector[int32]:
		return addNumbers(c, s, v)
	case *exchange.Vector[int64]:
		if c.field.Meaning.IsTime() {
			return addMoments(c, s, v)
		}
		return addInts(c, s, v)
	case *exchange.Vector[uint8]:
		return addNumbers(c, s, v)
	case *exchange.Vector[uint16]:
		return addNumbers(c, s, v)
	case *exchange.Vector[uint32]:
		return addNumbers(c, s, v)
	case *exchange.Vector[uint64]:
		return addNumbers(c, s, v)
	case *exchange.Vector[float32]:
		return addNumbers(c, s, v)
	case *exchange.Vector[float64]:
		return addFloats(c, s, v)
	case *exchange.Vector[string]:
		return c.addTexts(s, v)
	}
	return c.addAny(s, to)
}

// addInts is addNumbers with a fast path.
func addInts(c *column, s *Source, to *exchange.Vector[int64]) error {
	read, _ := values.NumbersOf[int64](c.field.Type.Kind)
	for row := range s.block.Rows {
		text, state := s.block.cell(row, c.at)
		if n, ok := values.ShortInt(text); ok && state != Absent {
			if c.given || canonical(text) && c.shape != 0 {
				if n > maxExact || n < -maxExact {
					c.shape |= shapeOfInt(n)
				} else {
					c.shape |= Integer
				}
				to.Add(n)
				continue
			}
		}
		if err := addSlowly(c, s, row, text, state, to, read); err != nil {
			return err
		}
	}
	return nil
}

const maxExact = 1 << 53

// addMoments adds times and dates.
func addMoments(c *column, s *Source, to *exchange.Vector[int64]) error {
	moment := values.NewMoment(c.field.Meaning)
	simple := c.field.Meaning.Zone == ""
	for row := range s.block.Rows {
		text, state := s.block.cell(row, c.at)
		inner := text
		if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' {
			inner = text[1 : n-1]
		}
		if t, ok := values.ParseISO(inner); ok && (c.given && simple || shapeOfTime(t)&^c.shape == 0 && !c.given) && t.Date == c.field.Meaning.Date {
			if n, ok := t.Stored(c.field.Meaning); ok {
				to.Add(n)
				continue
			}
		}
		if err := addSlowly(c, s, row, text, state, to, moment.ParseStored); err != nil {
			return err
		}
	}
	return nil
}

// canonical tells whether digits after an optional minus are those of an
// integer and not of an identifier.
func canonical(digits []byte) bool {
	if digits[0] == '-' {
		return digits[1] != '0'
	}
	return digits[0] != '0' || len(digits) == 1
}

// addFloats is addNumbers with a fast path.
func addFloats(c *column, s *Source, to *exchange.Vector[float64]) error {
	read, _ := values.NumbersOf[float64](c.field.Type.Kind)
	for row := range s.block.Rows {
		text, state := s.block.cell(row, c.at)
		f, ok := values.ShortFloat(text)
		if !ok && !c.given {
			f, ok = values.Fraction(text)
		}
		if ok && state != Absent {
			if c.given || c.shape != 0 && plainFloat(text) {
				c.shape |= Float
				to.Add(f)
				continue
			}
		}
		if err := addSlowly(c, s, row, text, state, to, read); err != nil {
			return err
		}
	}
	return nil
}

// plainFloat tells whether a number has no leading zeros.
func plainFloat(text []byte) bool {
	if text[0] == '-' {
		text = text[1:]
	}
	return text[0] != '0' || len(text) == 1 || text[1] == '.'
}

// addNumbers adds numbers of a dtype that was asked for.
func addNumbers[T dtype.Element](c *column, s *Source, to *exchange.Vector[T]) error {
	read, _ := values.NumbersOf[T](c.field.Type.Kind)
	for row := range s.block.Rows {
		text, state := s.block.cell(row, c.at)
		if err := addSlowly(c, s, row, text, state, to, read); err != nil {
			return err
		}
	}
	return nil
}

// isNaN tells of a cell of a float column that was asked for that it is NaN,
// which is how such a column writes that value. Where types are found, NaN
// stands for a missing value, as other programs write it.
func (c *column) isNaN(text []byte, state State) bool {
	if !c.given || state == Absent || !values.IsFloat(c.field.Type.Kind) || c.field.Meaning.Null {
		return false
	}
	f, ok := values.FloatWord(bytes.TrimSpace(text))
	return ok && f != f
}

func addSlowly[T any](c *column, s *Source, row int, text []byte, state State, to *exchange.Vector[T], read func([]byte) (T, error)) error {
	missing, err := c.slow(s, text, state)
	if err != nil {
		return err
	}
	if missing && !c.isNaN(text, state) {
		to.AddMissing()
		return nil
	}
	v, err := read(bytes.TrimSpace(text))
	if err != nil {
		return &cellError{c.name, row, err}
	}
	to.Add(v)
	return nil
}

// addTexts adds text. What stands in the file as it is shares one string.
func (c *column) addTexts(s *Source, to *exchange.Vector[string]) error {
	all := s.block.text()
	var check func(any) error
	if c.field.Type.String() != String.Type.String() {
		check = c.newParser().Check
	}
	for row := range s.block.Rows {
		cell := s.block.cells[row*s.block.width+c.at]
		text := s.block.Text[cell.start:cell.end]
		missing := false
		if c.given || c.shape&Text != 0 && s.format.IsText(text) {
			missing = cell.state != Quoted && c.note(s, text, cell.state)
		} else {
			var err error
			if missing, err = c.slow(s, text, cell.state); err != nil {
				return err
			}
			missing = missing && cell.state != Quoted
		}
		if missing {
			to.AddMissing()
			continue
		}
		v, inner, err := s.format.Text(text)
		if inner >= 0 {
			v = all[int(cell.start)+inner : int(cell.end)-inner]
		}
		if err == nil && check != nil {
			err = check(v)
		}
		if err != nil {
			return &cellError{c.name, row, err}
		}
		to.Add(v)
	}
	return nil
}

// addAny adds values of all other dtypes.
func (c *column) addAny(s *Source, to exchange.Column) error {
	p := c.newParser()
	for row := range s.block.Rows {
		text, state := s.block.cell(row, c.at)
		missing, err := c.slow(s, text, state)
		if err != nil {
			return err
		}
		if missing {
			to.AddMissing()
			continue
		}
		v, err := p.Parse(text)
		if err == nil {
			err = to.AddAny(p.Value(v))
		}
		if err != nil {
			return &cellError{c.name, row, err}
		}
	}
	return nil
}

// newParser returns the parser for the dtype of the column.
func (c *column) newParser() *values.Parser {
	if c.parser == nil || c.parser.Spec().String() != c.field.Type.String() {
		c.parser = values.NewParser(c.field.Type, dtype.Meaning{})
	}
	return c.parser
}
