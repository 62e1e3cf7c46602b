package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Set is a list of elements of a kind, what is done with it, and by whom. Each
// phase is a process of its own.
type Set struct {
	Name   string
	Kind   Kind
	N      int
	Phases []string
	peer   func(Peer) bool
	// once says that one round is enough.
	once bool
}

func anyPeer(p Peer) bool { return !p.OnlySynced }

// sets are all there are, for these options.
func (o *options) allSets() (all []Set) {
	phases := []string{phaseWrite, phaseRead, phaseChance, phaseEdit}
	list := func(k Kind, n int) Set { return Set{fmt.Sprintf("%s %s", count(n), k), k, n, phases, anyPeer, false} }
	first := o.sizes[0]
	for _, n := range o.sizes {
		all = append(all, list(Ints, n))
	}
	f64 := list(Floats, first) // in which edits cost what they cost in i64
	f64.Phases = []string{phaseWrite, phaseRead}
	all = append(all, f64, list(Bytes, first), list(Strings, first/5), list(Records, first/5), list(Rows, first/5),
		Set{"commits that wait for the disk", Ints, first / 10, []string{phaseSync}, func(p Peer) bool { return p.Synced }, false},
		Set{"killed while appending", Ints, 1 << 40, []string{phaseKill, phaseCount}, func(p Peer) bool { return p.Class <= Loose && !p.OnlySynced }, false})
	if o.growth > 0 {
		all = append(all, Set{"growth", Ints, o.growth, []string{phaseGrow}, func(p Peer) bool { return p.Name == "columnvault" }, true})
	}
	if o.csv != "" || o.records > 0 {
		all = append(all, Set{"CSV", "", 0, []string{phaseImport, phaseExport}, func(p Peer) bool { return p.Import != nil }, false})
	}
	return all
}

// runner runs the processes of the peers.
type runner struct {
	*options
	ctx     context.Context
	self    string
	samples io.Writer
	all     []Sample
	round   int
	csvFile string
	tool    string
	pythons map[string]string // the interpreters of versions of KohakuVault
	work    string
	random  *rand.Rand
	ends    time.Time // when the limit is reached
}

