package crash

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// roleKey names the environment variable that makes the test binary play a
// role instead of running the tests. What it works on follows as arguments.
const roleKey = "COLUMNVAULT_TEST_ROLE"

var roles = map[string]func(ctx context.Context, args []string) error{
	"record":     record,
	"count":      countBeside,
	"mix":        playMixed,
	"backup":     backup,
	"checkpoint": checkpoint,
	"move":       moveOn,
}

// player is a process of this binary in a role.
type player struct {
	*exec.Cmd
	out *bufio.Scanner
	// said is the last number that the process has printed after each word.
	said map[string]int
}

// start starts this binary in a role.
func start(t *testing.T, role string, args ...string) *player {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleKey+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &player{cmd, bufio.NewScanner(out), map[string]int{}}
}

// hear waits for a line, and returns whether one has come.
func (p *player) hear() bool {
	if !p.out.Scan() {
		return false
	}
	word, number, _ := strings.Cut(p.out.Text(), " ")
	p.said[word], _ = strconv.Atoi(number)
	return true
}

// kill ends the process, and hears what it has said before.
func (p *player) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for p.hear() {
	}
	p.Wait()
}
