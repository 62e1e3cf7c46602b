package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets this binary be the processes of peers.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "task" {
		if err := run(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestShort runs everything that needs Go alone with few elements. What was
// written and changed is compared by the processes themselves; here nothing may
// have failed, and every table has to be there.
func TestShort(t *testing.T) {
	t.Log("SKIPPED: KohakuVault, which is Python")
	if len(duckdbPeers()) == 0 {
		t.Log("SKIPPED: DuckDB, which needs cgo")
	}
	dir := t.TempDir()
	out, docs := filepath.Join(dir, "samples"), filepath.Join(dir, "benchmarks.md")
	if err := os.WriteFile(docs, []byte("# Benchmarks\n\nThe text.\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"-short", "-sizes", "500", "-calls", "20", "-budget", "20ms", "-growth", "1000", "-records", "200",
		"-dir", dir, "-out", out, "-docs", docs}
	if err := run(args); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-from", out, "-docs", docs}); err != nil { // finds the marks
		t.Fatal(err)
	}
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(text, []byte("# Benchmarks\n\nThe text.\n\n"+beginMark)) || bytes.Count(text, []byte(beginMark)) != 1 || bytes.Count(text, []byte(endMark)) != 1 {
		t.Errorf("the tables are not where they should be:\n%s", text)
	}
	o, err := parse(args)
	if err != nil {
		t.Fatal(err)
	}
	checkSamples(t, o, out)
	for _, s := range o.allSets() {
		if !strings.Contains(string(text), "\n### "+strings.ToUpper(s.Name[:1])+s.Name[1:]+"\n") {
			t.Errorf("there is no table of %s", s.Name)
		}
	}
}

// checkSamples looks whether each peer has samples of each set that it should
// have, and no error.
func checkSamples(t *testing.T, o *options, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	has := map[string][]string{} // columns by set
	for line := range bytes.Lines(data) {
		var s Sample
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatal(err)
		}
		if s.Error != "" {
			t.Errorf("%s, %s, %s: %s", s.Set, s.Peer, s.Job, s.Error)
		}
		has[s.Set] = append(has[s.Set], s.Peer)
	}
	dash := map[string][]string{ // what peers do not have
		"100 strings":          {"plain file", "memory"},
		"100 records":          {"plain file", "memory"},
		"100 records by field": {"bbolt", "bbolt, NoSync", "Pebble", "Pebble, NoSync", "plain file", "memory"},
	}
	if _, err := exec.LookPath("sqlite3"); err != nil {
		dash["CSV"] = []string{"SQLite"}
	}
	for _, s := range o.allSets() {
		for _, p := range peers() {
			if p.Python != "" || !s.peer(p) || slices.Contains(dash[s.Name], p.Name) {
				continue
			}
			if !slices.ContainsFunc(has[s.Name], func(column string) bool { return strings.HasPrefix(column, p.Name) }) {
				t.Errorf("%s has no sample of %s", p.Name, s.Name)
			}
		}
	}
}

// TestCrash takes away the cells of a peer that crashes, and nothing else.
func TestCrash(t *testing.T) {
	var out bytes.Buffer
	o := &options{timeout: time.Minute, budget: time.Second, calls: 3}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{options: o, ctx: t.Context(), self: self, samples: &out, work: t.TempDir(), random: rand.New(rand.NewPCG(1, 2)), ends: time.Now().Add(time.Hour)}
	set := Set{"lists", "no such kind", 10, []string{phaseWrite, phaseRead}, anyPeer, false}
	if err := r.run(set, Peer{Name: "memory"}); err != nil {
		t.Fatal(err)
	}
	if len(r.all) != 1 || !strings.Contains(r.all[0].Error, `no elements are "no such kind"`) {
		t.Errorf("samples of a process that fails: %+v", r.all)
	}
	text := report(Header{Peers: []Described{{Name: "memory"}}}, append(r.all, Sample{Peer: "memory", Set: "others", Job: "sum", Unit: Nanoseconds, Data: []float64{1500}}))
	for _, want := range []string{"- Failed: memory, write: ", "| sum | 1.50 µs |"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q:\n%s", want, text)
		}
	}
}

// TestLimit: when the time of a run is over, what is left is named, and there are
// tables of the rest.
func TestLimit(t *testing.T) {
	dir := t.TempDir()
	docs := filepath.Join(dir, "benchmarks.md")
	if err := os.WriteFile(docs, []byte("# Benchmarks\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"-short", "-rounds", "1000000", "-limit", "1ns", "-sets", "^10,000 i64", "-peers", "^memory$", "-dir", dir, "-docs", docs}
	if err := run(args); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{", in 1 rounds", "- Failed: memory, write: left out: "} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report does not say %q:\n%s", want, text)
		}
	}
}

func TestSummarize(t *testing.T) {
	s := summarize([][]float64{{1, 2, 3}, {5, 100, 9}})
	want := Summary{N: 6, Mean: 20, Median: 4, P99: 95.5, Least: 2, Most: 9, LeastOfMeans: 2, MostOfMeans: 38}
	s.P99 = math.Round(s.P99*2) / 2
	if s != want {
		t.Errorf("summarize gives %+v, want %+v", s, want)
	}
	for value, want := range map[float64]string{999: "999 ns", 1500: "1.50 µs", 2.5e9: "2.50 s (1.25 to 4.50)", 34.25e6: "34.2 ms"} {
		least, most := value, value
		if value == 2.5e9 {
			least, most = 1.25e9, 4.5e9
		}
		if got := cell(value, least, most, Nanoseconds); got != want {
			t.Errorf("%v ns are written %q, want %q", value, got, want)
		}
	}
	if got := cell(12345, 12345, 12345, Elements); got != "12,345" {
		t.Errorf("12345 elements are written %q", got)
	}
}
