package integrity

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func blob(text string) string {
	sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text))
	return hex.EncodeToString(sum[:])
}

// states of the files below dir, one a line.
func states(t *testing.T, dir string, caches ...Cache) []string {
	var out []string
	Run(t.Context(), caches, func(r Result) {
		name, err := filepath.Rel(dir, r.Path)
		if err != nil {
			t.Fatal(err)
		}
		if r.State != Good && r.Why == "" {
			t.Errorf("%s is %s, and nobody says why", name, r.State)
		}
		out = append(out, r.State.String()+" "+name)
	})
	slices.Sort(out)
	return out
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const commit = "0123456789abcdef0123456789abcdef01234567"

func TestHub(t *testing.T) {
	dir := t.TempDir()
	repo := filepath.Join(dir, "models--org--name")
	put(t, filepath.Join(repo, "refs", "main"), commit)
	for name, text := range map[string]string{
		sha("weights"): "weights", blob("{}"): "{}", sha("other"): "swapped", blob("[]"): "x", "odd": "x", sha("half") + ".1234.incomplete": "ha",
	} {
		put(t, filepath.Join(repo, "blobs", name), text)
	}
	snapshot := filepath.Join(repo, "snapshots", commit)
	link(t, "../../blobs/"+sha("weights"), filepath.Join(snapshot, "model.bin"))
	link(t, "../../../blobs/"+blob("{}"), filepath.Join(snapshot, "sub", "config.json"))
	link(t, "../../blobs/"+blob("{}"), filepath.Join(snapshot, "repointed.bin"))
	link(t, "../../blobs/none", filepath.Join(snapshot, "dangling.bin"))
	put(t, filepath.Join(dir, "outside"), "weights")
	link(t, "../../../outside", filepath.Join(snapshot, "escape.bin"))
	put(t, filepath.Join(snapshot, "extra.bin"), "x")
	put(t, filepath.Join(snapshot, "plain.bin"), "weights")
	put(t, filepath.Join(snapshot, "changed.bin"), "WEIGHTS")
	put(t, filepath.Join(repo, "trees", commit+".json"), fmt.Sprintf(`{"format_version":1,"files":{
		"model.bin":{"blob_id":"%[1]s","lfs_sha256":"%[2]s"},"sub/config.json":{"blob_id":"%[3]s"},"repointed.bin":{"blob_id":"%[1]s","lfs_sha256":"%[2]s"},
		"dangling.bin":{"blob_id":"%[1]s"},"escape.bin":{"blob_id":"%[1]s","lfs_sha256":"%[2]s"},"plain.bin":{"blob_id":"%[1]s","lfs_sha256":"%[2]s"},"changed.bin":{"blob_id":"%[1]s","lfs_sha256":"%[2]s"}}}`,
		blob("pointer"), sha("weights"), blob("{}")))
	b, s := "models--org--name/blobs/", "models--org--name/snapshots/"+commit+"/"
	same(t, states(t, dir, Cache{"hub", dir}),
		"good "+b+sha("weights"), "good "+b+blob("{}"), "wrong "+b+sha("other"), "wrong "+b+blob("[]"), "unknown "+b+"odd",
		"wrong "+s+"repointed.bin", "wrong "+s+"dangling.bin", "wrong "+s+"escape.bin", "wrong "+s+"extra.bin", "wrong "+s+"changed.bin", "good "+s+"plain.bin")

	put(t, filepath.Join(repo, "trees", commit+".json"), `{"format_version":1,"files":{"model.bin":{}}}`)
	got := states(t, dir, Cache{"hub", dir})
	if !slices.Contains(got, "unreadable models--org--name/trees/"+commit+".json") || !slices.Contains(got, "unknown "+s+"plain.bin") {
		t.Errorf("with a broken listing: %q", got)
	}
}

func TestOthers(t *testing.T) {
	dir := t.TempDir()
	torch, ollama := filepath.Join(dir, "checkpoints"), filepath.Join(dir, "models", "blobs")
	put(t, filepath.Join(torch, "net-"+sha("a")[:8]+".pth"), "a")
	put(t, filepath.Join(torch, "net-"+sha("b")[:8]+".pth"), "a")
	put(t, filepath.Join(torch, "plain.pth"), "a")
	put(t, filepath.Join(ollama, "sha256-"+sha("a")), "a")
	put(t, filepath.Join(ollama, "sha256-"+sha("b")), "a")
	same(t, states(t, dir, Cache{"torch", torch}, Cache{"ollama", ollama}),
		"good checkpoints/net-"+sha("a")[:8]+".pth", "wrong checkpoints/net-"+sha("b")[:8]+".pth", "unknown checkpoints/plain.pth",
		"good models/blobs/sha256-"+sha("a"), "wrong models/blobs/sha256-"+sha("b"))
	for folder, kind := range map[string]string{torch: "torch", filepath.Join(dir, "models"): "ollama", dir: ""} {
		if c, err := At(folder); c.Kind != kind || (err == nil) == (kind == "") {
			t.Errorf("%s: %+v, %v", folder, c, err)
		}
	}
}
