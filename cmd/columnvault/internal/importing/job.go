// Package importing makes columns of the records of a file.
package importing

import (
	"context"
	"errors"
	"fmt"
	"io"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/exchange"
	"columnvault/cmd/columnvault/internal/files"
	"columnvault/cmd/columnvault/internal/hint"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/cmd/columnvault/internal/values"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
)

// batchSize is about how many bytes of a file are written at once.
const batchSize = 8 << 20

// Job is an import that has been planned.
type Job struct {
	file     *files.Input
	progress *term.Progress
	records  exchange.Reader
	fields   int              // of a record
	columns  []*values.Target // those of the fields, and then those that the file lacks
	rows     int
}

// Result is what has become of a column.
type Result struct {
	Column  *values.Target
	Len     int
	Added   int
	Summary columns.Summary
}

// Plan reads a file and decides on its columns. existing are the columns of the
// vault.
func Plan(ctx context.Context, file *files.Input, o *Options, existing []columnvault.ColumnInfo, progress *term.Progress) (*Job, error) {
	p := newPlan(o, existing)
	r, err := file.Rewind(ctx, progress)
	if err != nil {
		return nil, err
	}
	in, err := exchange.NewReader(r, o.Format, o.Into)
	if err != nil {
		return nil, file.Failed(err)
	}
	if err := p.checkNames(in.Names()); err != nil {
		return nil, err // before a long file is read
	}
	found, rows, err := exchange.Detect(in)
	if err != nil {
		return nil, file.Failed(err)
	}
	names := in.Names()
	if err := p.checkNames(names); err != nil {
		return nil, err
	}
	extra := p.extras(names)
	if err := p.checkFlags(names, extra); err != nil {
		return nil, err
	}
	targets, err := p.targets(in, found, extra, rows)
	if err != nil {
		return nil, file.Failed(err)
	}
	return &Job{file, progress, in, len(names), targets, rows}, nil
}

// CreateAll creates the columns without writing to them, to see whether they
// can stand beside each other.
func (j *Job) CreateAll(ctx context.Context, v *columnvault.Vault) error {
	err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		for _, to := range j.columns {
			if _, err := columnvault.Create(ctx, tx, to.Name, to.Spec.Type(), nil); err != nil {
				return err
			}
		}
		return nil
	})
	return j.explain(ctx, v, err)
}

// Run writes all records to the vault, in one transaction.
func (j *Job) Run(ctx context.Context, v *columnvault.Vault) (results []Result, err error) {
	err = v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		r, err := j.file.Rewind(ctx, j.progress)
		if err != nil {
			return err
		}
		if err := j.records.Rewind(r); err != nil {
			return j.file.Failed(err)
		}
		results, err = j.load(ctx, tx)
		return err
	})
	return results, j.explain(ctx, v, err)
}

// explain says of a column that could not be created what is at fault: the
// file, or a column of the vault that needs the same name.
func (j *Job) explain(ctx context.Context, v *columnvault.Vault, err error) error {
	var failed *columnvault.Error
	switch {
	case !errors.As(err, &failed) || failed.Op != "create":
		return err
	case !errors.Is(err, columnvault.ErrExists):
		return j.file.Failed(err)
	case j.createAlone(ctx, v, failed.Column):
		return j.file.Failed(hint.Add(err, "it is another column of the file that needs that name; rename one of them there"))
	}
	return hint.Add(err, "--prefix gives new columns another name")
}

// createAlone tells whether a column could be created without the others.
func (j *Job) createAlone(ctx context.Context, v *columnvault.Vault, name string) bool {
	undo := errors.New("it can")
	err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		for _, to := range j.columns {
			if to.Name != name {
				continue
			}
			if _, err := columnvault.Create(ctx, tx, name, to.Spec.Type(), nil); err != nil {
				return err
			}
		}
		return undo
	})
	return errors.Is(err, undo)
}

// load writes all records to the columns. It may be called again.
func (j *Job) load(ctx context.Context, tx *columnvault.Tx) ([]Result, error) {
	sinks := make([]values.Sink, len(j.columns))
	for i, to := range j.columns {
		var err error
		if sinks[i], err = values.NewSink(ctx, tx, to, j.rows); err != nil {
			return nil, err
		}
	}
	added := 0
	for more := true; more; {
		n, err := j.fill(sinks)
		if more = !errors.Is(err, io.EOF); more && err != nil {
			return nil, j.file.Failed(err)
		}
		added += n
		for _, s := range sinks {
			if err := s.Flush(ctx); err != nil {
				return nil, err
			}
		}
	}
	results := make([]Result, len(j.columns))
	for i, to := range j.columns {
		length, err := sinks[i].Len(ctx)
		if err != nil {
			return nil, err
		}
		results[i] = Result{to, length, added, sinks[i].Summary()}
	}
	return results, nil
}

// fill adds a batch of records to the sinks and returns their number. At the
// end of the file the error is io.EOF.
func (j *Job) fill(sinks []values.Sink) (added int, err error) {
	for size := 0; size < batchSize; added++ {
		fields, err := j.records.Next()
		if err != nil {
			return added, err
		}
		if len(fields) != j.fields {
			return added, errors.New("the file was changed while it was read")
		}
		for i, s := range sinks {
			f := exchange.Field{State: exchange.Absent} // of a column that the file lacks
			if i < len(fields) {
				f = fields[i]
			}
			if err := add(s, f, j.columns[i]); err != nil {
				return added, fmt.Errorf("line %d, column %s: %w", j.records.Line(), excerpt.Quote(j.columns[i].Name, excerpt.Name), err)
			}
			size += len(f.Text) + 16 // for what a value takes in memory beside its text
		}
	}
	return added, nil
}

// add adds a field to the sink of its column.
func add(s values.Sink, f exchange.Field, to *values.Target) error {
	if f.State == exchange.Present || f.State == exchange.QuotedAbsent && to.Spec.Kind == dtype.KindText {
		return s.Add(f.Text)
	}
	return s.AddAbsent()
}
