package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"columnvault"
)

// batchSize is about how many bytes of a file are written at once.
const batchSize = 8 << 20

// importJob is an import that has been planned.
type importJob struct {
	file    *input
	records records
	fields  int             // of a record
	columns []*importColumn // those of the fields, and then those that the file lacks
	rows    int
	results []importResult
}

// importResult is what has become of a column.
type importResult struct {
	column  *importColumn
	length  int
	added   int
	summary summary
}

// load writes all records to the columns. It may be called again.
func (j *importJob) load(ctx context.Context, tx *columnvault.Tx) error {
	sinks := make([]sink, len(j.columns))
	for i, c := range j.columns {
		var err error
		if sinks[i], err = newSink(ctx, tx, c, j.rows); err != nil {
			return err
		}
	}
	added := 0
	for more := true; more; {
		n, err := j.fill(sinks)
		if more = !errors.Is(err, io.EOF); more && err != nil {
			return j.file.failed(err)
		}
		added += n
		for _, s := range sinks {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
	j.results = make([]importResult, len(j.columns))
	for i, c := range j.columns {
		length, err := sinks[i].length(ctx)
		if err != nil {
			return err
		}
		j.results[i] = importResult{c, length, added, sinks[i].summary()}
	}
	return nil
}

// fill adds a batch of records to the sinks and returns their number. At the
// end of the file the error is io.EOF.
func (j *importJob) fill(sinks []sink) (added int, err error) {
	for size := 0; size < batchSize; added++ {
		fields, err := j.records.next()
		if err != nil {
			return added, err
		}
		if len(fields) != j.fields {
			return added, errors.New("the file was changed while it was read")
		}
		for i, s := range sinks {
			f := field{state: absent} // of a column that the file lacks
			if i < len(fields) {
				f = fields[i]
			}
			if err := s.add(f); err != nil {
				return added, fmt.Errorf("line %d, column %q: %w", j.records.line(), j.columns[i].name, err)
			}
			size += len(f.text) + 16 // for what a value takes in memory beside its text
		}
	}
	return added, nil
}

// printImport prints what an import has written.
func (a *app) printImport(results []importResult, appended bool) error {
	t := table{columns: []tableColumn{{header: "column"}, {header: "type"}, {header: "length", right: true}}}
	if appended {
		t.columns = append(t.columns, tableColumn{header: "added", right: true})
	}
	t.columns = append(t.columns, tableColumn{header: "min", right: true}, tableColumn{header: "max", right: true},
		tableColumn{header: "mean", right: true}, tableColumn{header: "trend", color: cyan})
	for _, r := range results {
		cells := []string{printable(r.column.name), r.column.spec.String(), strconv.Itoa(r.length)}
		if appended {
			cells = append(cells, strconv.Itoa(r.added))
		}
		s := r.summary
		cells = append(cells, showValue(r.column.spec, s.min), showValue(r.column.spec, s.max), showMean(s), showTrend(s))
		t.add(cells...)
	}
	return t.write(a.out, a.color())
}
