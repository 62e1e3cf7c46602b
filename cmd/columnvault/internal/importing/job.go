package importing

import (
	"context"
	"errors"
	"fmt"
	"io"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/files"
	"columnvault/exchange"
	"columnvault/exchange/compressed"
	"columnvault/exchange/csv"
	"columnvault/exchange/jsonl"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
)

// Job is the import of a file. It is a source that names the file in its errors.
type Job struct {
	*Options
	file    *files.Input
	content *compressed.Reader
	source  exchange.Source
	fields  []exchange.Field
	tallies []columns.Tally
}

// NewJob returns the import of a file.
func NewJob(file *files.Input, o *Options) (*Job, error) {
	if !o.Format.IsText() {
		if name := file.Name(); compressed.Plain(name) != name {
			return nil, fmt.Errorf("%s: only CSV and JSON lines are read from compressed files", name)
		}
		return &Job{Options: o, file: file, source: o.fileReader(file)}, nil
	}
	content, err := file.Content()
	if err != nil {
		return nil, err
	}
	return &Job{Options: o, file: file, content: content, source: o.Reader(content)}, nil
}

// Close gives back what reading the file needs.
func (j *Job) Close() {
	if j.content != nil {
		j.content.Close()
	}
	if c, ok := j.source.(io.Closer); ok {
		c.Close() // it was only read
	}
}

// Begin goes to the first row.
func (j *Job) Begin(ctx context.Context, as map[string]exchange.Field) (fields []exchange.Field, err error) {
	fields, err = j.source.Begin(ctx, as)
	if err != nil {
		return nil, j.failed(err)
	}
	j.fields, j.tallies = fields, nil
	return fields, nil
}

// Next adds rows.
func (j *Job) Next(ctx context.Context, b *exchange.Batch) error {
	if err := j.source.Next(ctx, b); err != nil {
		return j.failed(err)
	}
	return nil
}

// tally looks at what was written.
func (j *Job) tally(b *exchange.Batch) {
	for i, c := range b.Columns {
		if i == len(j.tallies) {
			j.tallies = append(j.tallies, columns.NewTally(c))
		}
		j.tallies[i].Add(c)
	}
}

// Progress is how much has been read.
func (j *Job) Progress() (done, total int64) { return j.source.Progress() }

// Warnings says what was read otherwise than it stands in the file.
func (j *Job) Warnings() []string {
	if r, ok := j.source.(*csv.Reader); ok {
		return r.Warnings()
	}
	return nil
}

// Summaries are of the columns, if there were rows.
func (j *Job) Summaries() []columns.Summary {
	summaries := make([]columns.Summary, len(j.tallies))
	for i, t := range j.tallies {
		summaries[i] = t.Summary()
	}
	return summaries
}

// failed names the file in an error, with a hint in words of flags.
func (j *Job) failed(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, exchange.ErrRetype), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, csv.ErrEncoding):
		err = hint.Add(err, "--encoding latin1 reads it if it is Latin-1")
	case errors.Is(err, csv.ErrRagged):
		err = hint.Add(err, "--ragged fill and --ragged skip read such a file")
	case errors.Is(err, jsonl.ErrNotObject):
		err = hint.Add(err, "--into NAME takes lines of any kind, as one column")
	}
	return j.file.Failed(err)
}

// Run writes all rows to the vault, in one transaction.
func (j *Job) Run(ctx context.Context, v *columnvault.Vault) (*exchange.Result, error) {
	o := j.Import
	o.Written = j.tally
	result, err := exchange.Import(ctx, v, j, &o)
	if err == nil {
		return result, nil
	}
	return nil, j.explain(ctx, v, err)
}

// Detect reads all rows and writes nothing.
func (j *Job) Detect(ctx context.Context) (*exchange.Result, error) {
	return exchange.Detect(ctx, j, &exchange.DetectOptions{Types: j.Import.Types, Start: j.Import.Start, Stop: j.Import.Stop, Progress: j.Import.Progress, Seen: j.tally})
}

// explain says in words of flags what can be done about an error, and names the
// file if it is at fault.
func (j *Job) explain(ctx context.Context, v *columnvault.Vault, err error) error {
	var names *exchange.NamesError
	var gaps *exchange.GapsError
	var fill *exchange.FillError
	var untyped *exchange.UntypedError
	var failed *columnvault.Error
	switch {
	case errors.As(err, &names) && names.Append:
		return hint.Add(err, "create makes a column; without --append, import makes all of them")
	case errors.As(err, &names):
		return hint.Add(err, "--append adds to existing columns, --prefix gives new ones another name")
	case errors.As(err, &gaps):
		return j.file.Failed(hint.Add(err, "%s", j.solution(gaps.Gaps)))
	case errors.As(err, &fill):
		return j.file.Failed(fmt.Errorf("--na %s: %w", excerpt.Shorten(fill.Name+"="+fill.Text, excerpt.Name), fill.Err))
	case errors.As(err, &untyped):
		return j.file.Failed(hint.Add(err, "--types %s=DTYPE names it", excerpt.Shorten(untyped.Name, excerpt.Name)))
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
		for _, f := range j.fields {
			if j.Import.Prefix+f.Name != name {
				continue
			}
			if _, err := columnvault.Create(ctx, tx, name, f.Meaning.Type(f.Type), nil); err != nil {
				return err
			}
		}
		return undo
	})
	return errors.Is(err, undo)
}
