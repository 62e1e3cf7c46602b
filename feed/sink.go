package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"columnvault/exchange"
	"columnvault/exchange/parquet"
	"columnvault/internal/excerpt"
)

// sink takes the rows of the vault. It compares those that the table has, and
// writes the others to data files.
type sink struct {
	run     *run
	forms   []form
	digests []*digest
	ids     map[string]int
	// Rows come from start on, and at is the next one. Those that have come before
	// compared are known to be as they were.
	start, at int
	compared  bool
	batch     exchange.Batch // of turned columns
	file      *dataFile      // that is open
	files     []*dataFile
	live      bool // the files are part of the table
}

// dataFile is a file with rows.
type dataFile struct {
	path  string
	out   durableFile
	w     *parquet.Writer
	rows  int
	bytes int64
}

// SetRows learns how many rows come.
func (s *sink) SetRows(rows int) {
	if s.start+rows < s.run.have {
		s.at = -1 // which Begin reports
	}
}

// Begin learns of the columns.
func (s *sink) Begin(ctx context.Context, fields []exchange.Field) (err error) {
	if s.forms, err = s.run.begin(ctx, fields); err != nil {
		return err
	}
	if s.at < 0 {
		return edited("the columns have fewer than the %d that were written", s.run.have)
	}
	s.compared = s.run.have == 0
	s.ids = paths(s.run.table.Schema())
	s.batch.Columns = make([]exchange.Column, len(fields))
	for i := range fields {
		var start sum
		if s.start > 0 {
			start = s.run.known[i].Start
		}
		s.digests = append(s.digests, newDigest(start))
	}
	return nil
}

// Write compares rows or writes them.
func (s *sink) Write(ctx context.Context, b *exchange.Batch) error {
	s.batch.Rows = b.Rows
	for i, c := range b.Columns {
		s.batch.Columns[i] = c
		if turn := s.forms[i].turn; turn != nil {
			turned, row, err := turn(c)
			if err != nil {
				return fmt.Errorf("row %d, column %s: %w", s.at+row, excerpt.Quote(s.forms[i].field.Name, excerpt.Name), err)
			}
			s.batch.Columns[i] = turned
		}
	}
	old := min(b.Rows, max(0, s.run.have-s.at))
	if err := s.add(0, old); err != nil {
		return err
	}
	if err := s.compare(); err != nil {
		return err
	}
	if old == b.Rows {
		return nil
	}
	if err := s.add(old, b.Rows); err != nil {
		return err
	}
	return s.write(ctx, s.batch.Slice(old, b.Rows))
}

// add adds rows to the digests.
func (s *sink) add(from, to int) error {
	for i, c := range s.batch.Columns {
		if err := s.digests[i].add(c, from, to); err != nil {
			return fmt.Errorf("column %s: %w", excerpt.Quote(s.forms[i].field.Name, excerpt.Name), err)
		}
	}
	s.at += to - from
	return nil
}

// compare compares the digests, when all rows have come that the table has.
func (s *sink) compare() error {
	if s.compared || s.at < s.run.have {
		return nil
	}
	s.compared = true
	for i, d := range s.digests {
		if d.sum() != s.run.known[i].All {
			return edited("column %s is not what it was in the rows %d to %d", excerpt.Quote(s.forms[i].field.Name, excerpt.Name), s.start, s.at-1)
		}
	}
	return nil
}

// write writes rows, and ends the file if it is large enough.
func (s *sink) write(ctx context.Context, b *exchange.Batch) error {
	if s.file == nil {
		if err := s.open(ctx); err != nil {
			return err
		}
	}
	if err := s.file.w.Write(ctx, b); err != nil {
		return err
	}
	s.file.rows += b.Rows
	limit := s.run.o.FileBytes
	if limit <= 0 {
		limit = 256 << 20
	}
	if s.file.w.Size() >= limit {
		return s.finish(ctx)
	}
	return nil
}

// open begins a data file.
func (s *sink) open(ctx context.Context) error {
	if err := os.MkdirAll(s.run.dir.data(""), 0o777); err != nil { // a run was killed before it did
		return err
	}
	path := s.run.dir.data(uuid.NewString() + ".parquet")
	out, err := createFile(path)
	if err != nil {
		return err
	}
	fields := make([]exchange.Field, len(s.forms))
	for i, f := range s.forms {
		fields[i] = f.field
	}
	s.file = &dataFile{path: path, out: out}
	s.file.w = parquet.NewWriter(out, &parquet.WriterOptions{FieldID: func(path string) int { return s.ids[path] }})
	s.files = append(s.files, s.file)
	return s.file.w.Begin(ctx, fields)
}

// finish ends the data file that is open.
func (s *sink) finish(ctx context.Context) error {
	f := s.file
	if f == nil {
		return nil
	}
	if err := f.w.End(ctx); err != nil {
		return err
	}
	info, err := f.out.Stat()
	if err != nil {
		return err
	}
	f.bytes = info.Size()
	s.file = nil
	return f.out.Close()
}

// End ends the last file.
func (s *sink) End(ctx context.Context) error { return s.finish(ctx) }

// discard removes the files after an error, if the table does not have them.
func (s *sink) discard() (err error) {
	if s.live {
		return nil
	}
	if s.file != nil {
		err = s.file.out.File.Close()
	}
	for _, f := range s.files {
		if removed := os.Remove(f.path); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	return err
}

// notes is what the table will know of the rows.
func (s *sink) notes() []digestNote {
	list := make([]digestNote, len(s.digests))
	for i, d := range s.digests {
		list[i] = digestNote{d.start, d.sum()}
	}
	return list
}

// dataFiles describes the files for a commit, with the bounds of their columns.
func (s *sink) dataFiles(t *table.Table) ([]iceberg.DataFile, error) {
	list := make([]iceberg.DataFile, len(s.files))
	for i, f := range s.files {
		in, err := file.OpenParquetFile(f.path, false)
		if err != nil {
			return nil, err
		}
		list[i], err = table.DataFileFromMetadata(table.DataFileArgs{
			Schema: t.Schema(), Spec: t.Spec(), Format: iceberg.ParquetFile, Metadata: in.MetaData(),
			FilePath: address(f.path), FileSize: f.bytes, Content: iceberg.EntryContentData,
			Properties: t.Properties(), FormatVersion: t.Metadata().Version(),
		})
		if err := errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
	}
	return list, nil
}
