package artifact

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/secure-torch/secure-torch/internal/ref"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// tree makes files ("name": content), folders ("name/": "") and links ("name": "-> target").
func tree(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		var err error
		target, link := strings.CutPrefix(content, "-> ")
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		case link:
			err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(filepath.FromSlash(target), path))
		default:
			err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// hub is a cache with links, as huggingface_hub lays it out.
func hub(t *testing.T) string {
	t.Helper()
	snap := "models--org--name/snapshots/" + commit + "/"
	return tree(t, t.TempDir(), map[string]string{
		"models--org--name/refs/main":  commit,
		"models--org--name/refs/bad":   "../../../../etc/passwd",
		"models--org--name/refs/pr/1":  strings.Repeat("f", 40),
		"models--org--name/blobs/aaaa": "safetensors",
		"models--org--name/blobs/bbbb": "pickle",
		"models--org--name/blobs/cccc": "{}",
		snap + "model.safetensors":     "-> ../../blobs/aaaa",
		snap + "pytorch_model.bin":     "-> ../../blobs/bbbb",
		snap + "config.json":           "-> ../../blobs/cccc",
		snap + "secret.pkl":            "-> ../../../outside",
		snap + "1_Pooling/config.json": "-> ../../../blobs/cccc",
		"models--plain/refs/main":      commit + "\n",
		"models--plain/snapshots/" + commit + "/pytorch_model-00001-of-00002.bin": "x",
		"models--plain/snapshots/" + commit + "/pytorch_model-00002-of-00002.bin": "y",
		"models--plain/snapshots/" + commit + "/training_args.bin":                "z",
		"models--org--empty/": "",
		"outside":             "secret",
	})
}

func TestResolve(t *testing.T) {
	cache := hub(t)
	work := tree(t, t.TempDir(), map[string]string{
		"a.pt": "a", "models/b.pt": "b", "models/c.pt": "c", "models/notes.txt": "n", "src/here.pt": "h", "org/local/model.safetensors": "l",
		"models/sub/": "", "fold/pytorch_model.bin": "p", "fold/.hidden/evil.bin": "x",
	})
	base := Base{SourceDir: filepath.Join(work, "src"), WorkDir: work, HubCache: cache}
	snap := filepath.Join(cache, "models--org--name", "snapshots", commit)
	for _, c := range []struct {
		name string
		ref  ref.Ref
		want []string // "role path", relative to work or cache
		why  string
	}{
		{"relative to the working directory", ref.Ref{Kind: ref.Path, Value: "a.pt"}, []string{"0 a.pt"}, ""},
		{"beside the source", ref.Ref{Kind: ref.Path, Value: "here.pt"}, []string{"0 src/here.pt"}, ""},
		{"from __file__", ref.Ref{Kind: ref.Path, Value: "../a.pt", RelativeToSource: true}, []string{"0 a.pt"}, ""},
		{"from __file__, not there", ref.Ref{Kind: ref.Path, Value: "a.pt", RelativeToSource: true}, nil, "does not exist"},
		{"missing", ref.Ref{Kind: ref.Path, Value: "zz.pt"}, nil, "does not exist"},
		{"zero byte", ref.Ref{Kind: ref.Path, Value: "a.pt\x00"}, nil, "zero byte"},
		{"folder", ref.Ref{Kind: ref.Path, Value: "fold"}, []string{"0 fold/pytorch_model.bin"}, ""},
		{"glob", ref.Ref{Kind: ref.Glob, Value: "models/*.pt"}, []string{"0 models/b.pt", "0 models/c.pt"}, ""},
		{"bad glob", ref.Ref{Kind: ref.Glob, Value: "models/["}, nil, "no pattern"},
		{"glob without match", ref.Ref{Kind: ref.Glob, Value: "models/*.onnx"}, nil, "no file matches"},
		{"URL", ref.Ref{Kind: ref.URL, Value: "https://example.org/m.pt"}, nil, "nothing was downloaded"},
		{"zero", ref.Ref{}, nil, "names nothing"},
		{"hub", ref.Ref{Kind: ref.Hub, Value: "org/name"}, []string{
			"0 model.safetensors", "1 pytorch_model.bin", "1 secret.pkl", "2 1_Pooling/config.json", "2 config.json"}, ""},
		{"hub, one file", ref.Ref{Kind: ref.Hub, Value: "org/name", File: "pytorch_model.bin"}, []string{"0 pytorch_model.bin"}, ""},
		{"hub, commit", ref.Ref{Kind: ref.Hub, Value: "org/name", Revision: commit, File: "config.json"}, []string{"0 config.json"}, ""},
		{"hub, file outside", ref.Ref{Kind: ref.Hub, Value: "org/name", File: "../../refs/main"}, nil, "leads out"},
		{"hub, bad ref", ref.Ref{Kind: ref.Hub, Value: "org/name", Revision: "bad"}, nil, "no commit"},
		{"hub, ref outside", ref.Ref{Kind: ref.Hub, Value: "org/name", Revision: "../../outside"}, nil, "no name of a revision"},
		{"hub, revision not there", ref.Ref{Kind: ref.Hub, Value: "org/name", Revision: "refs/none"}, nil, "not in the hub's cache"},
		{"hub, snapshot not there", ref.Ref{Kind: ref.Hub, Value: "org/name", Revision: "pr/1"}, nil, "not in the hub's cache"},
		{"hub, not there", ref.Ref{Kind: ref.Hub, Value: "org/other"}, nil, "not in the hub's cache"},
		{"hub, no snapshot", ref.Ref{Kind: ref.Hub, Value: "org/empty"}, nil, "not in the hub's cache"},
		{"hub, no name", ref.Ref{Kind: ref.Hub, Value: "../etc"}, nil, "no name of a hub repository"},
		{"local folder first", ref.Ref{Kind: ref.Hub, Value: "org/local"}, []string{"0 org/local/model.safetensors"}, ""},
		{"no links, shards", ref.Ref{Kind: ref.Hub, Value: "plain"}, []string{
			"0 pytorch_model-00001-of-00002.bin", "0 pytorch_model-00002-of-00002.bin", "1 training_args.bin"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := Resolve(c.ref, base)
			var got []string
			for _, target := range res.Targets {
				path := target.Path
				for _, root := range []string{work, snap, filepath.Join(cache, "models--plain", "snapshots", commit)} {
					if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
						path = filepath.ToSlash(rel)
						break
					}
				}
				got = append(got, string(rune('0'+target.Role))+" "+path)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if (c.why == "") != (res.Why == "") || !strings.Contains(res.Why, c.why) {
				t.Errorf("why: %q, want %q", res.Why, c.why)
			}
		})
	}
}

