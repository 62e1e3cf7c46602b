package sqlitefile_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/sqlitefile"
	"columnvault/internal/vaulttest"
)

// FuzzFile reads all that there seems to be in any bytes: no panic, no end that
// does not come, and no more rows than there can be cells.
func FuzzFile(f *testing.F) {
	for _, pageSize := range []int{512, 1024} {
		main, log := smallVault(f, pageSize)
		f.Add(main, log)
		f.Add(main, []byte(nil))
		f.Add(main[:len(main)/2], log)
		f.Add(append(make([]byte, 100), main[100:]...), []byte(nil))
	}
	f.Fuzz(func(t *testing.T, main, log []byte) {
		file, err := sqlitefile.Open(source(main), source(log))
		if err != nil {
			return
		}
		trees := []sqlitefile.Tree{file.Tree(1)}
		for _, page := range trees[0].Pages {
			file.Rows(page, func(r *sqlitefile.Row) bool {
				r.Text(1, 1<<20)
				if root, ok := r.Int(3); ok && len(trees) < 1000 {
					trees = append(trees, file.Tree(uint32(root)))
				}
				return true
			})
		}
		trees = append(trees, file.Orphans()...)
		rows, piece := 0, make([]byte, 64<<10)
		for _, tree := range trees {
			file.Above(tree.Root)
			for _, page := range tree.Pages {
				file.Rows(page, func(r *sqlitefile.Row) bool {
					rows++
					for k := range r.Fields {
						r.Int(k)
						v, ok := r.Value(k)
						if !ok {
							continue
						}
						end := int64(0)
						for _, h := range v.Holes(0, v.Size) {
							if h.From < end || h.To <= h.From || h.To > v.Size {
								t.Fatalf("hole %+v of a value of %d bytes", h, v.Size)
							}
							end = h.To
						}
						n := min(v.Size, int64(len(piece)))
						v.ReadAt(piece[:n], v.Size-n)
					}
					return true
				})
			}
		}
		if most := len(main) + len(log); rows > most {
			t.Fatalf("%d rows in %d bytes", rows, most)
		}
		c := file.Counts()
		if total := int(file.Pages()); c.Free > total || c.Unreadable > total || c.Unattributed > total {
			t.Fatalf("%+v of %d pages", c, total)
		}
	})
}

// smallVault is a vault and the log that a crash leaves beside it.
func smallVault(f *testing.F, pageSize int) (main, log []byte) {
	path := filepath.Join(f.TempDir(), "small.db")
	v, err := columnvault.Open(context.Background(), path, &columnvault.Options{PageSize: pageSize})
	check := func(err error) {
		if err != nil {
			f.Fatal(err)
		}
	}
	check(err)
	c, err := columnvault.Create(f.Context(), v, "n", dtype.Int64, vaulttest.Chunks(64, 2000))
	check(err)
	check(c.Append(f.Context(), vaulttest.Span(0, 300)...))
	check(v.KV().Put(f.Context(), []byte("key"), vaulttest.Bytes(1, 3*pageSize)))
	check(v.Close())
	v, err = columnvault.Open(context.Background(), path, nil)
	check(err)
	check(v.KV().Put(f.Context(), []byte("other"), vaulttest.Bytes(2, pageSize)))
	main, err = os.ReadFile(path)
	check(err)
	log, err = os.ReadFile(path + "-wal")
	check(err)
	check(v.Close())
	return main, log
}
