package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Header is what is said of a run as a whole: the first line of its samples.
type Header struct {
	Machine string
	Date    string
	Commit  string
	Calls   int
	Budget  string
	CSV     string
	Peers   []Described
}

// Described is a peer as the document describes it.
type Described struct {
	Name, Version, Durability, Remark string
	Class                             Class
}

func newHeader(o *options, chosen []Peer) Header {
	h := Header{Machine: machine(), Date: time.Now().Format(time.DateOnly), Calls: o.calls, Budget: o.budget.String()}
	h.CSV = "a file like that of the flights of New York, 19 columns, " + count(o.records) + " records"
	if o.csv != "" {
		h.CSV = "a file of the user"
	}
	if out, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil {
		h.Commit = strings.TrimSpace(string(out))
	}
	for _, p := range chosen {
		h.Peers = append(h.Peers, Described{p.Name, p.version(), p.Durability, p.Remark, p.Class})
	}
	return h
}

// tables makes the document of samples that were kept, of one run or several:
// rounds of all count, and the machine is that of the last.
func (o *options) tables(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var h Header
	var all []Sample
	run := -1
	for line := range bytes.Lines(data) {
		var both struct {
			Header
			Sample
		}
		if err := json.Unmarshal(line, &both); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if both.Machine != "" {
			known := h.Peers
			h = both.Header
			for _, p := range known {
				if !slices.ContainsFunc(h.Peers, func(q Described) bool { return q.Name == p.Name }) {
					h.Peers = append(h.Peers, p)
				}
			}
			run++
			continue
		}
		both.Sample.Round += run << 16 // rounds of runs differ
		all = append(all, both.Sample)
	}
	return o.write(report(h, all))
}

const (
	beginMark = "<!-- begin of what bench has written -->"
	endMark   = "<!-- end of what bench has written -->"
)

// write puts the tables between the marks of the document, or at its end.
func (o *options) write(text string) error {
	if o.docs == "-" {
		_, err := fmt.Print(text)
		return err
	}
	data, err := os.ReadFile(o.docs)
	if err != nil {
		return err
	}
	before, after := strings.TrimRight(string(data), "\n")+"\n\n", ""
	if i := strings.Index(string(data), beginMark); i >= 0 {
		j := strings.Index(string(data), endMark)
		if j < i {
			return fmt.Errorf("%s has no %s", o.docs, endMark)
		}
		before, after = string(data[:i]), string(data[j+len(endMark)+1:])
	}
	return os.WriteFile(o.docs, []byte(before+beginMark+"\n"+text+endMark+"\n"+after), 0o666)
}

// cells are the values of a job of a column of a table, by round.
type cells struct {
	unit   Unit
	each   bool
	rounds map[int][]float64
}

// table is that of a set: jobs and columns in the order in which they came.
type table struct {
	name    string
	jobs    []string
	columns []string
	cells   map[[2]string]*cells
	errors  []string
}

// report is the text between the marks.
func report(h Header, all []Sample) string {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	rounds := map[int]bool{}
	for _, s := range all {
		rounds[s.Round] = true
	}
	h.describe(w, len(rounds))
	for _, t := range tablesOf(h, all) {
		t.write(w, h)
	}
	w.Flush()
	return b.String()
}

func (h Header) describe(w *bufio.Writer, rounds int) {
	fmt.Fprintf(w, `## Beside other stores

Written by %s on %s, at %s, in %d rounds. %s.

Each peer does each phase of a set (fill, read, edit) in a process of its own, and the peers take turns. A cell is the
median of all rounds, and in brackets the least and the most of the rounds' medians; of single calls (up to %s, for
up to %s) there also are the mean, with that of the rounds, and the 99th percentile. Reads of single elements and short
stretches are timed in batches of 100 and 20, whose means take the place of calls. What a peer does not do is a dash.

- *append all* ends when the transaction is committed; *close* adds closing, which for columnvault and SQLite is the
  checkpoint of the log. Checkpoints that come between single calls are inside of these. *Close after the edits* has the rest.
- *Read* copies elements into memory of the caller; the *first* time in a process all of that is touched for the first time.
  *Run through* lends memory. The files are in the system's cache.
- A *view* is one snapshot for all its reads; outside of it each has its own.
- Every Set writes a value that was not there. *Smaller* and *larger* are 60 and 130 bytes in place of 100.
- *Peak memory* is what the process has had at most beyond its beginning, the caller's values included; *size* is that of
  all files of the peer.
- *Best store* is the best of the stores that are edited in place, keep an acknowledged write when the process is killed,
  and are whole after a power failure.

`, "`go run .` in `bench/`", h.Date, h.Commit, rounds, h.Machine, count(h.Calls), h.Budget)
	fmt.Fprintln(w, "| peer | version | an acknowledged write | |\n| --- | --- | --- | --- |")
	for _, p := range h.Peers {
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", p.Name, p.Version, p.Durability, p.Remark)
	}
	fmt.Fprintln(w)
}