func (o *options) runAll(stop <-chan os.Signal) (err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-stop
		cancel()
	}()
	r := &runner{options: o, ctx: ctx, random: rand.New(rand.NewPCG(3, 4)), samples: io.Discard, ends: time.Now().Add(o.limit)}
	if r.self, err = os.Executable(); err != nil {
		return err
	}
	if r.work, err = os.MkdirTemp(o.dir, "bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	wanted, err := regexp.Compile(o.sets)
	if err != nil {
		return fmt.Errorf("-sets: %w", err)
	}
	sets := slices.DeleteFunc(o.allSets(), func(s Set) bool { return !wanted.MatchString(s.Name) })
	chosen, err := choose(o.peers)
	if err != nil {
		return err
	}
	chosen = r.python(chosen)
	if slices.ContainsFunc(sets, func(s Set) bool { return s.Name == "CSV" }) {
		if err := r.prepareCSV(); err != nil {
			return err
		}
	}
	if o.out != "" {
		f, err := os.OpenFile(o.out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
		if err != nil {
			return err
		}
		defer f.Close()
		r.samples = f
	}
	header := newHeader(o, chosen)
	if err := json.NewEncoder(r.samples).Encode(header); err != nil {
		return err
	}
	var longest time.Duration
	for r.round = range o.rounds {
		start := time.Now()
		if r.round > 0 && time.Until(r.ends) < longest {
			fmt.Fprintf(os.Stderr, "no round %d: it would take longer than -limit allows\n", r.round+1)
			break
		}
		for _, s := range sets {
			if s.once && r.round > 0 {
				continue
			}
			for i := range chosen { // each round begins with another
				p := chosen[(i+r.round)%len(chosen)]
				if s.peer(p) && r.ctx.Err() == nil {
					if err := r.run(s, p); err != nil {
						return err
					}
				}
			}
		}
		longest = max(longest, time.Since(start))
	}
	if r.ctx.Err() != nil {
		return errors.New("interrupted: there are no tables")
	}
	return o.write(report(header, r.all))
}

// run has a peer do the phases of a set. What fails costs the peer's cells.
func (r *runner) run(s Set, p Peer) error {
	columns := map[string]time.Duration{p.Name: -1}
	if s.Phases[0] == phaseKill && p.Holds {
		columns = map[string]time.Duration{p.Name: -1, p.Name + ", held": 0, p.Name + ", held for 100 ms": 100 * time.Millisecond}
	}
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		dir, err := os.MkdirTemp(r.work, "peer-")
		if err != nil {
			return err
		}
		t := Task{Peer: p.Name, Kind: s.Kind, N: s.N, Dir: dir, Jobs: r.jobs, Calls: r.calls, Budget: r.budget,
			Hold: columns[column], CSV: r.csvFile, Tool: r.tool, ImportArgs: r.importArgs}
		for _, t.Phase = range s.Phases {
			start := time.Now()
			err := r.process(s, p, column, t)
			fmt.Fprintf(os.Stderr, "round %d of %d, %s, %s: %s %.1f s\n", r.round+1, r.rounds, s.Name, column, t.Phase, time.Since(start).Seconds())
			if err != nil {
				r.add(Sample{Peer: column, Set: s.Name, Round: r.round, Job: t.Phase, Error: err.Error()})
				break
			}
		}
		if err := errors.Join(os.RemoveAll(dir), os.RemoveAll(acknowledged(dir))); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) add(s Sample) {
	if s.Error != "" {
		fmt.Fprintf(os.Stderr, "%s, %s, %s: %s\n", s.Set, s.Peer, s.Job, s.Error)
	}
	r.all = append(r.all, s)
	if err := json.NewEncoder(r.samples).Encode(s); err != nil {
		fmt.Fprintln(os.Stderr, "bench: a sample could not be written:", err)
	}
}

// process runs one phase in a process.
func (r *runner) process(s Set, p Peer, column string, t Task) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if time.Until(r.ends) <= 0 {
		return errors.New("left out: the run has taken as long as -limit allows")
	}
	ctx, cancel := context.WithTimeout(r.ctx, min(r.timeout, time.Until(r.ends)))
	defer cancel()
	args := []string{r.self, "task", string(text)}
	if p.Python != "" {
		args = []string{r.pythons[p.Python], "-c", pythonScript, string(text)}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var said tail
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	killed := make(chan bool, 1)
	living, ended := context.WithCancel(ctx)
	defer ended()
	if delay := r.budget + time.Duration(r.random.Int64N(int64(r.budget/2))); t.Phase == phaseKill {
		go func() { killed <- killLater(living, cmd.Process, t.Dir, delay) }()
	} else {
		killed <- false
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var sample Sample
		if err := json.Unmarshal(lines.Bytes(), &sample); err != nil {
			continue // what a library prints
		}
		if sample.Peer == "" {
			sample.Peer = column
		}
		sample.Set, sample.Round = s.Name, r.round
		r.add(sample)
	}
	ended()
	err = errors.Join(lines.Err(), cmd.Wait())
	switch {
	case <-killed:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("not done after %v, or when -limit was reached", r.timeout)
	case err != nil:
		return fmt.Errorf("%w: %s", err, said.last())
	}
	return nil
}

// killLater kills a process some time after its first acknowledged append, with
// a signal that it does not notice, and tells whether it has. It gives up when
// the process has ended by itself.
func killLater(ctx context.Context, p *os.Process, dir string, delay time.Duration) bool {
	for n := 0; n == 0; time.Sleep(time.Millisecond) {
		var err error
		if n, err = countOf(acknowledged(dir)); err != nil || ctx.Err() != nil {
			return false
		}
	}
	time.Sleep(delay)
	return p.Kill() == nil
}

// tail keeps the end of what is written.
type tail struct{ bytes.Buffer }

func (t *tail) Write(b []byte) (int, error) {
	n, err := t.Buffer.Write(b)
	if t.Len() > 1<<16 {
		t.Next(t.Len() - 1<<15)
	}
	return n, err
}

// last is the line that tells most: that of a panic, or the last.
func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(t.String()), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return line
		}
	}
	return lines[len(lines)-1]
}

// prepareCSV makes the file to import, and builds the tool.
func (r *runner) prepareCSV() (err error) {
	if r.csvFile = r.csv; r.csv == "" {
		r.csvFile = filepath.Join(r.work, "generated.csv")
		if err := generateCSV(r.csvFile, r.records); err != nil {
			return err
		}
	}
	if r.csvFile, err = filepath.Abs(r.csvFile); err != nil {
		return err
	}
	r.tool = filepath.Join(r.work, "columnvault")
	build := exec.CommandContext(r.ctx, "go", "build", "-o", r.tool, "./cmd/columnvault")
	build.Dir = ".." // with the libraries of its own module
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("the tool cannot be built: %w: %s", err, out)
	}
	return nil
}
