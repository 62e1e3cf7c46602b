// Command bench runs columnvault beside its peers and writes the tables of
// docs/benchmarks.md. README.md has what it measures, and how.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the command, or with "task" and a Task in JSON the process of a peer.
func run(args []string) error {
	if len(args) == 2 && args[0] == "task" {
		return runTask(args[1])
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.from != "" {
		return o.tables(o.from)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	return o.runAll(stop)
}

func runTask(text string) error {
	var t Task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	m, err := newMeter(t, os.Stdout)
	if err != nil {
		return err
	}
	for _, p := range peers() {
		if p.Name == t.Peer {
			return perform(m, p)
		}
	}
	return fmt.Errorf("no peer is called %q", t.Peer)
}

// options are the flags.
type options struct {
	rounds            int
	sizes             []int
	peers, sets, jobs string
	short             bool
	calls             int
	budget, timeout   time.Duration
	limit             time.Duration
	growth, records   int
	csv, dir, venvs   string
	importArgs        []string
	out, from, docs   string
}

func parse(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := f.String("sizes", "1000000,10000000", "how many `elements`; in the middle of more than 2,000,000 nothing is inserted; strings and records are a fifth of the first, and only i64 takes the others")
	f.IntVar(&o.rounds, "rounds", 3, "how often everything is run at most; growth is measured once")
	f.DurationVar(&o.limit, "limit", 40*time.Minute, "how long the whole may take: a round does not begin that would take longer by the longest before, and one that does nevertheless is cut off")
	f.StringVar(&o.peers, "peers", "", "a `regexp` of the names of the peers")
	f.StringVar(&o.sets, "sets", "", "a `regexp` of the names of the sets")
	f.StringVar(&o.jobs, "jobs", "", "a `regexp` of the jobs to measure; lists are filled anyway")
	f.BoolVar(&o.short, "short", false, "a thousandth of it all, in one round, printed and not written")
	f.IntVar(&o.calls, "calls", 10_000, "how often single operations are called")
	f.DurationVar(&o.budget, "budget", 300*time.Millisecond, "for how long at most they are, but once at least")
	f.DurationVar(&o.timeout, "timeout", 3*time.Minute, "how long the process of a peer may take for a phase of a set")
	f.IntVar(&o.growth, "growth", 100_000_000, "to how many elements lists grow; 0 leaves it out")
	f.StringVar(&o.csv, "csv", "", "a CSV `file` to import in place of a generated one")
	f.IntVar(&o.records, "records", 1_683_880, "how many records the generated CSV file has; 0 leaves it out")
	importArgs := f.String("import-args", "", "more `arguments` of columnvault import, for the CSV file")
	f.StringVar(&o.dir, "dir", os.TempDir(), "the `folder` below which everything is stored, and then removed")
	f.StringVar(&o.venvs, "venvs", "", "the `folder` of the Python environments; by default one in the user's cache, and - for none")
	f.StringVar(&o.out, "out", "", "the `file` to which samples are added, as lines of JSON")
	f.StringVar(&o.from, "from", "", "a `file` of samples: make the tables of it, and measure nothing")
	f.StringVar(&o.docs, "docs", "../docs/benchmarks.md", "the `document` that gets the tables; - prints them")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("there are no arguments beside flags: %q", f.Args())
	}
	o.importArgs = strings.Fields(*importArgs)
	for text := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 10 {
			return nil, fmt.Errorf("-sizes: %q is no number from 10 on", text)
		}
		o.sizes = append(o.sizes, n)
	}
	if o.short {
		given := map[string]bool{}
		f.Visit(func(f *flag.Flag) { given[f.Name] = true })
		short := func(name string, set func()) {
			if !given[name] {
				set()
			}
		}
		short("rounds", func() { o.rounds = 1 })
		short("sizes", func() { o.sizes = []int{10_000} })
		short("calls", func() { o.calls = 100 })
		short("budget", func() { o.budget = 50 * time.Millisecond })
		short("growth", func() { o.growth = 100_000 })
		short("records", func() { o.records = 2000 })
		short("docs", func() { o.docs = "-" })
		short("venvs", func() { o.venvs = "-" })
	}
	return o, nil
}
