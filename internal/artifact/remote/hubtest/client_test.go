package hubtest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/artifact/integrity"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/hub"
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
	python := officialPython(t)
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

// officialPython is a Python that has huggingface_hub. The test ends where there is none.
func officialPython(t *testing.T) string {
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
	return python
}

// TestEnvironment: the environment is read as the official client reads it.
func TestEnvironment(t *testing.T) {
	python := officialPython(t)
	home := t.TempDir()
	for name, text := range map[string]string{".cache/huggingface/token": "hf_default\n", "elsewhere/token": "hf_home", "other": " hf_other\r\n", "empty": ""} {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	envs := [][]string{
		nil, {"HF_HOME=~/elsewhere"}, {"HF_HOME=$HOME/elsewhere"}, {"HF_HOME=${HOME}/elsewhere", "HF_HUB_CACHE=$HF_HOME/x"}, {"HF_HOME=$UNSET/x"}, {"XDG_CACHE_HOME=~/cache"},
		{"HF_HUB_CACHE=~/c"}, {"HUGGINGFACE_HUB_CACHE=~/old"}, {"HF_HUB_CACHE=~/c", "HUGGINGFACE_HUB_CACHE=~/old"}, {"HF_HUB_CACHE=~nobody-of-that-name/c"}, {"HF_HUB_CACHE=~root/c"},
		{"HF_TOKEN_PATH=~/other"}, {"HF_TOKEN_PATH=~/empty"}, {"HF_TOKEN_PATH=~/none"}, {"HF_TOKEN=hf_env"}, {"HF_TOKEN= hf_env\n", "HUGGING_FACE_HUB_TOKEN=hf_old"}, {"HUGGING_FACE_HUB_TOKEN=hf_old"}, {"HF_TOKEN="},
		{"HF_HUB_OFFLINE=1"}, {"HF_HUB_OFFLINE=0", "TRANSFORMERS_OFFLINE=1"}, {"HF_HUB_OFFLINE=", "TRANSFORMERS_OFFLINE=yes"}, {"HF_HUB_OFFLINE=On"}, {"HF_HUB_OFFLINE=2"},
		{"HF_ENDPOINT=https://mirror.example/"},
	}
	for i := range envs {
		envs[i] = append([]string{"HOME=" + home}, envs[i]...)
	}
	asked, err := json.Marshal(envs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/environment.py", string(asked))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "PYTHONDONTWRITEBYTECODE=1", "HF_HUB_DISABLE_UPDATE_CHECK=1"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, err.(*exec.ExitError).Stderr)
	}
	var theirs []string
	if err := json.Unmarshal(out, &theirs); err != nil || len(theirs) != len(envs) {
		t.Fatalf("%v in %s", err, out)
	}
	t.Setenv("HOME", home)
	for i, env := range envs {
		getenv := func(key string) string {
			for _, e := range slices.Backward(env) {
				if value, ok := strings.CutPrefix(e, key+"="); ok {
					return value
				}
			}
			return ""
		}
		s, err := hub.FromEnv(getenv)
		if err != nil {
			t.Fatal(err)
		}
		ours := fmt.Sprintf("cache %s, token in %s, offline %v, token %s, %s", artifact.HubCache(getenv), artifact.HubToken(getenv), s.Offline, cmp.Or(s.Token, "-"), s.Endpoint)
		if ours != theirs[i] {
			t.Errorf("%q:\n%s\nthe official client:\n%s", env[1:], ours, theirs[i])
		}
	}
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
