package feed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
	"columnvault/internal/publish"
)

// directory is a directory that is a table: the state of version N is the file
// metadata/vN.metadata.json, and version-hint.text has the number of the last
// one. It takes the place of a catalog, as Hadoop's file systems have it, so
// whoever knows the directory can read the table.
type directory struct {
	path string
	// version is the last one; 0 is a directory that is no table yet.
	version int
}

var versionName = regexp.MustCompile(`^v([1-9][0-9]{0,8})\.metadata\.json$`)

// foreignVersion are the names that catalogs give to versions, and those of
// versions that are compressed.
var foreignVersion = regexp.MustCompile(`^(?:[0-9]{5,}-.*|v[0-9]+\.gz)\.metadata\.json(?:\.gz)?$`)

// tempPrefix begins the names of files that are not yet what they become.
const tempPrefix = ".vaultfeed-"

// openDirectory looks at a directory, which need not be there.
func openDirectory(path string) (*directory, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// The library escapes such characters in the names of some files, and not all
	// readers take that back.
	if u := (url.URL{Path: filepath.ToSlash(path)}); u.EscapedPath() != u.Path {
		err := fmt.Errorf("the path %s has a space or another character in it that is escaped in addresses", excerpt.Quote(path, excerpt.Name))
		return nil, hint.Add(err, "name a directory of letters, digits and - _ . only")
	}
	d := &directory{path: path}
	entries, err := os.ReadDir(d.metadata(""))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if m := versionName.FindStringSubmatch(e.Name()); m != nil {
			n, _ := strconv.Atoi(m[1])
			d.version = max(d.version, n)
		} else if foreignVersion.MatchString(e.Name()) {
			return nil, d.strange(excerpt.Quote(e.Name(), excerpt.Name) + " is a version that another program has written")
		}
	}
	if d.version > 0 {
		return d, nil
	}
	return d, d.wantEmpty()
}

// wantEmpty refuses a directory with something in it that a run which was killed
// at its beginning cannot have left.
func (d *directory) wantEmpty() error {
	for _, folder := range []string{d.path, d.metadata("")} {
		entries, err := os.ReadDir(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			switch {
			case folder == d.path && e.IsDir() && e.Name() == "metadata":
			case folder != d.path && strings.HasPrefix(e.Name(), tempPrefix):
			default:
				return d.strange("it has " + excerpt.Quote(e.Name(), excerpt.Name) + " in it")
			}
		}
	}
	return nil
}

func (d *directory) strange(why string) error {
	err := fmt.Errorf("%w: %s is no table that this program has made: %s", ErrNotFed, excerpt.Quote(d.path, excerpt.Name), why)
	return hint.Add(err, "name an empty directory, or one that is not there")
}

func (d *directory) metadata(name string) string { return filepath.Join(d.path, "metadata", name) }

func (d *directory) data(name string) string { return filepath.Join(d.path, "data", name) }

func (d *directory) versionFile(n int) string {
	return d.metadata(fmt.Sprintf("v%d.metadata.json", n))
}

// address is the path as an address, which readers whose files lie elsewhere by
// default understand too.
func address(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return "file://" + path
}

// identifier is a name for the library, which wants one.
var identifier = table.Identifier{"feed", "table"}

// load reads the table.
func (d *directory) load(ctx context.Context) (*table.Table, error) {
	t, err := d.LoadTable(ctx, identifier)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.versionFile(d.version), err)
	}
	here, err := os.Stat(d.path)
	if err != nil {
		return nil, err
	}
	there, err := os.Stat(localPath(t.Location()))
	if err != nil || !os.SameFile(here, there) {
		err := fmt.Errorf("the table was made as %s, and its files are known by that path", excerpt.Quote(t.Location(), excerpt.Name))
		return nil, hint.Add(err, "move it back, or feed a new directory")
	}
	return t, nil
}

