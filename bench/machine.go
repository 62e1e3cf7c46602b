package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// begun is the memory that the process had at its beginning: the program has
// all peers in it, and what that costs is not to be blamed on one.
var begun, _ = mostMemory("self")

// peakMemory is the most resident memory that this process has had, in bytes,
// beyond what it had at its beginning.
func peakMemory() (int64, error) {
	if peak, err := mostMemory("self"); err == nil {
		return peak - begun, nil
	}
	var usage syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return peakOf(&usage), err
}

// mostMemory is the most resident memory that a program has had, in bytes.
// Linux counts it for the program alone; getrusage counts also what the process
// had before it became this program.
func mostMemory(process string) (int64, error) {
	kilobytes, ok := field("/proc/"+process+"/status", "VmHWM")
	if !ok {
		return 0, errors.ErrUnsupported
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(kilobytes, " kB"), 10, 64)
	return n << 10, err
}

func peakOf(usage *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss << 10
}

// field returns what follows a name and a colon in a file of such lines.
func field(path, name string) (string, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", false
	}
	for line := range bytes.Lines(data) {
		if key, value, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// machine describes where all this runs, in general terms.
func machine() string {
	cpu, ok := field("/proc/cpuinfo", "model name")
	if !ok {
		cpu = runtime.GOARCH
	}
	parts := []string{fmt.Sprintf("%s, %d cores", cpu, runtime.NumCPU())}
	if kilobytes, ok := field("/proc/meminfo", "MemTotal"); ok {
		if n, err := strconv.ParseInt(strings.TrimSuffix(kilobytes, " kB"), 10, 64); err == nil {
			parts = append(parts, fmt.Sprintf("%d GiB of memory", (n+1<<19)>>20))
		}
	}
	system := runtime.GOOS
	if release, err := exec.Command("uname", "-sr").Output(); err == nil {
		system = strings.TrimSpace(string(release))
	}
	if name, ok := fileSystem(); ok {
		system += ", " + name
	}
	return strings.Join(append(parts, system, runtime.Version()), "; ")
}

// fileSystem names that of the folder for temporary files.
func fileSystem() (string, bool) {
	out, err := exec.Command("stat", "-f", "-c", "%T", os.TempDir()).Output()
	return strings.TrimSpace(string(out)), err == nil
}