// tablesOf sorts the samples into tables.
func tablesOf(h Header, all []Sample) (tables []*table) {
	byName := map[string]*table{}
	for _, s := range all {
		t := byName[s.Set]
		if t == nil {
			t = &table{name: s.Set, cells: map[[2]string]*cells{}}
			byName[s.Set] = t
			tables = append(tables, t)
		}
		if s.Error != "" {
			if text := fmt.Sprintf("%s, %s: %s", s.Peer, s.Job, s.Error); !slices.Contains(t.errors, text) {
				t.errors = append(t.errors, text)
			}
			continue
		}
		if !slices.Contains(t.columns, s.Peer) {
			t.columns = append(t.columns, s.Peer)
		}
		if !slices.Contains(t.jobs, s.Job) {
			t.jobs = append(t.jobs, s.Job)
		}
		c := t.cells[[2]string{s.Job, s.Peer}]
		if c == nil {
			c = &cells{unit: s.Unit, each: s.Each, rounds: map[int][]float64{}}
			t.cells[[2]string{s.Job, s.Peer}] = c
		}
		c.rounds[s.Round] = append(c.rounds[s.Round], s.Data...)
	}
	place := func(column string) int { // "columnvault, 1,000" stands where "columnvault" does
		best, length := len(h.Peers), -1
		for i, p := range h.Peers {
			if strings.HasPrefix(column, p.Name) && len(p.Name) > length {
				best, length = i, len(p.Name)
			}
		}
		return best
	}
	for _, t := range tables {
		slices.SortStableFunc(t.columns, func(a, b string) int { return place(a) - place(b) })
	}
	return tables
}

// line is what is shown of a job: one of its statistics.
type line struct {
	suffix             string
	value, least, most func(s Summary) float64
}

var (
	median = line{"", func(s Summary) float64 { return s.Median }, func(s Summary) float64 { return s.Least }, func(s Summary) float64 { return s.Most }}
	single = []line{
		{": mean", func(s Summary) float64 { return s.Mean }, func(s Summary) float64 { return s.LeastOfMeans }, func(s Summary) float64 { return s.MostOfMeans }},
		{": median", median.value, median.least, median.most},
	}
	rare = line{": 99 %", p99, p99, p99}
)

func p99(s Summary) float64 { return s.P99 }

func (t *table) write(w *bufio.Writer, h Header) {
	fmt.Fprintf(w, "### %s%s\n\n", strings.ToUpper(t.name[:1]), t.name[1:])
	if t.name == "CSV" {
		fmt.Fprintf(w, "%s%s, by the tool and in DuckDB by SQL; whole commands.\n\n", strings.ToUpper(h.CSV[:1]), h.CSV[1:])
	}
	compared := slices.Contains(t.columns, "columnvault") && len(t.columns) > 1
	fmt.Fprintf(w, "| job | %s |", strings.Join(t.columns, " | "))
	if compared {
		fmt.Fprint(w, " columnvault / best store | / plain file |")
	}
	fmt.Fprintf(w, "\n|%s\n", strings.Repeat(" --- |", len(t.columns)+1+2*truth(compared)))
	for _, job := range t.jobs {
		for _, l := range t.linesOf(job) {
			t.row(w, h, job, l, compared)
		}
	}
	fmt.Fprintln(w)
	for _, text := range t.errors {
		fmt.Fprintf(w, "- Failed: %s\n", strings.ReplaceAll(text, "\n", " "))
	}
	if len(t.errors) > 0 {
		fmt.Fprintln(w)
	}
}

// linesOf are those of a job: of single calls more than one, and the 99th
// percentile of enough of them.
func (t *table) linesOf(job string) []line {
	lines, most := []line{median}, 0
	for _, column := range t.columns {
		if c := t.cells[[2]string{job, column}]; c != nil && c.each {
			lines = single
			for _, values := range c.rounds {
				most = max(most, len(values))
			}
		}
	}
	if most >= 100 {
		lines = append(slices.Clone(lines), rare)
	}
	return lines
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// row writes a line of a job, and how columnvault compares.
func (t *table) row(w *bufio.Writer, h Header, job string, l line, compared bool) {
	fmt.Fprintf(w, "| %s%s |", job, l.suffix)
	own, floor, best, bestName := 0.0, 0.0, 0.0, ""
	for _, column := range t.columns {
		c := t.cells[[2]string{job, column}]
		if c == nil {
			fmt.Fprint(w, " - |")
			continue
		}
		var rounds [][]float64
		for _, r := range c.rounds {
			rounds = append(rounds, r)
		}
		s := summarize(rounds)
		v := l.value(s)
		fmt.Fprintf(w, " %s |", cell(v, l.least(s), l.most(s), c.unit))
		switch i := slices.IndexFunc(h.Peers, func(p Described) bool { return p.Name == column }); {
		case i < 0 || c.unit == Elements:
		case column == "columnvault":
			own = v
		case strings.HasPrefix(column, "plain file"):
			floor = v
		case h.Peers[i].Class == Durable && (bestName == "" || v < best) && !strings.HasPrefix(column, "columnvault"):
			best, bestName = v, column
		}
	}
	if compared {
		fmt.Fprintf(w, " %s | %s |", ratio(own, best, " "+bestName), ratio(own, floor, ""))
	}
	fmt.Fprintln(w)
}

// ratio is bold where the other is better.
func ratio(own, other float64, name string) string {
	switch r := own / other; {
	case own == 0 || other == 0:
		return "-"
	case r > 1:
		return fmt.Sprintf("**%.2f%s**", r, name)
	default:
		return fmt.Sprintf("%.2f%s", r, name)
	}
}
