package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMayReplace(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(at("in"), nil, 0o600), os.WriteFile(at("other"), nil, 0o600), os.Mkdir(at("folder"), 0o700),
		os.Link(at("in"), at("hard")), os.Symlink("in", at("soft")), os.Symlink("nowhere", at("dangling")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		from, to      string
		plain, forced bool // whether it may be written without and with --force
	}{
		{"in", "in", false, false},
		{"in", "folder/../in", false, false},
		{"in", "hard", false, false},
		{"in", "soft", false, false},
		{"soft", "hard", false, false},
		{"in", "folder", false, false},
		{"in", "other", false, true},
		{"in", "dangling", false, true},
		{"in", "new", true, true},
	} {
		if err := mayReplace(at(c.from), dir+"/"+c.to, false); (err == nil) != c.plain {
			t.Errorf("%s to %s: %v", c.from, c.to, err)
		}
		if err := mayReplace(at(c.from), dir+"/"+c.to, true); (err == nil) != c.forced {
			t.Errorf("%s to %s with --force: %v", c.from, c.to, err)
		}
	}
}
