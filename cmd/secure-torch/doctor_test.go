package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/secure-torch/secure-torch/sandbox"
)

// TestHintHelps: --sandbox=auto is no advice where no mode has a worker.
func TestHintHelps(t *testing.T) {
	const auto = "--sandbox=auto"
	for err, want := range map[error]bool{&sandbox.UnavailableError{}: true, fmt.Errorf("start a worker: %w", sandbox.ErrNoProc): false} {
		h, ok := errors.AsType[hinted](withoutWorker(err, auto))
		if !ok || (h.hint == auto) != want {
			t.Errorf("%v: %q", err, h.hint)
		}
	}
}

// TestDoctorProvesOrRefuses: exit 0 only where every layer that is needed is in force and every
// attempt was stopped; without a sandbox it says so and ends with 2.
func TestDoctorProvesOrRefuses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("seccomp is Linux's")
	}
	for mode, want := range map[string]int{"strict": exitOK, "auto": exitOK, "off": exitTrouble} {
		var stdout, stderr bytes.Buffer
		code := run([]string{"doctor", "--json", "--sandbox=" + mode}, &stdout, &stderr)
		var d sandbox.Diagnosis
		if err := json.Unmarshal(stdout.Bytes(), &d); err != nil {
			t.Fatalf("%s: %v: %s%s", mode, err, stdout.String(), stderr.String())
		}
		stopped := 0
		for _, p := range d.Probes {
			if p.Stopped {
				stopped++
			}
		}
		if code != want || d.OK != (want == exitOK) || len(d.Probes) < 8 || d.OK && stopped != len(d.Probes) {
			t.Errorf("%s: exit %d, want %d: %+v", mode, code, want, d)
		}
	}
}
