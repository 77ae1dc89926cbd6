package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/secure-torch/secure-torch/sandbox/probe"
)

func probeNames(all bool) []probeName {
	var names []probeName
	for _, p := range probe.All() {
		if all || p.Live {
			names = append(names, probeName{p.Name, p.Alone})
		}
	}
	return names
}

// threads asks the kernel, not the worker, what holds for each of its threads.
func (w *Worker) threads() ThreadState {
	var t ThreadState
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", w.cmd.Process.Pid)) // the pattern is good
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended meanwhile
		}
		t.Seen++
		if strings.Contains(string(text), "\nSeccomp:\t2\n") && strings.Contains(string(text), "\nNoNewPrivs:\t1\n") {
			t.Filtered++
		}
	}
	return t
}
