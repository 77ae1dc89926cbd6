package engine_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/ranges"
	"github.com/secure-torch/secure-torch/internal/cache"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/modelscan"
)

// TestBeside: what a configuration or an index says is held against the files in its folder, as a hub's cache
// has them too.
func TestBeside(t *testing.T) {
	dir := t.TempDir()
	const acting = "import os\nos.system('echo pwned')\n"
	config := write(t, filepath.Join(dir, "acting", "config.json"), `{"auto_map": {"AutoModel": "helper.X"}}`)
	helper := write(t, filepath.Join(dir, "acting", "helper.py"), acting)
	write(t, filepath.Join(dir, "alone", "config.json"), `{"auto_map": {"AutoModel": "helper.X"}}`)
	write(t, filepath.Join(dir, "part", "model.safetensors.index.json"), `{"weight_map": {"a": "m-1-of-2.safetensors", "b": "m-2-of-2.safetensors"}}`)
	write(t, filepath.Join(dir, "part", "m-1-of-2.safetensors"), "x")
	write(t, filepath.Join(dir, "none", "pytorch_model.bin.index.json"), `{"weight_map": {"a": "m-1-of-2.bin", "b": "m-2-of-2.bin"}}`)
	snapshot := filepath.Join(dir, "models--o--n", "snapshots", strings.Repeat("0a", 20))
	write(t, filepath.Join(dir, "models--o--n", "blobs", "1"), acting)
	write(t, filepath.Join(snapshot, "config.json"), `{"auto_map": {"AutoModel": "helper.X"}}`)
	if err := os.Symlink("../../blobs/1", filepath.Join(snapshot, "helper.py")); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		config: "ST501 ST507 unsafe", helper: "ST511 review",
		filepath.Join(dir, "alone", "config.json"):                 "ST501 ST513 review",
		filepath.Join(dir, "part", "model.safetensors.index.json"): "ST905 incomplete",
		filepath.Join(dir, "none", "pytorch_model.bin.index.json"): "note safe",
		filepath.Join(snapshot, "config.json"):                     "ST501 ST507 unsafe",
	}
	store, err := cache.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, engine.Options{Cache: store})
	e.KeepAtOnce()
	scansAs(t, e, dir, want)
	if again := e.ScanFile(t.Context(), config); !again.Cached {
		t.Error("the same folder was read twice")
	}
	if err := os.WriteFile(helper, []byte("class X: pass\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := rules(e.ScanFile(t.Context(), config).Report); got != "ST501 review" {
		t.Errorf("mended: %s", got)
	}
}

// TestBesideMany: requests stay below the number of files that one may bring, and a file that a loader would import and
// that is one too many is a gap; Python that nobody imports is not.
func TestBesideMany(t *testing.T) {
	dir := t.TempDir()
	const many = 150
	for i := range many {
		text := "class X: pass\n"
		if i > 0 {
			text = "from . import m" + strings.Repeat("x", i-1) + "\n" + text
		}
		write(t, filepath.Join(dir, "m"+strings.Repeat("x", i)+".py"), text)
	}
	want := map[string]string{}
	config := func(name string, n int, rules string) {
		want[write(t, filepath.Join(dir, name), `{"auto_map": {"AutoModel": "m`+strings.Repeat("x", n)+`.X"}}`)] = rules
	}
	config("aconfig.json", 0, "ST501 review")
	config("bconfig.json", 20, "ST501 review")
	config("cconfig.json", 0, "ST501 review")
	config("zconfig.json", many-1, "ST501 ST905 incomplete") // at the end of too long a chain
	wide := "from . import x0"
	for i := range many {
		write(t, filepath.Join(dir, "wide", fmt.Sprintf("x%d.py", i)), "")
		wide += fmt.Sprintf(", x%d", i)
	}
	write(t, filepath.Join(dir, "wide", "m.py"), wide+"\n")
	want[write(t, filepath.Join(dir, "wide", "config.json"), `{"auto_map": {"AutoModel": "m.X"}}`)] = "ST501 " + strings.Repeat("ST905 ", many-119) + "incomplete"
	e := newEngine(t, engine.Options{Workers: 1})
	scansAs(t, e, dir, want)
}

