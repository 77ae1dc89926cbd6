package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/worker"
)

// asProgram has the test binary be the program, so that what is tested is a process with its worker.
const asProgram = "SECURE_TORCH_INDEX_TEST"

func TestMain(m *testing.M) {
	if worker.Wanted(os.Args) {
		worker.Main()
	}
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func index(t *testing.T, model []byte, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.pkl")
	if err := os.WriteFile(path, model, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.ExtraFiles = []*os.File{f} // becomes descriptor 3
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	return out.String(), complaint.String(), err
}

func TestIndex(t *testing.T) {
	out, complaint, err := index(t, []byte("\x80\x02}q\x00."), "--fd", "3", "--name", "a.pkl")
	if err != nil {
		t.Fatal(err, complaint)
	}
	for _, want := range []string{`"verdict":"safe"`, `"path":"a.pkl"`, "KIND", "DONE"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in %q", want, out)
		}
	}
	out, _, err = index(t, []byte("\x80\x02cposix\nsystem\nX\x04\x00\x00\x00echo\x85R."), "--fd", "3")
	if err != nil || !strings.Contains(out, `"verdict":"unsafe"`) || strings.Contains(out, "KIND") {
		t.Errorf("%v, %q: the objects of an unsafe file are described", err, out)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"--fd", "1"}, {"--fd", "3", "--graph", "maybe"}, {"--fd", "3", "more"}, {"--fd", "9"}, {}} {
		out, complaint, err := index(t, []byte("N."), args...)
		if err == nil || out != "" || !strings.Contains(complaint, "error: ") {
			t.Errorf("%q: %v, %q, %q", args, err, out, complaint)
		}
	}
}
