package scan

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"columnvault"
	"columnvault/dtype"
)

// Metric says how near two vectors are.
type Metric int

const (
	// L2 is the Euclidean distance: the smaller, the nearer.
	L2 Metric = iota
	// Cosine is the cosine of the angle between them: the larger, the nearer. A
	// vector of zeros has none, and is skipped.
	Cosine
	// Dot is their scalar product: the larger, the nearer.
	Dot
)

// Neighbor is a row that [Nearest] has found.
type Neighbor struct {
	Position int
	// Score is the distance or the likeness, as the [Metric] has it.
	Score float64
}

// maxNearest is the most neighbors that can be asked for.
const maxNearest = 1 << 16

// Nearest returns the k rows of a column of fixed vectors that are nearest to
// query, the nearest first, and of equally near ones the first. Rows whose score
// is NaN are skipped, so there may be fewer. It compares with every row; k is at
// most 65,536.
//
// Vectors of f32 are compared in float32, others in float64. A query of another
// length than the rows is a [columnvault.ErrInvalidArgument], and so is a column
// whose rows vary in length.
func Nearest[E dtype.Element](ctx context.Context, c *columnvault.Column[[]E], query []E, k int, metric Metric) ([]Neighbor, error) {
	fail := func(format string, args ...any) error {
		err := fmt.Errorf("%w: "+format, append([]any{columnvault.ErrInvalidArgument}, args...)...)
		return &columnvault.Error{Op: "nearest", Column: c.Name(), Index: -1, Err: err}
	}
	spec, err := dtype.ParseSpec(c.DType())
	row := 1
	for _, dim := range spec.Dims {
		row *= dim
	}
	switch {
	case err != nil || len(spec.Dims) == 0:
		return nil, fail("the rows of %s do not all have the same length", c.DType())
	case len(query) != row:
		return nil, fail("a query of %d elements for rows of %d", len(query), row)
	case k < 0 || k > maxNearest:
		return nil, fail("%d neighbors, and not 0 to %d", k, maxNearest)
	case metric < L2 || metric > Dot:
		return nil, fail("an unknown metric %d", metric)
	}
	best := nearest{k: k, metric: metric}
	err = c.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		best.found = best.found[:0]
		n, err := c.In(tx).Len(ctx)
		if err != nil || k == 0 {
			return err
		}
		type own struct {
			nearest
			part *columnvault.Column[[]E]
			buf  []E
		}
		block := max(1, 4*blockLen/row)
		each := block * max(1, partLen/(block*row))
		begin := func(tx *columnvault.Tx) *own {
			return &own{nearest{k: k, metric: metric}, c.In(tx), make([]E, row*min(n, block))}
		}
		return inParts(ctx, tx, (n+each-1)/each, begin, func(ctx context.Context, r *own, p int) error {
			for at, end := p*each, min(n, (p+1)*each); at < end; {
				rows, err := columnvault.ReadFlat(ctx, r.part, r.buf[:row*min(block, end-at)], at)
				if err != nil || rows == 0 {
					return err
				}
				compare(&r.nearest, r.buf[:rows*row], query, at)
				at += rows
			}
			return nil
		}, func(r *own) { best.merge(r.found) })
	})
	for i := range best.found {
		best.found[i].Score *= best.sign()
	}
	return best.found, err
}

// nearest collects the nearest rows. Its scores are such that smaller ones are
// nearer.
type nearest struct {
	k      int
	metric Metric
	found  []Neighbor
}

func (n *nearest) sign() float64 {
	if n.metric == L2 {
		return 1
	}
	return -1
}

// compare takes rows, of which the first is at a position, into account.
func compare[E dtype.Element](n *nearest, rows, query []E, at int) {
	length := 0.0
	if n.metric == Cosine {
		length = math.Sqrt(dot(query, query))
	}
	for ; len(rows) > 0; at++ {
		row := rows[:len(query)]
		rows = rows[len(query):]
		var score float64
		switch n.metric {
		case L2:
			score = math.Sqrt(distance(row, query))
		case Cosine:
			product, squares := dotAndSquares(row, query)
			score = -product / (length * math.Sqrt(squares))
		case Dot:
			score = -dot(row, query)
		}
		n.add(at, score)
	}
}

// add takes one row into account.
func (n *nearest) add(at int, score float64) {
	row := Neighbor{at, score}
	if score != score || len(n.found) == n.k && nearer(n.found[n.k-1], row) < 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(n.found, row, nearer)
	if len(n.found) == n.k {
		n.found = n.found[:n.k-1]
	}
	n.found = slices.Insert(n.found, i, row)
}

// nearer compares rows by how near they are, and equally near ones by where.
func nearer(a, b Neighbor) int {
	return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Position, b.Position))
}

// merge takes rows into account that another has collected.
func (n *nearest) merge(found []Neighbor) {
	for _, row := range found {
		n.add(row.Position, row.Score)
	}
}

// dot returns the scalar product. Four sums do not wait for each other.
func dot[E dtype.Element](a, b []E) float64 {
	if a, ok := any(a).([]float32); ok {
		return float64(dotAs[float32](a, any(b).([]float32)))
	}
	return dotAs[float64](a, b)
}

func dotAs[F float32 | float64, E dtype.Element](a, b []E) F {
	var s0, s1, s2, s3 F
	for len(a) >= 4 && len(b) >= 4 {
		s0 += F(a[0]) * F(b[0])
		s1 += F(a[1]) * F(b[1])
		s2 += F(a[2]) * F(b[2])
		s3 += F(a[3]) * F(b[3])
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += F(a[i]) * F(b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// distance returns the square of the Euclidean distance.
func distance[E dtype.Element](a, b []E) float64 {
	if a, ok := any(a).([]float32); ok {
		return float64(distanceAs[float32](a, any(b).([]float32)))
	}
	return distanceAs[float64](a, b)
}

func distanceAs[F float32 | float64, E dtype.Element](a, b []E) F {
	var s0, s1, s2, s3 F
	for len(a) >= 4 && len(b) >= 4 {
		d0, d1, d2, d3 := F(a[0])-F(b[0]), F(a[1])-F(b[1]), F(a[2])-F(b[2]), F(a[3])-F(b[3])
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
		a, b = a[4:], b[4:]
	}
	for i := range a {
		d := F(a[i]) - F(b[i])
		s0 += d * d
	}
	return (s0 + s1) + (s2 + s3)
}

// dotAndSquares returns the scalar product, and that of a with itself.
func dotAndSquares[E dtype.Element](a, b []E) (product, squares float64) {
	if a, ok := any(a).([]float32); ok {
		p, s := dotAndSquaresAs[float32](a, any(b).([]float32))
		return float64(p), float64(s)
	}
	return dotAndSquaresAs[float64](a, b)
}

func dotAndSquaresAs[F float32 | float64, E dtype.Element](a, b []E) (product, squares F) {
	var p0, p1, p2, p3, s0, s1, s2, s3 F
	for len(a) >= 4 && len(b) >= 4 {
		a0, a1, a2, a3 := F(a[0]), F(a[1]), F(a[2]), F(a[3])
		p0 += a0 * F(b[0])
		p1 += a1 * F(b[1])
		p2 += a2 * F(b[2])
		p3 += a3 * F(b[3])
		s0 += a0 * a0
		s1 += a1 * a1
		s2 += a2 * a2
		s3 += a3 * a3
		a, b = a[4:], b[4:]
	}
	for i := range a {
		v := F(a[i])
		p0 += v * F(b[i])
		s0 += v * v
	}
	return (p0 + p1) + (p2 + p3), (s0 + s1) + (s2 + s3)
}