// TestBesideCrowd: where so much lies around a file that it is not all listed, what that has imported is not known.
func TestBesideCrowd(t *testing.T) {
	dir := t.TempDir()
	for i := range 4200 {
		write(t, filepath.Join(dir, "lib", fmt.Sprintf("x%d.py", i)), "")
	}
	hubconf := write(t, filepath.Join(dir, "hubconf.py"), "import lib.x4199\n")
	plain := write(t, filepath.Join(dir, "config.json"), "{}")
	code := write(t, filepath.Join(dir, "tokenizer_config.json"), `{"auto_map": {"AutoTokenizer": ["lib/x4199.T", null]}}`)
	e := newEngine(t, engine.Options{Workers: 1})
	for path, want := range map[string]string{hubconf: "ST902 incomplete", code: "ST501 ST902 incomplete", plain: "safe"} {
		if got := rules(e.ScanFile(t.Context(), path).Report); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestBesideLinks: Python follows links to folders; what lies behind one that leads away is not opened, and not taken for
// nothing.
func TestBesideLinks(t *testing.T) {
	const acting = "import os\nos.system('echo pwned')\n"
	dir := t.TempDir()
	link := func(to, at string) {
		if err := os.Symlink(to, filepath.Join(dir, at)); err != nil {
			t.Fatal(err)
		}
	}
	inner := write(t, filepath.Join(dir, "inner", "hubconf.py"), "import net.m\n")
	write(t, filepath.Join(dir, "inner", "src", "m.py"), acting)
	link("src", "inner/net")
	outer := write(t, filepath.Join(dir, "outer", "hubconf.py"), "import net.m\n")
	link("../inner/src", "outer/net")
	round := write(t, filepath.Join(dir, "round", "hubconf.py"), "import net.m\n")
	link(".", "round/net")
	file := write(t, filepath.Join(dir, "file", "hubconf.py"), "import m\n")
	link("../inner/src/m.py", "file/m.py")
	e := newEngine(t, engine.Options{Workers: 1})
	for path, want := range map[string]string{inner: "ST507 unsafe", outer: "ST902 incomplete", round: "ST902 incomplete", file: "ST905 incomplete"} {
		if got := rules(e.ScanFile(t.Context(), path).Report); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// rules of the findings and gaps, whether there are notes, and the verdict.
func rules(r *modelscan.Report) string {
	var words []string
	for _, f := range r.Findings {
		words = append(words, string(f.Rule))
	}
	for _, g := range r.Gaps {
		words = append(words, string(g.Rule))
	}
	if len(r.Coverage.Notes) > 0 {
		words = append(words, "note")
	}
	return strings.Join(append(words, r.Verdict().String()), " ")
}

// TestBesideRemote: the same of a repository that is not on this machine, by ranges and in full.
func TestBesideRemote(t *testing.T) {
	const acting = "import os\nos.system('echo pwned')\n"
	texts := map[string]string{
		"acting/config.json": `{"auto_map": {"AutoModel": "helper.X"}}`, "acting/helper.py": acting,
		"spelled/config.json": `{"\u0061uto_map": {"AutoModel": "helper.X"}}`, "spelled/helper.py": acting,
		"far/config.json": `{"auto_map": {"AutoModel": "helper.X"}}`, "far/sub/helper.py": acting,
		"part/model.safetensors.index.json": `{"weight_map": {"a": "m-1-of-2.safetensors", "b": "m-2-of-2.safetensors"}}`, "part/m-1-of-2.safetensors": "x",
		"none/pytorch_model.bin.index.json": `{"weight_map": {"a": "m-1-of-2.bin", "b": "m-2-of-2.bin"}}`,
		"plain/config.json":                 `{}`, "plain/helper.py": "x = 1\n",
	}
	want := map[string]string{
		"acting/config.json": "ST501 ST507 unsafe", "acting/helper.py": "ST511 review", "spelled/config.json": "ST501 ST507 unsafe",
		"far/config.json": "ST501 ST513 review", "part/model.safetensors.index.json": "ST905 incomplete", "none/pytorch_model.bin.index.json": "note safe",
		"plain/config.json": "safe",
	}
	store, err := cache.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, engine.Options{Cache: store})
	var mu sync.Mutex
	fetched := map[string]int{}
	listing := func(folders bool, broken string) *remote.Listing {
		list := &remote.Listing{Name: "hf:o/m@c", Commit: "c", Folders: folders}
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			f := file([]byte(texts[name]), -1, nil)
			sum := sha256.Sum256([]byte(texts[name]))
			f.Path, f.Name, f.URI, f.SHA256 = name, "hf:o/m@c/"+name, "u/"+name, hex.EncodeToString(sum[:])
			content := []byte(texts[name])
			f.Open = func(ctx context.Context) remote.Content {
				return ranges.New(ctx, int64(len(content)), ranges.Limits{}, func(_ context.Context, off, n int64) (ranges.Part, error) {
					mu.Lock()
					defer mu.Unlock()
					if fetched[name]++; name == broken {
						return ranges.Part{Requests: 1}, &remote.Error{Detail: "hung up"}
					}
					return ranges.Part{Data: content[off:min(off+n, int64(len(content)))], Total: int64(len(content)), Requests: 1}, nil
				})
			}
			list.Files = append(list.Files, f)
		}
		return list
	}
	scan := func(list *remote.Listing, full bool) map[string]*engine.Artifact {
		out := map[string]*engine.Artifact{}
		for i, a := range scanRemote(t, e, list, engine.RemoteOptions{Full: full}) {
			out[list.Files[i].Path] = a
		}
		return out
	}
	broken := scan(listing(true, "acting/helper.py"), false)
	if got := rules(broken["acting/config.json"].Report); got != "ST501 ST905 incomplete" {
		t.Errorf("a module that can't be fetched: %s", got)
	}
	clear(fetched)
	for _, full := range []bool{false, true} {
		all := scan(listing(true, ""), full)
		for name, w := range want {
			if got := rules(all[name].Report); got != w || !all[name].Origin.Verified {
				t.Errorf("%s, full %v: %s, want %s; %+v", name, full, got, w, all[name].Origin)
			}
		}
		if n := fetched["acting/helper.py"]; !full && n != 1 {
			t.Errorf("a module was fetched %d times", n)
		}
		if n := fetched["plain/helper.py"]; !full && n > 1 {
			t.Errorf("a module that nothing names was fetched %d times", n)
		}
	}
	if again := scan(listing(true, ""), false)["acting/config.json"]; !again.Cached || rules(again.Report) != want["acting/config.json"] {
		t.Errorf("scanned again: cached %v, %s", again.Cached, rules(again.Report))
	}
	texts["acting/helper.py"] = "class X: pass\n"
	if mended := scan(listing(true, ""), false)["acting/config.json"]; mended.Cached || rules(mended.Report) != "ST501 review" {
		t.Errorf("with another module: cached %v, %s", mended.Cached, rules(mended.Report))
	}
	if alone := scan(listing(false, ""), false)["far/config.json"]; rules(alone.Report) != "ST501 review" {
		t.Errorf("of a listing without all files nothing is missing: %s", rules(alone.Report))
	}
}

// scansAs scans a folder and compares what is found in its files, by their paths.
func scansAs(t *testing.T, e *engine.Engine, dir string, want map[string]string) {
	t.Helper()
	e.ScanAll(t.Context(), []string{dir}, func(a *engine.Artifact) {
		path := strings.ReplaceAll(a.Path, "//", "/")
		if w, ok := want[path]; ok && rules(a.Report) != w {
			t.Errorf("%s: %s, want %s", path, rules(a.Report), w)
		}
		delete(want, path)
	})
	if len(want) > 0 {
		t.Errorf("not scanned: %v", want)
	}
}
