package salvage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"columnvault"
	"columnvault/internal/publish"
	"columnvault/internal/sqlitefile"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
)

// Holes says what stands in the new file for elements that are missing.
type Holes int

const (
	// Fill puts zero in the place of each missing element, or an empty one where
	// elements vary in size, so that all others keep their positions. In a
	// nullable column it is a missing value.
	Fill Holes = iota
	// Drop leaves missing elements out.
	Drop
)

// Options configure [File]. The zero value is what most want.
type Options struct {
	// Holes says what stands for missing elements.
	Holes Holes
	// IgnoreLog leaves the write-ahead log beside the file alone, and with it the
	// last commits. Otherwise its committed pages stand for those in the file.
	IgnoreLog bool
	// Progress is called from time to time with the bytes of values that were
	// read, and the size of the damaged file.
	Progress func(done, total int64)
}

// File reads what is readable from the damaged file and writes it to a new vault
// at target, which must not exist. The new vault appears under its name when it
// is whole; after an error, or when ctx ends, there is none. The report is about
// what is missing, which is no error. Errors are of type [*columnvault.Error].
//
// The damaged file, and the log beside it, are read twice and never written to.
// No program should write to them meanwhile. Memory is taken for
// the numbers of pages, for some 200 bytes a chunk, and for single elements; the new
// file takes about as much disk as the damaged one, and has pages of the same size.
func File(ctx context.Context, damaged, target string, o Options) (*Report, error) {
	report, err := file(ctx, damaged, target, o)
	var done *columnvault.Error
	if err == nil || errors.As(err, &done) {
		return report, err
	}
	return nil, &columnvault.Error{Op: "salvage", Column: damaged, Index: -1, Err: err}
}

func file(ctx context.Context, damaged, path string, o Options) (_ *Report, err error) {
	if o.Holes < Fill || o.Holes > Drop {
		return nil, fmt.Errorf("%w: Holes is %d", store.ErrInvalidArgument, o.Holes)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := mustBeNew(path); err != nil {
		return nil, err
	}
	j := &job{ctx: ctx, opts: o, report: &Report{Damaged: damaged, Saved: path, Columns: []Column{}, Tables: []Table{}, NotRead: []string{}, Notes: []string{}},
		rows: map[store.ColumnID]store.Row{}, names: map[int64]string{}, chunks: map[int64]map[int64]*chunk{}, claimed: map[int64]bool{}}
	src, err := openSource(damaged, o.IgnoreLog)
	if err != nil {
		return nil, err
	}
	defer src.close()
	f, err := sqlitefile.Open(src.main, src.log)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrNotVault, err)
	}
	j.total = src.main.Size
	j.limit = max(64<<20, 8*(src.main.Size+src.log.Size))
	for _, note := range append(src.notes, f.Notes()...) {
		j.note("%s", note)
	}
	work, err := publish.Begin(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	defer func() { err = errors.Join(err, work.End()) }()
	s, err := sqlite.Open(ctx, work.Path(), sqlite.Options{PageSize: f.PageSize()})
	if err != nil {
		return nil, err
	}
	j.target = &target{s}
	if err := errors.Join(j.run(ctx, f), s.Close()); err != nil {
		return nil, err
	}
	if src.changed() {
		j.note("the damaged file has changed while it was read, so another program writes to it: what was saved may be of different moments")
	}
	if err := name(work); err != nil {
		return nil, err
	}
	if o.Progress != nil {
		o.Progress(j.total, j.total)
	}
	return j.report, nil
}

// mustBeNew refuses a target under whose name there is something already. A log
// that lies there would be taken for that of the new file.
func mustBeNew(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if _, err := os.Lstat(path + suffix); err == nil {
			return fmt.Errorf("%w: %s", store.ErrExists, path+suffix)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
		}
	}
	return nil
}

