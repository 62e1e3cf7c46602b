package viewer

import (
	"context"
	"fmt"
	"strings"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/values"
)

// overview is what there is in a vault, without a look at the elements.
type overview struct {
	Groups []*group `json:"groups"`
	// Keys are the addresses of the key-value tables.
	Keys []string `json:"keys"`
	// More is how many columns and tables are left out, because a page of all
	// would be of use to nobody, or because their names are too long to be asked
	// for.
	More int `json:"more,omitempty"`
}

// The limits of lists of columns and of tables. A file from anybody may have
// names of any length.
const (
	maxListed   = 20_000  // names
	listedBytes = 4 << 20 // bytes of all of them together
	longestType = 200     // characters of a type that nobody knows
)

// listing says which names are listed.
type listing struct{ names, bytes int }

// has tells whether one more name is listed.
func (l *listing) has(name string) bool {
	if l.names == maxListed || len(name) > maxName || len(address(name)) > maxName || l.bytes+len(name) > listedBytes {
		return false
	}
	l.names++
	l.bytes += len(name)
	return true
}

// group is the columns whose names have a prefix in common; the others are those
// of the group without a name. Its name is an address.
type group struct {
	Name    string         `json:"name"`
	Columns []listedColumn `json:"columns"`
}

type listedColumn struct {
	Name    string `json:"name"`  // its address
	Field   string `json:"field"` // the name without the prefix, as an address
	DType   string `json:"dtype"`
	Meaning string `json:"meaning,omitempty"`
	// Kind is number, time, bool, text, bytes, json or vector.
	Kind string `json:"kind"`
	Len  int    `json:"len"`
	// Bytes is what the elements take, -1 where that has to be measured.
	Bytes int64 `json:"bytes"`
	// Note says why the column cannot be read, if that is so.
	Note string `json:"note,omitempty"`
}

func (h *handler) overview(ctx context.Context, p *params) (any, error) {
	if p.err != nil {
		return nil, p.err
	}
	var infos []columnvault.ColumnInfo
	all := overview{Groups: []*group{}, Keys: []string{}}
	err := h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) (err error) {
		if infos, err = tx.Columns(ctx); err != nil {
			return err
		}
		names, err := tx.Tables(ctx)
		var listed listing
		for _, name := range names {
			if !listed.has(name) {
				all.More++
				continue
			}
			all.Keys = append(all.Keys, address(name))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	byName := map[string]*group{}
	var listed listing
	for _, info := range infos {
		if !listed.has(info.Name) {
			all.More++
			continue
		}
		prefix, field := split(info.Name)
		g := byName[prefix]
		if g == nil {
			g = &group{Name: addressOf(prefix)}
			byName[prefix] = g
			all.Groups = append(all.Groups, g)
		}
		g.Columns = append(g.Columns, list(info, field))
	}
	return all, nil
}

// list describes a column.
func list(info columnvault.ColumnInfo, field string) listedColumn {
	c := listedColumn{Name: address(info.Name), Field: address(field), DType: info.DType, Meaning: info.Meaning.String(), Len: info.Len, Bytes: -1}
	spec, err := dtype.ParseSpec(info.DType)
	switch {
	case info.Incomplete:
		c.Note = "half of a column, left by a crash of another program"
	case info.Hidden:
		c.Note = fmt.Sprintf("layout %d, behind the column of layout 0 with this name", info.Layout)
	case err != nil:
		c.DType, c.Note = excerpt.Shorten(info.DType, longestType), "of a type that this version does not know"
	default:
		c.DType, c.Kind = spec.String(), kindOf(spec, info.Meaning)
		if size := spec.ElemSize(); size > 0 {
			c.Bytes = int64(size) * int64(info.Len)
		}
	}
	return c
}

// kindOf is the kind of the elements of a column, for the page.
func kindOf(spec dtype.Spec, m dtype.Meaning) string {
	switch {
	case m.IsTime():
		return "time"
	case values.IsNumber(spec.Kind):
		return "number"
	}
	switch spec.Kind {
	case dtype.KindBool:
		return "bool"
	case dtype.KindText:
		return "text"
	case dtype.KindVector:
		return "vector"
	case dtype.KindBytes:
		return "bytes"
	}
	return "json"
}

// split returns what stands before the last dot of a name and what after it, as
// tables of SQL and of rows have it.
func split(name string) (prefix, field string) {
	if i := strings.LastIndexByte(name, '.'); i > 0 && i < len(name)-1 {
		return name[:i], name[i+1:]
	}
	return "", name
}

// opened is a column in a transaction.
type opened struct {
	*columnvault.Column[any]
	spec    dtype.Spec
	meaning dtype.Meaning
	n       int
}

func open(ctx context.Context, tx *columnvault.Tx, name string) (c opened, err error) {
	c.Column, err = tx.Column(ctx, name)
	if err != nil {
		return c, err
	}
	c.spec, err = dtype.ParseSpec(c.DType())
	if err != nil {
		return c, err
	}
	c.meaning = c.Meaning()
	c.n, err = c.Len(ctx)
	return c, err
}

// isNumber tells whether the elements can be plotted.
func (c opened) isNumber() bool { return values.IsNumber(c.spec.Kind) }

// unit is what a number of the column stands for on an axis: seconds for times
// and dates, and itself for others.
func (c opened) unit() float64 {
	switch {
	case c.meaning.Date:
		return 86400
	case c.meaning.Time == dtype.Millisecond:
		return 1e-3
	case c.meaning.Time == dtype.Microsecond:
		return 1e-6
	case c.meaning.Time == dtype.Nanosecond:
		return 1e-9
	}
	return 1
}
