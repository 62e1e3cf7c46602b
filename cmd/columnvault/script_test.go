package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
	"github.com/ncruces/go-sqlite3"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"columnvault": main})
}

// kinds are the types of kinds.jsonl in roundtrip.txtar.
const kinds = "i8=i8,u64=u64,f16=f16,f32=f32,f64=f64,bool=bool,text=str,fix=str:5,raw=bytes,mp=msgpack,cb=cbor,vec=vec:f64:1:2,any=vec:u8"

// TestScripts runs the scripts of testdata/script, each in an empty folder with
// the weather of Seattle in it.
func TestScripts(t *testing.T) {
	weather, err := os.ReadFile("../../testdata/seattle-weather.csv")
	if err != nil {
		t.Fatal(err)
	}
	fixtures, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			// By default the race detector makes every process end a second later.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			env.Setenv("FIXTURES", fixtures)
			env.Setenv("TYPES", kinds)
			return os.WriteFile(filepath.Join(env.WorkDir, "seattle-weather.csv"), weather, 0o666)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "sql": sql, "spoil": spoil, "numbers": numbers, "pack": pack, "visit": visit},
	})
}

// exits runs a command that must end with the code given first.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("the exit code is %d, want %d\n%s", code, want, ts.ReadFile("stderr"))
	}
}

// sql changes a vault without the tool's knowledge. What it does stays in the
// write-ahead log.
func sql(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql file statement")
	}
	db, err := sqlite3.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
	ts.Check(err)
	ts.Check(db.Exec(args[1]))
	ts.Check(db.Close())
}

// spoil overwrites bytes of a file with zeros, from an offset on.
func spoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: spoil file offset bytes")
	}
	offset, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteAt(make([]byte, n), offset)
	ts.Check(err)
	ts.Check(f.Close())
}

// numbers writes the numbers from 0 up to another to a file, one a line.
func numbers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: numbers count file")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var lines []byte
	for i := range n {
		lines = append(strconv.AppendInt(lines, int64(i), 10), '\n')
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), lines, 0o666))
}

// pack writes the content of a file, which is UTF-8, as another program might.
func pack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: pack gzip|zstd|utf16|latin1 file new-file")
	}
	text := ts.ReadFile(args[1])
	var out bytes.Buffer
	switch args[0] {
	case "gzip":
		w := gzip.NewWriter(&out)
		_, err := io.WriteString(w, text)
		ts.Check(errors.Join(err, w.Close()))
	case "zstd":
		w, err := zstd.NewWriter(&out)
		ts.Check(err)
		_, err = io.WriteString(w, text)
		ts.Check(errors.Join(err, w.Close()))
	case "utf16":
		for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
			out.Write(binary.BigEndian.AppendUint16(nil, unit))
		}
	case "latin1":
		for _, r := range text {
			out.WriteByte(byte(r))
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out.Bytes(), 0o666))
}

// visit runs columnvault view on a vault until it has asked for paths. The answers
// become the files 1, 2 and so on, and what view prints stdout.txt. A path without
// a token comes with the cookie.
func visit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: visit file path...")
	}
	tool, err := exec.LookPath("columnvault")
	ts.Check(err)
	cmd := exec.Command(tool, "view", ts.MkAbs(args[0]))
	printed, err := cmd.StdoutPipe()
	ts.Check(err)
	var said bytes.Buffer
	cmd.Stderr = &said
	ts.Check(cmd.Start())
	line, err := bufio.NewReader(printed).ReadString('\n')
	if err != nil {
		cmd.Wait()
		ts.Fatalf("view prints no address: %s", said.String())
	}
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	client := &http.Client{Jar: jar}
	first, err := client.Get(strings.TrimSpace(line))
	ts.Check(err)
	first.Body.Close()
	base := "http://" + first.Request.URL.Host
	for i, path := range args[1:] {
		response, err := client.Get(base + path)
		ts.Check(err)
		body, err := io.ReadAll(response.Body)
		ts.Check(err)
		response.Body.Close()
		ts.Check(os.WriteFile(ts.MkAbs(strconv.Itoa(i+1)), fmt.Appendf(nil, "%d\n%s", response.StatusCode, body), 0o666))
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	if err := cmd.Wait(); err != nil {
		ts.Fatalf("view ends with %v: %s", err, said.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("stdout.txt"), []byte(line), 0o666))
	ts.Check(os.WriteFile(ts.MkAbs("stderr.txt"), said.Bytes(), 0o666))
}