// name gives the finished file its name, unless somebody else has taken it.
func name(work *publish.Work) error {
	f, err := os.Open(work.Path())
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err == nil {
		err = work.Link()
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: %w", store.ErrExists, err)
	case err != nil:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return nil
}

// source is the damaged file and its log.
type source struct {
	main, log sqlitefile.Source
	files     []*os.File
	infos     []os.FileInfo
	notes     []string
}

func openSource(path string, ignoreLog bool) (*source, error) {
	s := &source{}
	main, err := s.open(path)
	if err != nil {
		s.close()
		kind := store.ErrUnavailable
		if errors.Is(err, fs.ErrNotExist) {
			kind = store.ErrNotFound
		}
		return nil, fmt.Errorf("%w: %w", kind, err)
	}
	s.main = main
	real, err := filepath.EvalSymlinks(path) // the log lies beside the file
	if err != nil {
		real = path
	}
	if info, err := os.Stat(real + "-journal"); err == nil && info.Size() > 0 {
		s.notes = append(s.notes, "a rollback journal lies beside the file, and was not used: the last transaction may be there in part")
	}
	if info, err := os.Stat(real + "-wal"); err != nil || info.Size() == 0 {
		return s, nil
	}
	if ignoreLog {
		s.notes = append(s.notes, "the log beside the file was not used, as asked")
		return s, nil
	}
	if s.log, err = s.open(real + "-wal"); err != nil {
		s.notes = append(s.notes, fmt.Sprintf("the log beside the file cannot be opened: %v", err))
		s.log = sqlitefile.Source{}
	}
	return s, nil
}

// open opens a file for reading.
func (s *source) open(path string) (sqlitefile.Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return sqlitefile.Source{}, err
	}
	s.files = append(s.files, f)
	info, err := f.Stat()
	if err != nil {
		return sqlitefile.Source{}, err
	}
	if !info.Mode().IsRegular() {
		return sqlitefile.Source{}, fmt.Errorf("%s is not a regular file", path)
	}
	s.infos = append(s.infos, info)
	return sqlitefile.Source{ReaderAt: f, Size: info.Size()}, nil
}

func (s *source) close() {
	for _, f := range s.files {
		f.Close()
	}
}

// changed tells whether somebody has written since the files were opened.
func (s *source) changed() bool {
	for k, info := range s.infos {
		now, err := s.files[k].Stat()
		if err == nil && (now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime())) {
			return true
		}
	}
	return false
}

// job is one call of [File].
type job struct {
	ctx    context.Context
	opts   Options
	survey *survey
	target *target
	report *Report

	rows map[store.ColumnID]store.Row
	// names are those of columns of which the row is lost, by an index.
	names  map[int64]string
	chunks map[int64]map[int64]*chunk
	// rests are what is left of chunks and has no place.
	rests []rest
	// claimed are the columns whose chunks have a place in the new vault.
	claimed map[int64]bool
	// limit is how many bytes can be saved at most: a file that has lost its end
	// may have held more than it has. What is saved is taken off it.
	limit int64

	memory            []byte
	done, told, total int64
}

// run saves all there is.
func (j *job) run(ctx context.Context, f *sqlitefile.File) error {
	j.survey = look(f)
	if note := j.survey.note(); note != "" {
		j.note("%s", note)
	}
	j.report.NotRead = append(j.report.NotRead, j.survey.notRead()...)
	for _, step := range []func() error{
		j.readRows,
		func() error { return j.saveMeta(ctx) },
		func() error { return j.saveColumns(ctx) },
		func() error { return j.saveLayout1(ctx) },
		func() error { return j.saveTables(ctx) },
		func() error { return j.saveNative(ctx) },
		func() error { return j.saveRests(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	counts := j.survey.counts()
	j.report.Pages = Pages{Size: f.PageSize(), Total: int(f.Pages()), Log: f.LogPages(), Free: counts.Free,
		Unreadable: counts.Unreadable, Unattributed: counts.Unattributed}
	if n := f.Declared(); n > f.Pages() {
		j.note("the file is cut short: it has %d pages, and its header says %d", f.Pages(), n)
	}
	return nil
}

// maxNotes bounds the notes of a report.
const maxNotes = 200

func (j *job) note(format string, args ...any) {
	if len(j.report.Notes) < maxNotes {
		j.report.Notes = append(j.report.Notes, fmt.Sprintf(format, args...))
	}
}

// damaged notes rows that could not be made out.
func (j *job) damaged(what string, n int) {
	if n > 0 {
		j.note("%s that could not be made out: %d", what, n)
	}
}

// buffer is memory that is used again by the next call.
func (j *job) buffer(n int64) []byte {
	if int64(cap(j.memory)) < n {
		j.memory = make([]byte, n)
	}
	return j.memory[:n]
}

// progressStep is how many bytes lie between two calls of Progress.
const progressStep = 1 << 20

func (j *job) advance(n int64) {
	j.done += n
	if j.opts.Progress != nil && j.done-j.told >= progressStep {
		j.told = j.done
		j.opts.Progress(min(j.done, j.total), j.total)
	}
}
