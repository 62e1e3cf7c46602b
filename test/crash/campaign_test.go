package crash

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// campaign is what the flags of the long form say.
var campaign forms

type forms struct {
	long       bool
	seed       uint64
	time       time.Duration
	executions int64
}

func init() {
	flag.BoolVar(&campaign.long, "campaign.long", false, "run the long form of all tests, and print a table of counts")
	flag.Uint64Var(&campaign.seed, "campaign.seed", 1, "the `seed` of all that is random")
	flag.DurationVar(&campaign.time, "campaign.time", 2*time.Minute, "how `long` each part runs that has no end of its own, in the long form")
	flag.Int64Var(&campaign.executions, "campaign.executions", 1e7, "the `number` of executions of all fuzz targets together, in the long form")
}

// of is the number that belongs to the form that runs: with -short, without, or
// the long one.
func (f *forms) of(short, ordinary, long int) int {
	switch {
	case f.long:
		return long
	case testing.Short():
		return short
	}
	return ordinary
}

// The parts of the campaign, as the table names them.
const (
	partFaults = "1. a failing file system"
	partPower  = "2. power loss"
	partKill   = "3. killed processes"
	partDamage = "4. damaged files"
	partFuzz   = "5. fuzzing"
	partLimits = "6. full disks and limits"
	partMixed  = "7. everything at once"
)

// counts are the rows of the table.
var counts struct {
	sync.Mutex
	rows  [][2]string
	count map[[2]string]int64
}

// count adds to a count of the table.
func count(part, what string, n int) {
	counts.Lock()
	defer counts.Unlock()
	row := [2]string{part, what}
	if _, known := counts.count[row]; !known {
		if counts.count == nil {
			counts.count = map[[2]string]int64{}
		}
		counts.rows = append(counts.rows, row)
	}
	counts.count[row] += int64(n)
}

// markdown is the table.
func markdown() string {
	counts.Lock()
	defer counts.Unlock()
	var b strings.Builder
	b.WriteString("| part | what | count |\n| --- | --- | ---: |\n")
	part := ""
	slices.SortStableFunc(counts.rows, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	for _, row := range counts.rows {
		name := row[0]
		if name == part {
			name = ""
		}
		part = row[0]
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, row[1], thousands(counts.count[row]))
	}
	return b.String()
}

// thousands is a number with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func TestMain(m *testing.M) {
	if role, ok := roles[os.Getenv(roleKey)]; ok {
		if err := role(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	if campaign.long {
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt)
		go func() {
			<-interrupted
			printTable()
			os.Exit(1)
		}()
	}
	code := m.Run()
	if campaign.long || testing.Verbose() {
		printTable()
	}
	os.Exit(code)
}

func printTable() {
	fmt.Printf("\nseed %d, parts without an end of their own for %v\n\n%s\n", campaign.seed, campaign.time, markdown())
}
