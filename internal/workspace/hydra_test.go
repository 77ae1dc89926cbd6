package workspace

import (
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/analyzers"
)

// Whatever config files hold and name, they are read within bounds, and become a literal that Python reads, or nothing.
func FuzzCompose(f *testing.F) {
	for _, texts := range [][3]string{
		{"defaults:\n- g: a\n- optional g@other: b\n- override /g: b\n- _self_\nx: ${g.y}/w.pt\n", "y: 1\ng: {z: [1]}\n", "# @package _global_\ny: {z: ???}\n"},
		{"defaults: [g/a, {g: [a, b]}, {/g@_global_.p.q: a}, {g@_here_: b}]\n", "defaults: [b, _self_]\nw: &a {x: [*a]}\n", "# @package _group_\ndefaults: [/config, a]\n"},
		{"defaults:\n- config\n- g/../config\n- {g: a, h: b}\n- ''\n- []\n- g: null\n- g: ${x}\n", "defaults:\n- b@b@b: a\n- /: a\n- ../../etc: passwd\n", "# @package a.b..c\n<<: &b [*b]\n"},
		{"- a\n", "{", "a: ${b.${a}}\nb: {a: ${a}}\n"},
		{"x: &x {y: *x}\ndefaults: &d [g/a]\nz: {defaults: *d, <<: *x}\n", "x: {y: {z: 1}}\n", ""},
	} {
		f.Add([]byte(texts[0]), []byte(texts[1]), []byte(texts[2]))
	}
	f.Fuzz(func(t *testing.T, config, a, b []byte) {
		if max(len(config), len(a), len(b)) > maxConfig {
			return
		}
		files := map[string][]byte{"config.yaml": config, "g/a.yaml": a, "g/b.yaml": b}
		read := 0
		root := composed(filepath.FromSlash("conf/config.yaml"), func(file string) ([]byte, bool) {
			read++
			name, err := filepath.Rel("conf", file)
			text, ok := files[filepath.ToSlash(name)]
			return text, ok && err == nil
		})
		if read > 2*maxComposed {
			t.Errorf("%d files were read", read)
		}
		if root == nil {
			return
		}
		if python, ok := writeAll(root); ok && !analyzers.Summarise([]byte(python), analyzers.Confined).Whole() {
			t.Errorf("it becomes %q", python)
		}
	})
}