// TestLinksStayInside: a snapshot's links lead into its repository's blobs and nowhere else.
func TestLinksStayInside(t *testing.T) {
	res := Resolve(ref.Ref{Kind: ref.Hub, Value: "org/name"}, Base{HubCache: hub(t)})
	for _, target := range res.Targets {
		f, err := Open(target.Path, target.Within...)
		if outside := strings.HasSuffix(target.Path, "secret.pkl"); outside != errors.Is(err, ErrOutside) || !outside && err != nil {
			t.Errorf("%s: %v", target.Path, err)
		}
		if err == nil {
			f.Close()
		}
	}
}

func TestHubCacheFollowsTheClient(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"HF_HUB_CACHE": "/h", "HF_HOME": "/x"}, "/h"},
		{map[string]string{"HF_HOME": "/x", "XDG_CACHE_HOME": "/y"}, "/x/hub"},
		{map[string]string{"XDG_CACHE_HOME": "/y"}, "/y/huggingface/hub"},
	} {
		if got := HubCache(func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%v: %s, want %s", c.env, got, c.want)
		}
	}
}

func TestBlobsFor(t *testing.T) {
	got := BlobsFor("/c/models--o--n/snapshots/" + commit + "/sub/f.bin")
	if diff := cmp.Diff([]string{"/c/models--o--n/blobs", "/c/blobs"}, got); diff != "" {
		t.Error(diff)
	}
	if got := BlobsFor("/c/snapshots/notacommit/f.bin"); got != nil {
		t.Errorf("%v for a folder that is no snapshot", got)
	}
}

// TestOpenRefuses is the last step of every path: what is opened is a regular file, through no link
// that appeared meanwhile, and without waiting.
func TestOpenRefuses(t *testing.T) {
	dir := tree(t, t.TempDir(), map[string]string{"real": "r", "sub/": "", "link": "-> real", "loop": "-> loop", "out": "-> /etc/hostname"})
	for path, want := range map[string]string{"sub": "is a directory", "loop": "too many links", "none": "no such file", "link": "", "real": ""} {
		f, err := Open(filepath.Join(dir, path), dir)
		if err == nil {
			f.Close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if f, err := OpenEntry(filepath.Join(dir, "link")); err == nil {
		f.Close()
		t.Error("a link passed for a directory's entry")
	}
}

// TestContained: where a path lies does not depend on how it and the folder are spelled.
func TestContained(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for path, text := range map[string]string{"model/config.json": "{}", "other/x": "x"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../other", "model/link"); err != nil {
		t.Fatal(err)
	}
	for _, within := range []string{"model", "./model", filepath.Join(dir, "model")} {
		for path, inside := range map[string]bool{
			"model/config.json": true, filepath.Join(dir, "model/config.json"): true, "other/../model": true,
			"other/x": false, "model/link/x": false, "model/link": false,
		} {
			if err := Contained(path, within); inside != (err == nil) || !inside && !errors.Is(err, ErrOutside) {
				t.Errorf("%s in %s: %v", path, within, err)
			}
		}
	}
}
