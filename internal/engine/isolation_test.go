//go:build linux

package engine_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// takenOver reports truly on the file that takes it over, and calls everything after it tainted.
func takenOver() attack {
	taken := false
	return func(job sandbox.Job, out io.Writer) error {
		var first [1]byte
		if _, err := job.Files[0].ReadAt(first[:], 0); err != nil {
			return err
		}
		return say(func(r *modelscan.Report) {
			r.Artifact = job.Files[0].Name
			if taken { // by another file
				r.Coverage.Notes = append(r.Coverage.Notes, "tainted")
			}
			taken = taken || first[0] == 'Q' // and says nothing
			if first[0] == 'E' {
				taken = true
				r.Findings = append(r.Findings, modelscan.Finding{Rule: rule.PickleOsSystem, Path: r.Artifact})
			}
		})(job, out)
	}
}

// TestNoFileAfterAHostileOne: a worker that reported something is not believed about any other file,
// not even of the same batch.
func TestNoFileAfterAHostileOne(t *testing.T) {
	dir := t.TempDir()
	for i := range 200 {
		content := "clean"
		if i%37 == 20 {
			content = "Evil"
		}
		write(t, filepath.Join(dir, fmt.Sprintf("m%03d.pt", i)), content)
	}
	e := newEngine(t, engine.Options{Exe: impostor(t, nextFile)})
	evil, clean := 0, 0
	e.ScanAll(t.Context(), []string{dir}, func(a *engine.Artifact) {
		switch {
		case slices.Contains(a.Report.Coverage.Notes, "tainted"):
			t.Errorf("%s was scanned by a worker that had been taken over", a.Path)
		case a.Verdict() == modelscan.Unsafe:
			evil++
		case a.Verdict() == modelscan.Safe:
			clean++
		}
	})
	if evil != 5 || clean != 195 {
		t.Errorf("%d evil and %d clean, want 5 and 195", evil, clean)
	}
}

// TestOnePerArtifact: with a worker for each file, one that was taken over without a word can lie about no
// other; without, it can, which is what the option is for.
func TestOnePerArtifact(t *testing.T) {
	dir := t.TempDir()
	for i := range 20 {
		write(t, filepath.Join(dir, fmt.Sprintf("m%03d.pt", i)), "Quiet")
	}
	for _, alone := range []bool{true, false} {
		e := newEngine(t, engine.Options{Exe: impostor(t, nextFile), OnePerArtifact: alone, Workers: 1})
		tainted, safe := 0, 0
		e.ScanAll(t.Context(), []string{dir}, func(a *engine.Artifact) {
			if a.Verdict() == modelscan.Safe {
				safe++
			}
			if slices.Contains(a.Report.Coverage.Notes, "tainted") {
				tainted++
			}
		})
		if safe != 20 || (tainted == 0) != alone {
			t.Errorf("one per artifact %v: %d of %d were scanned by a worker that had been taken over", alone, tainted, safe)
		}
	}
}

// TestNoRepositoryAfterAnother: a worker that one repository's file took over without a word can lie about no other's.
func TestNoRepositoryAfterAnother(t *testing.T) {
	dir := t.TempDir()
	repos := []string{"models--o--a", "models--o--b", "models--o--c"}
	for _, repo := range repos {
		for i := range 10 {
			write(t, filepath.Join(dir, repo, "snapshots", fmt.Sprintf("m%03d.pt", i)), "Quiet")
		}
	}
	e := newEngine(t, engine.Options{Exe: impostor(t, nextFile), Workers: 1})
	var clean []string
	e.ScanAll(t.Context(), []string{dir}, func(a *engine.Artifact) {
		if a.Verdict() != modelscan.Safe {
			t.Errorf("%s: %+v", a.Path, a.Report)
		}
		if !slices.Contains(a.Report.Coverage.Notes, "tainted") {
			rel, _ := filepath.Rel(dir, a.Path) // both are absolute
			clean = append(clean, filepath.ToSlash(rel))
		}
	})
	want := []string{"models--o--a/snapshots/m000.pt", "models--o--b/snapshots/m000.pt", "models--o--c/snapshots/m000.pt"}
	if !slices.Equal(clean, want) { // the control: within a repository it does lie
		t.Errorf("true reports on %q, want %q", clean, want)
	}
}

// TestChangeVoidsTheVerdict: a file that was written to, cut or removed after it was opened is not safe.
func TestChangeVoidsTheVerdict(t *testing.T) {
	const pickle = "\x80\x02}q\x00."
	changes := map[string]func(path string) error{
		"nothing": func(string) error { return nil },
		"written": func(path string) error { return os.WriteFile(path, []byte("\x80\x02]q\x00."), 0o600) },
		"cut":     func(path string) error { return os.Truncate(path, 3) },
		"grown":   func(path string) error { return os.WriteFile(path, []byte(pickle+pickle), 0o600) },
		"removed": os.Remove,
		"moved":   func(path string) error { return os.Rename(path, path+".old") },
		"written, its time set back": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte("\x80\x02]q\x00."), 0o600); err != nil {
				return err
			}
			return os.Chtimes(path, info.ModTime(), info.ModTime())
		},
	}
	e := newEngine(t, engine.Options{})
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "m.pt"), pickle)
			old := time.Now().Add(-time.Hour) // a clock that ticks slowly shows the change all the same
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
			f, err := artifact.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			waitForTick(t, filepath.Dir(path))
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			a, _, err := e.IndexFile(t.Context(), f, engine.IndexNever)
			if err != nil {
				t.Fatal(err)
			}
			noticed := slices.ContainsFunc(a.Report.Gaps, func(g modelscan.Gap) bool { return g.Rule == rule.ChangedDuringScan })
			if changed := name != "nothing"; noticed != changed || (a.Verdict() == modelscan.Safe) == changed {
				t.Errorf("verdict %s: %+v", a.Verdict(), a.Report)
			}
		})
	}
}

// waitForTick returns when the file system's clock has moved on.
func waitForTick(t *testing.T, dir string) {
	t.Helper()
	stamp := func() time.Time {
		path := write(t, filepath.Join(dir, "tick"), "")
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	for first := stamp(); stamp().Equal(first); {
	}
}