// create makes the directory a table without rows.
func (d *directory) create(ctx context.Context, schema *iceberg.Schema, props iceberg.Properties) (*table.Table, error) {
	meta, err := table.NewMetadata(schema, iceberg.UnpartitionedSpec, table.UnsortedSortOrder, address(d.path), props)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.metadata(""), 0o777); err != nil {
		return nil, err
	}
	if err := d.publish(meta); err != nil {
		return nil, err
	}
	// Before, this folder would make the directory one with something in it.
	if err := os.MkdirAll(d.data(""), 0o777); err != nil {
		return nil, err
	}
	if err := errors.Join(publish.SyncFolder(d.path), publish.SyncFolder(filepath.Dir(d.path))); err != nil {
		return nil, err
	}
	return d.load(ctx)
}

// LoadTable and CommitTable are what the library wants of a catalog.
func (d *directory) LoadTable(ctx context.Context, _ table.Identifier) (*table.Table, error) {
	open := func(context.Context) (icebergio.IO, error) { return files{}, nil }
	return table.NewFromLocation(ctx, identifier, address(d.versionFile(d.version)), open, d)
}

// CommitTable makes the next version of the one that was loaded. It succeeds
// once: if another run was faster, the library must not try again, as it would
// add the same rows to those of the other.
func (d *directory) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	base, err := d.LoadTable(ctx, ident)
	if err != nil {
		return nil, "", err
	}
	for _, r := range reqs {
		if err := r.Validate(base.Metadata()); err != nil {
			return nil, "", err
		}
	}
	meta, err := table.UpdateTableMetadata(base.Metadata(), updates, base.MetadataLocation())
	if err != nil {
		return nil, "", err
	}
	if err := d.publish(meta); err != nil {
		return nil, "", err
	}
	return meta, address(d.versionFile(d.version)), nil
}

// publish writes the next version. It is there with all of its bytes, or not.
func (d *directory) publish(meta table.Metadata) error {
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	temp := d.metadata(tempPrefix + uuid.NewString())
	if err := writeFile(temp, text); err != nil {
		return err
	}
	defer os.Remove(temp)
	// A link, because a rename would replace what another run has written.
	err = os.Link(temp, d.versionFile(d.version+1))
	if errors.Is(err, fs.ErrExist) {
		return hint.Add(fmt.Errorf("%w: version %d is there already", ErrConcurrent, d.version+1), "run it again, one at a time")
	}
	if err != nil {
		return err
	}
	d.version++
	if err := publish.SyncFolder(d.metadata("")); err != nil {
		return err
	}
	return d.point()
}

// point makes version-hint.text say which version is the last.
func (d *directory) point() error {
	name := d.metadata("version-hint.text")
	want := []byte(strconv.Itoa(d.version))
	if have, err := os.ReadFile(name); err == nil && bytes.Equal(bytes.TrimSpace(have), want) {
		return nil
	}
	temp := d.metadata(tempPrefix + uuid.NewString())
	if err := writeFile(temp, want); err != nil {
		return err
	}
	if err := os.Rename(temp, name); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return publish.SyncFolder(d.metadata(""))
}

// files is the file system, on which what was written is on the disk when it is
// closed.
type files struct{ icebergio.LocalFS }

func (files) Open(name string) (icebergio.File, error) { return os.Open(localPath(name)) }

func (files) ReadFile(name string) ([]byte, error) { return os.ReadFile(localPath(name)) }

func (files) Remove(name string) error { return os.Remove(localPath(name)) }

func (files) Create(name string) (icebergio.FileWriter, error) { return createFile(localPath(name)) }

func (files) WriteFile(name string, data []byte) error { return writeFile(localPath(name), data) }

// localPath is the path of an address of ours. Nothing in it is escaped.
func localPath(address string) string {
	path := strings.TrimPrefix(address, "file://")
	if len(path) > 2 && path[0] == '/' && filepath.VolumeName(path[1:]) != "" {
		path = path[1:]
	}
	return filepath.FromSlash(path)
}

// durableFile is a file that is on the disk when it is closed.
type durableFile struct{ *os.File }

func createFile(path string) (durableFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	return durableFile{f}, err
}

func (f durableFile) Close() error { return errors.Join(f.Sync(), f.File.Close()) }

func writeFile(path string, data []byte) error {
	f, err := createFile(path)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
