package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"columnvault"
	"columnvault/exchange"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
	"columnvault/internal/publish"
)

// Errors, to be asked for with [errors.Is]. Those of the vault, of exchange and
// of the file system come as they are. An error about which something can be
// done has a method Hint() string that says what.
var (
	// ErrNotFed is about a directory that holds something else.
	ErrNotFed = errors.New("not a table of this feed")
	// ErrEdited says that rows have changed that the table has already: in the
	// vault, or in the table itself by another program.
	ErrEdited = errors.New("rows of the table have been edited")
	// ErrColumns says that the table has other columns.
	ErrColumns = errors.New("the table has other columns")
	// ErrConcurrent says that another run has made a commit meanwhile. The table has
	// nothing of this one.
	ErrConcurrent = errors.New("another run has written to the table")
)

// Options configure a run. The zero value compares all rows, and refuses edited
// ones.
type Options struct {
	// Overwrite replaces all rows of the table by those of the vault, in one commit,
	// if rows have changed that the table has already. Without it that is
	// [ErrEdited].
	Overwrite bool
	// Recent compares only the last rows of the table, 65,536 at most, and not all.
	// So a run costs what is new, and edits of older rows go unnoticed.
	Recent bool
	// Floor cuts times of columns in nanoseconds off to microseconds, which is what
	// the table has. Without it, one that is no whole number of microseconds is an
	// error.
	Floor bool
	// Prefix is what names of columns lose in the table, as "trips." of the columns
	// of a [columnvault.Table].
	Prefix string
	// FileBytes is how large a data file becomes, about; 0 means 256 MiB. It may be
	// larger by one batch of rows, which is some MiB.
	FileBytes int64
	// Progress is called after each batch, with numbers of rows: read, and to read.
	Progress func(done, total int64)
}

// Result is what a run has done.
type Result struct {
	// Rows is how many rows the table has now, and Added how many of them are new.
	Rows, Added int
	// Files is the number of data files that were written, and Bytes their size.
	Files int
	Bytes int64
	// Snapshot is the ID of the current snapshot, 0 if there is none.
	Snapshot int64
	// Overwritten says that all rows were replaced.
	Overwritten bool
}

// Names of the table's properties. A snapshot has the first too.
const (
	rowsKey    = "columnvault.rows"
	columnsKey = "columnvault.columns"
	digestsKey = "columnvault.digests"
)

// columnNote is a column in the properties.
type columnNote struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Meaning string `json:"meaning,omitempty"`
}

// digestNote is what a table knows of the rows of a column: the digest of all,
// and that of those before the block in which the last one lies.
type digestNote struct {
	Start sum `json:"start"`
	All   sum `json:"all"`
}

// Iceberg brings a table up to date with columns of one length, as they are at
// one moment, or makes it. Without names it takes all columns, each of which must
// be readable. dir is the directory of the table.
//
// The commit is all or nothing, also if the process or the machine dies. Of two
// runs at a time one gets [ErrConcurrent].
func Iceberg(ctx context.Context, v *columnvault.Vault, names []string, dir string, o *Options) (*Result, error) {
	if o == nil {
		o = &Options{}
	}
	d, err := openDirectory(dir)
	if err != nil {
		return nil, err
	}
	r := &run{dir: d, o: *o}
	if d.version > 0 {
		if r.table, err = d.load(ctx); err != nil {
			return nil, err
		}
		if err := r.readNotes(); err != nil {
			return nil, err
		}
		if err := d.point(); err != nil { // a run was killed just before it did
			return nil, err
		}
	}
	err = r.export(ctx, v, names)
	if errors.Is(err, ErrEdited) && o.Overwrite {
		r.replace, r.have = true, 0
		err = r.export(ctx, v, names)
	}
	if err != nil {
		return nil, err
	}
	return r.result(), nil
}

// run is one run.
type run struct {
	dir   *directory
	o     Options
	table *table.Table // nil if there is none yet
	// have is how many rows the table has, columns which columns, and known what is
	// known of them.
	have    int
	columns []columnNote
	known   []digestNote
	// replace says that the rows of the table are of no use.
	replace bool
	out     *sink
}

// readNotes reads what the last run has left in the properties.
func (r *run) readNotes() error {
	props := r.table.Properties()
	rows, err := strconv.Atoi(props[rowsKey])
	if err != nil || rows < 0 {
		return r.dir.strange("it has no property " + rowsKey)
	}
	r.have = rows
	if err := json.Unmarshal([]byte(props[columnsKey]), &r.columns); err != nil {
		return r.dir.strange("the property " + columnsKey + " cannot be read")
	}
	if err := json.Unmarshal([]byte(props[digestsKey]), &r.known); err != nil || len(r.known) != len(r.columns) {
		return r.dir.strange("the property " + digestsKey + " cannot be read")
	}
	return nil
}

// changedBy says how the table differs from what the last run has left, as far as
// its current snapshot counts rows.
func (r *run) changedBy() error {
	total, deletes := 0, 0
	if s := r.table.CurrentSnapshot(); s != nil && s.Summary != nil {
		total, _ = strconv.Atoi(s.Summary.Properties["total-records"])
		deletes, _ = strconv.Atoi(s.Summary.Properties["total-delete-files"])
	}
	if total == r.have && deletes == 0 {
		return nil
	}
	return edited("the table has %d rows and %d files of deletes, and the last run left %d rows", total, deletes, r.have)
}

