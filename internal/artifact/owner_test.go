package artifact

import (
	"path/filepath"
	"testing"
)

func TestOwners(t *testing.T) {
	dir := tree(t, t.TempDir(), map[string]string{
		"hub/models--o--n/snapshots/x/sub/f.bin": "", "hub/models--o--m/blobs/y": "", "clone/.git/HEAD": "", "clone/deep/er/f.bin": "",
		"clone/inner/.git": "gitdir: x", "clone/inner/f.bin": "", "down/.cache/huggingface/.gitignore": "*", "down/f.bin": "", "loose/f.bin": "",
	})
	t.Chdir(filepath.Join(dir, "clone"))
	var o Owners
	for range 2 { // looked at, and remembered
		for path, want := range map[string]string{
			"hub/models--o--n/snapshots/x/sub/f.bin": "hub/models--o--n", "hub/models--o--m/blobs/y": "hub/models--o--m",
			"clone/deep/er/f.bin": "clone", "clone/f.bin": "clone", "clone/inner/f.bin": "clone/inner", "down/f.bin": "down",
		} {
			if got := o.Of(filepath.Join(dir, path)); got != filepath.Join(dir, want) {
				t.Errorf("%s: %q", path, got)
			}
		}
		if got := o.Of("deep/f.bin"); got != filepath.Join(dir, "clone") {
			t.Errorf("a relative path: %q", got)
		}
		if got := o.Of(filepath.Join(dir, "loose", "f.bin")); got != o.Of(filepath.Join(dir, "f.bin")) {
			t.Errorf("in no repository: %q", got)
		}
	}
	for i := range 3 * maxOwners {
		o.Of(filepath.Join("/nowhere", string(rune('a'+i%26)), string(rune(0x4e00+i)), "f"))
	}
	if len(o.of) > maxOwners+100 {
		t.Errorf("%d folders are remembered", len(o.of))
	}
}
