package twin

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "speak" {
		os.Stdout.WriteString("spoken") // the test sees it if it is not written
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestHold: what is held runs, and nobody can change it.
func TestHold(t *testing.T) {
	own, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path, ok := hold(string(own))
	if !ok {
		t.Fatal("nothing is held")
	}
	for range 2 {
		// With descriptors of the child's own, which are laid over this process's.
		cmd := exec.CommandContext(t.Context(), path, "speak")
		cmd.ExtraFiles = []*os.File{os.Stderr, os.Stderr}
		if out, err := cmd.Output(); err != nil || string(out) != "spoken" {
			t.Errorf("%q, %v", out, err)
		}
	}
	for _, flags := range []int{os.O_WRONLY, os.O_RDWR | os.O_TRUNC} {
		f, err := os.OpenFile(path, flags, 0)
		if err != nil {
			continue // as good
		}
		if _, err := f.WriteAt([]byte("x"), 0); err == nil {
			t.Error("what is held can be written")
		}
		f.Close()
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != string(own) {
		t.Errorf("what is held has changed: %d bytes of %d, %v", len(now), len(own), err)
	}
	var fd int
	for _, c := range strings.TrimPrefix(path, "/proc/self/fd/") {
		fd = fd*10 + int(c-'0')
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("the descriptor is inherited: %d, %v", flags, err)
	}
}

// TestNothingHeld: a build without the executable says so, and one that is no program is the system's to refuse.
func TestNothingHeld(t *testing.T) {
	if path, ok := hold(""); ok {
		t.Errorf("%q", path)
	}
	path, ok := hold("no program")
	if !ok {
		t.Fatal("nothing is held")
	}
	if err := exec.CommandContext(t.Context(), path).Run(); err == nil {
		t.Error("what is no program was run")
	}
}
