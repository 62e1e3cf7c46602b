package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
	"columnvault/internal/values"
	"columnvault/scan"
)

// timeColumn is a column of times or dates, as the numbers that are stored.
type timeColumn struct {
	name    string
	meaning dtype.Meaning
	moment  values.Moment
	numbers scan.Source[int64]
	length  int
}

// openTimes opens a column of times or dates.
func openTimes(ctx context.Context, tx *columnvault.Tx, name string) (*timeColumn, error) {
	col, err := columns.Open(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	m := col.Meaning()
	if !m.IsTime() {
		err := fmt.Errorf("%s is a column of %s, not of times or dates", excerpt.Quote(name, excerpt.Name), showType(col.DType(), m))
		return nil, hint.Add(err, "retype gives a column of i64 that meaning: columnvault retype DB NAME time=us")
	}
	n, err := col.Len(ctx)
	t := &timeColumn{name: name, meaning: m, moment: values.NewMoment(m), length: n}
	if m.Null {
		t.numbers = scan.OfNull(columnvault.As(col, dtype.Nullable(dtype.Int64)))
	} else {
		t.numbers = scan.Of(columnvault.As(col, dtype.Int64))
	}
	return t, err
}

// findTimes opens the one column of times or dates beside a column: of those
// with the same prefix up to a point.
func findTimes(ctx context.Context, tx *columnvault.Tx, beside string) (*timeColumn, error) {
	infos, err := tx.Columns(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, info := range infos {
		if info.Meaning.IsTime() && prefixOf(info.Name) == prefixOf(beside) && info.Name != beside {
			found = append(found, info.Name)
		}
	}
	if len(found) != 1 {
		return nil, usagef("columns of times beside %s: %d; --by NAME says which to use", excerpt.Quote(beside, excerpt.Name), len(found))
	}
	return openTimes(ctx, tx, found[0])
}

// prefixOf is what the names of the columns of a table begin with, "" for
// columns of no table.
func prefixOf(name string) string { return name[:strings.LastIndex(name, ".")+1] }

// at returns the number that is stored at a position.
func (t *timeColumn) at(ctx context.Context, i int) (int64, error) {
	n, _, err := scan.MinMax(ctx, t.numbers.Slice(i, i+1))
	return n, err
}

// search returns the position of the first time that is not before a number.
func (t *timeColumn) search(ctx context.Context, n int64) (int, error) {
	return scan.SearchSorted(ctx, t.numbers, n, scan.Left)
}

// time returns the time that is stored as a number.
func (t *timeColumn) time(n int64) (time.Time, error) { return t.moment.Time(n) }

// stored returns the number that is stored for a time, of which what is finer
// than the unit is cut off.
func (t *timeColumn) stored(v time.Time) (int64, error) {
	m := t.meaning
	m.Null = false
	b, err := m.Type(dtype.Int64.Spec()).Append(nil, v)
	if err != nil {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint64(b)), nil
}

// show shows the time of a number, as it is printed elsewhere.
func (t *timeColumn) show(n int64) string {
	v, err := t.time(n)
	if err != nil {
		return strconv.FormatInt(n, 10)
	}
	return showValue(dtype.Int64.Spec(), t.meaning, v)
}

// age is a number with a unit.
var age = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(s|m|h|d|w)$`)

var ageUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

// parseAge reads a length of time such as 90m or 30d; a day has 24 hours.
func parseAge(text string) (time.Duration, error) {
	parts := age.FindStringSubmatch(text)
	if parts == nil {
		return 0, usagef("%s is not a length of time: want a number and s, m, h, d or w, such as 30d", excerpt.Quote(text, excerpt.Value))
	}
	n, err := strconv.ParseFloat(parts[1], 64)
	length := n * float64(ageUnits[parts[2]])
	if err != nil || length > float64(1<<62) {
		return 0, usagef("%s is too long", excerpt.Quote(text, excerpt.Value))
	}
	return time.Duration(length), nil
}

// cutoff returns the number that is stored for the moment that an age before
// now, or a time or date, stands for.
func (t *timeColumn) cutoff(text string, now time.Time) (int64, error) {
	if length, err := parseAge(text); err == nil {
		return t.stored(now.Add(-length))
	}
	m := t.meaning
	m.Null = false
	v, err := values.NewParser(dtype.Int64.Spec(), m).Parse([]byte(text))
	if err != nil {
		return 0, usagef("%s is neither an age such as 30d nor a time or date: %v", excerpt.Quote(text, excerpt.Value), err)
	}
	return t.stored(v.(time.Time))
}

// checkSorted looks whether the times from a position up to another ascend, so
// that they can be searched.
func (t *timeColumn) checkSorted(ctx context.Context, from, to int) error {
	return scan.CheckSorted(ctx, t.numbers.Slice(from, to))
}
