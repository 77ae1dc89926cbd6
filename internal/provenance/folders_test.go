package provenance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFolders: a listed folder knows its names, and is listed again once it has changed.
func TestFolders(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().Add(-time.Hour)
	add := func(name string, then time.Time) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, then, then); err != nil {
			t.Fatal(err)
		}
	}
	add("Model.pt", long)
	add("Model.pt.SIG", long)
	now := time.Now()
	f := folders{now: func() time.Time { return now }}
	for range listAfter {
		if !f.in(dir).may("other.sig") {
			t.Fatal("a folder is believed before it is listed")
		}
	}
	if there := f.in(dir); !there.may("Model.pt.SIG") || !there.may("model.pt.sig") || there.may("other.sig") || there.empty() {
		t.Error("the listing is wrong")
	}
	now = now.Add(2 * believedFor)
	add("other.sig", long.Add(time.Minute))
	if !f.in(dir).may("other.sig") {
		t.Error("a file that was added is not seen")
	}
	// What has changed this moment may change again without another time to show for it.
	now = now.Add(2 * believedFor)
	add("another.sig", time.Now())
	for range 2 {
		if !f.in(dir).may("whatever.sig") {
			t.Error("a folder is believed that has just changed")
		}
	}
	var none *folders
	if !none.in(dir).may("whatever.sig") || !f.in(filepath.Join(dir, "missing")).may("whatever.sig") {
		t.Error("what is not known is taken for absent")
	}
}

// TestFoldersWithNothing: what is no evidence is not kept, and every name that is asked for is.
func TestFoldersWithNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "model.pt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var l folderNames
	if !l.read(dir) || !(nameset{true, l.names}).empty() {
		t.Errorf("%v", l.names)
	}
	for _, ending := range bundleEndings {
		asked(t, "model.pt"+ending)
	}
	for _, name := range bundleNames {
		asked(t, name)
	}
	for _, c := range sbomCandidates("model.pt", ".pt", ".", filepath.Join, true) {
		asked(t, c)
	}
}

func asked(t *testing.T, name string) {
	t.Helper()
	if !mayTell(strings.ToLower(name)) {
		t.Errorf("%s is asked for, and would not be kept", name)
	}
}

// TestAbsolute: paths are those of filepath.Abs, by whatever way.
func TestAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	var f folders
	for range 2 {
		for _, path := range []string{"a", "./a", "x/a", "../a", "x/../a", "x//a", ".", "..", "x/.", "x/..", "", "x/", string(filepath.Separator) + "a"} {
			want, err := filepath.Abs(path)
			if got, err2 := f.absolute(path); got != want || err != nil || err2 != nil {
				t.Errorf("%q: %q, not %q (%v, %v)", path, got, want, err, err2)
			}
		}
	}
}
