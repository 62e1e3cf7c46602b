package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// pythonScript does the tasks of KohakuVault, as jobs.go does those of others.
//
//go:embed agent.py
var pythonScript string

func pythonPeers() []Peer {
	peer := func(version, remark string) Peer {
		return Peer{
			Name: "KohakuVault " + version, Class: Durable, Python: version, Remark: remark,
			Durability: "survives the end of the process, but perhaps not whole: a call is several transactions (synchronous=NORMAL)",
		}
	}
	old := peer("0.8.6", "Python; extend and slices")
	return []Peer{old, peer("1.1.0", "Python; append_array and read_array for numbers, else extend and slices")}
}

// python makes the environments, and leaves out, aloud, those peers whose
// environment cannot be made.
func (r *runner) python(chosen []Peer) []Peer {
	r.pythons = map[string]string{}
	return slices.DeleteFunc(chosen, func(p Peer) bool {
		if p.Python == "" {
			return false
		}
		path, err := r.environment(p.Python)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: SKIPPED %s: %v\n", p.Name, err)
			return true
		}
		r.pythons[p.Python] = path
		return false
	})
}

// environment returns the interpreter of a Python environment with KohakuVault.
func (r *runner) environment(version string) (string, error) {
	dir := r.venvs
	if dir == "-" {
		return "", fmt.Errorf("no Python is wanted")
	}
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(cache, "columnvault-bench")
	}
	dir = filepath.Join(dir, "kohakuvault-"+version)
	if out, err := exec.CommandContext(r.ctx, "../test/interop/venv.sh", dir, version).CombinedOutput(); err != nil {
		return "", fmt.Errorf("no environment: %w: %s", err, out)
	}
	return filepath.Join(dir, "bin", "python"), nil
}
