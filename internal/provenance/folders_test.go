package provenance

import (
	"os"
	"path/filepath"
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
	var f folders
	for range listAfter {
		if there := f.in(dir); !there("model.pt.sig") {
			t.Fatal("a folder is believed before it is listed")
		}
	}
	if there := f.in(dir); !there("Model.pt") || !there("model.pt") || there("model.pt.sig") {
		t.Error("the listing is wrong")
	}
	add("model.pt.sig", long.Add(time.Minute))
	if there := f.in(dir); !there("model.pt.sig") {
		t.Error("a file that was added is not seen")
	}
	// What has changed this moment may change again without another time to show for it.
	add("other.sig", time.Now())
	if there := f.in(dir); !there("whatever") {
		t.Error("a folder is believed that has just changed")
	}
	var none *folders
	if !none.in(dir)("whatever") || !f.in(filepath.Join(dir, "missing"))("whatever") {
		t.Error("what is not known is taken for absent")
	}
}
