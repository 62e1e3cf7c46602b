package feed_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"columnvault/dtype"
	"columnvault/feed"
	"columnvault/internal/vaulttest"
)

// TestSpark has a cluster of Spark read a table after each of three runs, and once
// while one of its executors is killed. What it counts and adds is what the vault
// has.
func TestSpark(t *testing.T) {
	python := python(t)
	if os.Getenv("COLUMNVAULT_ICEBERG_JAR") == "" {
		t.Skip("COLUMNVAULT_ICEBERG_JAR names no iceberg-spark-runtime")
	}
	v, dir := vaulttest.Open(t), filepath.Join(t.TempDir(), "table")
	vaulttest.Create(t, v, "n", dtype.Int64)
	vaulttest.Create(t, v, "s", dtype.String)

	cmd := exec.CommandContext(t.Context(), python, "testdata/spark.py", dir)
	cmd.Env = append(os.Environ(), "PYSPARK_PYTHON="+python, "SPARK_LOCAL_IP=127.0.0.1", "SPARK_LOCAL_HOSTNAME=127.0.0.1")
	questions, err := cmd.StdinPipe()
	vaulttest.Must(t, err)
	answers, err := cmd.StdoutPipe()
	vaulttest.Must(t, err)
	var log strings.Builder
	cmd.Stderr = &log
	vaulttest.Must(t, cmd.Start())
	defer func() {
		err := errors.Join(questions.Close(), cmd.Wait())
		if err != nil || t.Failed() {
			t.Errorf("Spark ends with %v\n%s", err, log.String())
		}
	}()
	lines := bufio.NewScanner(answers)
	type answer struct {
		All, Part         any
		Schema            string
		Tasks             int
		Running           bool
		Done, Before, New int
	}
	ask := func(format string, args ...any) (a answer) {
		t.Helper()
		_, err := fmt.Fprintf(questions, format+"\n", args...)
		vaulttest.Must(t, err)
		if !lines.Scan() {
			t.Fatalf("Spark does not answer: %v", lines.Err())
		}
		vaulttest.Must(t, json.Unmarshal(lines.Bytes(), &a))
		return a
	}
	// ours is the same of the vault.
	ours := func(from, to int) string {
		t.Helper()
		n := vaulttest.Lookup(t, v, "n", dtype.Int64)
		list, err := n.Slice(t.Context(), from, to)
		vaulttest.Must(t, err)
		total := int64(0)
		for _, x := range list {
			total += x
		}
		return fmt.Sprint([]any{float64(len(list)), float64(total), float64(list[0]), float64(list[len(list)-1])})
	}

	rows := 0
	for _, next := range []int{20_000, 20_001, 60_000} {
		count(t, v, next)
		run(t, v, nil, dir, &feed.Options{FileBytes: 32 << 10})
		rows = next
		from, to := rows/3, rows/3+1234
		a := ask(`{"do": "ask", "from": %d, "to": %d}`, from, to)
		if fmt.Sprint(a.All) != ours(0, rows) || fmt.Sprint(a.Part) != ours(from, to) {
			t.Errorf("after %d rows Spark has %v and %v, the vault %s and %s", rows, a.All, a.Part, ours(0, rows), ours(from, to))
		}
		if a.Schema != "struct<n:bigint,s:string>" {
			t.Errorf("the schema is %s", a.Schema)
		}
		t.Logf("%d rows in %d tasks: %v, %d rows of a range", rows, a.Tasks, a.All, to-from)
	}
	a := ask(`{"do": "kill"}`)
	if fmt.Sprint(a.All) != ours(0, rows) {
		t.Errorf("with an executor killed Spark has %v, the vault %s", a.All, ours(0, rows))
	}
	if !a.Running || a.Done == 0 || a.Before != 2 || a.New == 0 {
		t.Errorf("the executor was not killed in the middle of the query: %+v", a)
	}
	t.Logf("with one of %d executors killed after %d tasks, and %d new: %v", a.Before, a.Done, a.New, a.All)
}