func edited(format string, args ...any) error {
	return hint.Add(fmt.Errorf("%w: "+format, append([]any{ErrEdited}, args...)...), "Overwrite replaces the rows of the table")
}

// export reads the columns, writes what is new, and commits it. If there is
// nothing, nothing is committed.
func (r *run) export(ctx context.Context, v *columnvault.Vault, names []string) (err error) {
	if r.table != nil && !r.replace {
		if err := r.changedBy(); err != nil {
			return err
		}
	}
	start := 0
	if r.o.Recent && r.have > 0 {
		start = (r.have - 1) / blockRows * blockRows
	}
	r.out = &sink{run: r, at: start, start: start}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.out.discard())
		}
	}()
	if _, err := exchange.Export(ctx, v, names, r.out, &exchange.ExportOptions{Start: start, Progress: r.o.Progress}); err != nil {
		return err
	}
	if len(r.out.files) == 0 && !r.replace {
		return nil
	}
	return r.commit(ctx)
}

// begin learns of the columns, and makes the table if there is none.
func (r *run) begin(ctx context.Context, fields []exchange.Field) ([]form, error) {
	forms := make([]form, len(fields))
	notes := make([]columnNote, len(fields))
	for i, f := range fields {
		var err error
		if forms[i], err = formOf(f, r.o.Floor); err != nil {
			return nil, fmt.Errorf("column %s: %w", excerpt.Quote(f.Name, excerpt.Name), err)
		}
		forms[i].field.Name = strings.TrimPrefix(f.Name, r.o.Prefix)
		notes[i] = columnNote{forms[i].field.Name, f.Type.String(), f.Meaning.String()}
	}
	if r.table != nil {
		return forms, r.sameColumns(notes)
	}
	schema, err := schemaOf(fields, forms)
	if err != nil {
		return nil, err
	}
	r.columns, r.known = notes, make([]digestNote, len(notes))
	props, err := r.properties(0, r.known)
	if err != nil {
		return nil, err
	}
	props[table.PropertyFormatVersion] = "2"
	r.table, err = r.dir.create(ctx, schema, props)
	return forms, err
}

// sameColumns compares the columns with those of the table.
func (r *run) sameColumns(notes []columnNote) error {
	why := ""
	for i := range max(len(notes), len(r.columns)) {
		switch {
		case i >= len(notes):
			why = excerpt.Quote(r.columns[i].Name, excerpt.Name) + " is missing"
		case i >= len(r.columns):
			why = excerpt.Quote(notes[i].Name, excerpt.Name) + " is new"
		case notes[i] != r.columns[i]:
			why = fmt.Sprintf("%s in the place of %s", notes[i], r.columns[i])
		}
		if why != "" {
			return hint.Add(fmt.Errorf("%w: %s", ErrColumns, why), "name the same columns in the same order, or feed a new directory")
		}
	}
	return nil
}

func (c columnNote) String() string {
	return strings.TrimRight(excerpt.Quote(c.Name, excerpt.Name)+" "+c.Type+" "+c.Meaning, " ")
}

func (r *run) properties(rows int, known []digestNote) (iceberg.Properties, error) {
	columns, err := json.Marshal(r.columns)
	if err != nil {
		return nil, err
	}
	digests, err := json.Marshal(known)
	return iceberg.Properties{rowsKey: strconv.Itoa(rows), columnsKey: string(columns), digestsKey: string(digests)}, err
}

// commit makes the data files part of the table.
func (r *run) commit(ctx context.Context) error {
	if err := publish.SyncFolder(r.dir.data("")); err != nil {
		return err
	}
	tx := r.table.NewTransaction()
	props, err := r.properties(r.out.at, r.out.notes())
	if err != nil {
		return err
	}
	if err := tx.SetProperties(props); err != nil {
		return err
	}
	added, err := r.out.dataFiles(r.table)
	if err != nil {
		return err
	}
	summary := iceberg.Properties{rowsKey: strconv.Itoa(r.out.at)}
	old, err := r.replaced(ctx)
	if err != nil {
		return err
	}
	options := []table.WriteOption{table.WithoutAutoNameMapping(), table.WithoutDuplicateCheck()}
	if err := tx.ReplaceDataFilesWithDataFiles(ctx, old, added, summary, options...); err != nil {
		return err
	}
	version := r.dir.version
	next, err := tx.Commit(ctx)
	r.out.live = r.dir.version > version // whatever came after that
	if err != nil {
		return err
	}
	r.table, r.have = next, r.out.at
	return nil
}

// replaced returns the data files of the table that do not count any more.
func (r *run) replaced(ctx context.Context) (list []iceberg.DataFile, err error) {
	s := r.table.CurrentSnapshot()
	if !r.replace || s == nil {
		return nil, nil
	}
	manifests, err := s.Manifests(files{})
	if err != nil {
		return nil, err
	}
	for _, m := range manifests {
		for e, err := range m.Entries(files{}, true) {
			if err != nil {
				return nil, err
			}
			if e.DataFile().ContentType() == iceberg.EntryContentData {
				list = append(list, e.DataFile())
			}
		}
	}
	return list, ctx.Err()
}

func (r *run) result() *Result {
	result := &Result{Rows: r.have, Files: len(r.out.files), Overwritten: r.replace}
	for _, f := range r.out.files {
		result.Added += f.rows
		result.Bytes += f.bytes
	}
	if s := r.table.CurrentSnapshot(); s != nil {
		result.Snapshot = s.SnapshotID
	}
	return result
}
