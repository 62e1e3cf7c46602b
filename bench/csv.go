package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// generateCSV writes a file like the flights of New York: 19 columns, 14 of
// numbers and 5 of text; some numbers are missing.
func generateCSV(path string, records int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour")
	airports := []string{"EWR", "JFK", "LGA", "ORD", "ATL", "LAX", "BOS", "MCO", "CLT", "SFO"}
	start := time.Date(2013, 1, 1, 5, 0, 0, 0, time.UTC)
	for i := range records {
		x := mix(i)
		at := start.Add(time.Duration(i) * 500 * time.Millisecond)
		scheduled := at.Hour()*100 + at.Minute()
		// a number of minutes, or nothing for one flight of 40
		minutes := func(shift, of, from int) string {
			if x%40 == 0 {
				return ""
			}
			return fmt.Sprintf("%d.0", int(x>>shift%uint64(of))+from)
		}
		fmt.Fprintf(w, "%d,%d,%d,%s,%d,%s,%s,%d,%s,%c%c,%d,N%dAA,%s,%s,%s,%d,%d,%d,%s\n",
			at.Year(), at.Month(), at.Day(), minutes(3, 2400, 1), scheduled, minutes(13, 180, -20), minutes(19, 2400, 1), (scheduled+230)%2400,
			minutes(23, 200, -60), 'A'+rune(x>>31%26), 'A'+rune(x>>36%26), 1+x>>40%8500, 100+x>>43%900,
			airports[x>>47%3], airports[3+x>>50%7], minutes(33, 600, 30), 100+x>>53%2500, at.Hour(), at.Minute(), at.Format(time.DateTime))
	}
	return w.Flush()
}

// importCSV reads the file of the task into an empty folder.
func importCSV(m *meter, p Peer) error {
	if p.Import == nil {
		return nil
	}
	start := time.Now()
	peak, err := p.Import(m.Task)
	if m.failed("import CSV", err) {
		return nil
	}
	m.ns("import CSV", time.Since(start))
	m.megabytes("import CSV, peak memory", peak)
	m.folderSize("import CSV, size")
	return nil
}

// exportCSV writes what importCSV has read.
func exportCSV(m *meter, p Peer) error {
	if p.Export == nil {
		return nil
	}
	out := filepath.Join(m.Dir, "out.csv")
	start := time.Now()
	peak, err := p.Export(m.Task, out)
	if m.failed("export CSV", err) {
		return nil
	}
	m.ns("export CSV", time.Since(start))
	m.megabytes("export CSV, peak memory", peak)
	want, err := lines(m.CSV)
	if err != nil {
		return err
	}
	got, err := lines(out)
	if err == nil && got != want {
		err = fmt.Errorf("%d lines were exported, want %d", got, want)
	}
	return err
}

func lines(path string) (n int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for block := make([]byte, 1<<20); ; {
		k, err := f.Read(block)
		n += bytes.Count(block[:k], []byte("\n"))
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// command runs one and returns the peak of its memory, in bytes.
func command(name string, args ...string) (peak int64, err error) {
	cmd := exec.Command(name, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	done := make(chan error)
	go func() { done <- cmd.Wait() }()
	for process := strconv.Itoa(cmd.Process.Pid); ; {
		select {
		case err := <-done:
			if err != nil {
				return 0, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, said.Bytes())
			}
			if peak == 0 {
				peak = peakOf(cmd.ProcessState.SysUsage().(*syscall.Rusage))
			}
			return peak, nil
		case <-time.After(2 * time.Millisecond):
			if now, err := mostMemory(process); err == nil {
				peak = max(peak, now)
			}
		}
	}
}

func vaultImport(t Task) (int64, error) {
	args := append([]string{"import", filepath.Join(t.Dir, "vault.db"), t.CSV, "--quiet"}, t.ImportArgs...)
	return command(t.Tool, args...)
}

func vaultExport(t Task, out string) (int64, error) {
	return command(t.Tool, "export", filepath.Join(t.Dir, "vault.db"), "--out", out, "--quiet")
}

// shell is the command of SQLite, which need not be there.
func shell(args ...string) (int64, error) {
	path, err := exec.LookPath("sqlite3")
	if err != nil {
		return 0, errDash
	}
	return command(path, args...)
}

func sqliteImport(t Task) (int64, error) {
	return shell("-csv", filepath.Join(t.Dir, "csv.db"), ".import '"+t.CSV+"' rows")
}

func sqliteExport(t Task, out string) (int64, error) {
	return shell("-csv", "-header", filepath.Join(t.Dir, "csv.db"), ".once '"+out+"'", "SELECT * FROM rows")
}
