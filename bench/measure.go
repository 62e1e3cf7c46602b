package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"time"
)

// Task is what a process of a peer is told to do.
type Task struct {
	Peer  string
	Kind  Kind
	N     int
	Phase string
	Dir   string // the folder of the peer's files
	Jobs  string // a regular expression of the jobs to measure
	// Calls is how often single operations are called, and Budget for how long
	// at most, but once at least.
	Calls  int
	Budget time.Duration
	Hold   time.Duration // how long elements are held, of phaseKill; not at all if negative
	CSV    string        `json:",omitempty"` // the file to import
	Tool   string        `json:",omitempty"` // the built tool
	// ImportArgs are more arguments of its import.
	ImportArgs []string `json:",omitempty"`
}

// Unit is what values of a sample are.
type Unit string

const (
	Nanoseconds Unit = "ns"
	Megabytes   Unit = "MB"
	Elements    Unit = "elements"
)

// Sample is what a process has measured of a job: a line of JSON.
type Sample struct {
	Peer  string    `json:"peer"` // or another column of the tables
	Set   string    `json:"set"`
	Round int       `json:"round"`
	Job   string    `json:"job"`
	Unit  Unit      `json:"unit,omitempty"`
	Each  bool      `json:"each,omitempty"` // of single calls, of which the mean and the 99th percentile tell something
	Data  []float64 `json:"data,omitempty"`
	Error string    `json:"error,omitempty"`
}

// meter measures in the process of a peer.
type meter struct {
	Task
	jobs *regexp.Regexp
	out  *json.Encoder
	// column is that of the tables for what follows, if it is not the peer.
	column string
}

func newMeter(t Task, out io.Writer) (*meter, error) {
	jobs, err := regexp.Compile(t.Jobs)
	return &meter{Task: t, jobs: jobs, out: json.NewEncoder(out)}, err
}

func (m *meter) wants(job string) bool { return m.jobs.MatchString(job) }

// put writes a sample, if the job is wanted.
func (m *meter) put(s Sample) {
	if s.Peer = m.column; m.wants(s.Job) {
		// A parent that has ended makes this fail, and the process end with it.
		if err := m.out.Encode(s); err != nil {
			panic(err)
		}
	}
}

func (m *meter) ns(job string, d ...time.Duration) {
	s := Sample{Job: job, Unit: Nanoseconds}
	for _, d := range d {
		s.Data = append(s.Data, float64(d))
	}
	m.put(s)
}

// failed puts the error of a job. What a peer does not do is none.
func (m *meter) failed(job string, err error) bool {
	if err != nil && !errors.Is(err, errDash) {
		m.put(Sample{Job: job, Error: err.Error()})
	}
	return err != nil
}

// some measures whole calls, n of them unless the time is over.
func (m *meter) some(job string, n int, fn func() error) {
	if !m.wants(job) {
		return
	}
	var all []time.Duration
	for begin := time.Now(); len(all) < n && (len(all) == 0 || time.Since(begin) < m.Budget); {
		start := time.Now()
		if m.failed(job, fn()) {
			return
		}
		all = append(all, time.Since(start))
	}
	m.ns(job, all...)
}

// calls measures single calls. It returns how many there were.
func (m *meter) calls(job string, n int, fn func(i int) error) (done int) {
	return m.batches(job, n, 1, fn)
}

// batches measures single calls so short that to look at the clock would count:
// a value is the mean of a batch.
func (m *meter) batches(job string, n, batch int, fn func(i int) error) (done int) {
	if !m.wants(job) {
		return 0
	}
	s := Sample{Job: job, Unit: Nanoseconds, Each: true}
	for begin := time.Now(); done < n && (done == 0 || time.Since(begin) < m.Budget); {
		start := time.Now()
		k := 0
		for ; k < batch && (k == 0 || batch == 1 || time.Since(start) < m.Budget); k++ {
			if m.failed(job, fn(done+k)) {
				return done
			}
		}
		s.Data = append(s.Data, float64(time.Since(start))/float64(k))
		done += k
	}
	m.put(s)
	return done
}

// folderSize puts the size of all that lies in the folder.
func (m *meter) folderSize(job string) {
	total := int64(0)
	err := filepath.WalkDir(m.Dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if !m.failed(job, err) {
		m.megabytes(job, total)
	}
}

// memory puts the most memory that the process has had.
func (m *meter) memory(job string) {
	peak, err := peakMemory()
	if !m.failed(job, err) {
		m.megabytes(job, peak)
	}
}

func (m *meter) megabytes(job string, bytes int64) {
	m.put(Sample{Job: job, Unit: Megabytes, Data: []float64{float64(bytes) / 1e6}})
}

// want is an error if there is something else than was expected.
func want[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: %v, want %v", what, got, want)
	}
	return nil
}
