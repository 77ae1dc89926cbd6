package hubtest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/artifact/integrity"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/hubtest"
	"github.com/secure-torch/secure-torch/internal/modeltest"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// TestOfficialClient: what we test our client against is a hub to the official client too.
func TestOfficialClient(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	many := map[string][]byte{}
	for i := range 120 {
		many[fmt.Sprintf("f%03d.txt", i)] = []byte{byte(i)}
	}
	model := &hubtest.Repo{ID: "org/model", ScansDone: true, Status: map[string]string{"pytorch_model.bin": "unsafe"}, Files: map[string][]byte{
		"config.json": []byte("{}"), "pytorch_model.bin": big, "sub/model.bin": big[:5000],
	}}
	h := hubtest.New(model, &hubtest.Repo{ID: "org/many", Files: many},
		&hubtest.Repo{ID: "org/data", Type: "datasets", Files: map[string][]byte{"d.pkl": big[:3000]}},
		&hubtest.Repo{ID: "org/gated", Gated: true, Token: "hf_secret", Files: map[string][]byte{"m.bin": big[:2000]}},
		&hubtest.Repo{ID: "org/flaky", Files: map[string][]byte{"m.bin": big[:2000]}})
	defer h.Close()
	var busy atomic.Int32
	busy.Store(1)
	h.Before(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "org/flaky") || busy.Load() == 0 {
			return false
		}
		busy.Add(-1)
		w.Header().Set("RateLimit", `"resolvers";r=0;t=0`)
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	official(t, h, nil, "testdata/client.py", model.Commit)
	if busy.Load() != 0 {
		t.Error("the client never met the rate limit")
	}
	hub, cdn := 0, 0
	for _, r := range h.Log() {
		if strings.HasPrefix(r.Host, "localhost") {
			cdn++
		} else {
			hub++
		}
	}
	if hub == 0 || cdn == 0 {
		t.Errorf("%d requests to the hub, %d to where it redirects", hub, cdn)
	}
}

// official runs a Python program with PyPI's huggingface_hub against the hub and returns its cache folder. The test
// ends where huggingface_hub is not installed: scripts/bootstrap.sh puts it into .cache/hub.
func official(t *testing.T, h *hubtest.Hub, env []string, args ...string) (cache string) {
	t.Helper()
	python := os.Getenv("HUB_PYTHON")
	if python == "" {
		root, err := filepath.Abs("../../../..")
		if err != nil {
			t.Fatal(err)
		}
		python = filepath.Join(root, ".cache", "hub", "bin", "python")
	}
	if _, err := os.Stat(python); err != nil {
		modeltest.Absent(t, "huggingface_hub is not installed: run scripts/bootstrap.sh hub")
	}
	home := t.TempDir()
	cache = filepath.Join(home, "hub")
	cmd := exec.CommandContext(t.Context(), python, args...)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "HF_HOME=" + home, "HF_HUB_CACHE=" + cache, "HF_ENDPOINT=" + h.URL, "HF_HUB_DISABLE_TELEMETRY=1",
		"HF_HUB_DISABLE_XET=1", "HF_HUB_DISABLE_PROGRESS_BARS=1", "NO_PROXY=127.0.0.1,localhost", "PYTHONDONTWRITEBYTECODE=1",
	}, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return cache
}

// TestRealCache: a cache that the official client made is resolved and verified, with links and without.
func TestRealCache(t *testing.T) {
	repo := &hubtest.Repo{ID: "org/model", ScansDone: true, Files: map[string][]byte{
		"config.json": []byte("{}"), "model.safetensors": bytes.Repeat([]byte("0123456789abcdef"), 500), "sub/w.bin": bytes.Repeat([]byte("x"), 3000),
	}}
	h := hubtest.New(repo)
	defer h.Close()
	for _, links := range []string{"0", "1"} {
		cache := official(t, h, []string{"HF_HUB_DISABLE_SYMLINKS=" + links}, "-c", "import huggingface_hub; huggingface_hub.snapshot_download('org/model')")
		res := artifact.Resolve(ref.Ref{Kind: ref.Hub, Value: "org/model"}, artifact.Base{HubCache: cache})
		if res.Hub == nil || res.Hub.Commit != repo.Commit || len(res.Targets) != 3 {
			t.Fatalf("%+v", res)
		}
		for _, target := range res.Targets {
			f, err := artifact.Open(target.Path, target.Within...)
			if err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
		states := map[integrity.State]int{}
		count := func(r integrity.Result) { states[r.State]++ }
		if integrity.Run(t.Context(), []integrity.Cache{{Kind: "hub", Dir: cache}}, count); states[integrity.Good] != 3 || len(states) != 1 {
			t.Errorf("DISABLE_SYMLINKS=%s: %v", links, states)
		}
		real, err := filepath.EvalSymlinks(res.Targets[0].Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(real, []byte("swapped"), 0o600); err != nil {
			t.Fatal(err)
		}
		clear(states)
		if integrity.Run(t.Context(), []integrity.Cache{{Kind: "hub", Dir: cache}}, count); states[integrity.Good] != 2 || states[integrity.Wrong] != 1 {
			t.Errorf("DISABLE_SYMLINKS=%s, swapped: %v", links, states)
		}
	}
}
