package hub

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/hubtest"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// noise is content that no two ranges of are the same.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func start(t *testing.T, repos ...*hubtest.Repo) *hubtest.Hub {
	h := hubtest.New(repos...)
	t.Cleanup(h.Close)
	return h
}

// client of a hub that waits for nothing: how long it would have is told to waited.
func client(t *testing.T, h *hubtest.Hub, token string, waited *[]time.Duration) *Client {
	u, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := New(Settings{Endpoint: u, Token: token, Timeout: 5 * time.Second}, Options{Web: web.Options{Sleep: func(_ context.Context, d time.Duration) error {
		if waited != nil {
			*waited = append(*waited, d)
		}
		return nil
	}}})
	t.Cleanup(c.Close)
	return c
}

func hubRef(t *testing.T, s string) ref.Ref {
	t.Helper()
	r, err := ref.Parse(s, ref.DefaultEndpoint)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func model() *hubtest.Repo {
	return &hubtest.Repo{ID: "org/model", ScansDone: true, Status: map[string]string{"pytorch_model.bin": "unsafe"}, Files: map[string][]byte{
		"config.json": []byte("{}"), "empty": {}, "pytorch_model.bin": noise(1 << 20), "sub dir/ö #?%.bin": noise(5000),
	}}
}

func TestResolve(t *testing.T) {
	r := model()
	h := start(t, r)
	c := client(t, h, "", nil)
	list, err := c.Resolve(t.Context(), hubRef(t, "hf:org/model"))
	if err != nil {
		t.Fatal(err)
	}
	if list.Commit != r.Commit || list.Name != "hf:org/model@"+r.Commit || len(list.Files) != 4 || len(list.Notes) != 0 {
		t.Errorf("%+v", list)
	}
	for _, f := range list.Files {
		want := r.Files[f.Path]
		content := f.Open(t.Context())
		if err := content.Prefetch(t.Context()); err != nil {
			t.Errorf("%s: %v", f.Path, err)
		}
		got := make([]byte, len(want))
		if n, err := content.ReadAt(got, 0); n != len(want) || err != nil || !bytes.Equal(got, want) || content.Size() != int64(len(want)) {
			t.Errorf("%s: %d of %d bytes, %v", f.Path, n, len(want), err)
		}
		wantLevel := "safe"
		if f.Path == "pytorch_model.bin" {
			wantLevel = "unsafe"
			if f.Status.Scanners["avScan"] != "unsafe" {
				t.Errorf("%+v", f.Status)
			}
		}
		if f.Status.Level != wantLevel {
			t.Errorf("%s: %+v", f.Path, f.Status)
		}
		if large := len(want) > 1024; large != (f.SHA256 == r.SHA256(f.Path)) || large == (f.BlobID != "") {
			t.Errorf("%s: digests %q %q", f.Path, f.SHA256, f.BlobID)
		}
	}
	if list, err = c.Resolve(t.Context(), hubRef(t, "hf:org/model@"+r.Commit+"/sub dir")); err != nil || len(list.Files) != 1 {
		t.Errorf("a folder: %+v, %v", list, err)
	}
}

// What a file costs: the head and the tail, through one redirect that is not asked for twice.
func TestCost(t *testing.T) {
	h := start(t, &hubtest.Repo{ID: "org/model", ScansDone: true, Files: map[string][]byte{"m.bin": noise(3 << 20), "small.bin": noise(150 << 10)}})
	list, err := client(t, h, "", nil).Resolve(t.Context(), hubRef(t, "hf:org/model"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []remote.Cost{{Requests: 3, Bytes: 224 << 10}, {Requests: 2, Bytes: 150 << 10}} {
		content := list.Files[i].Open(t.Context())
		if err := content.Prefetch(t.Context()); err != nil || content.Spent() != want {
			t.Errorf("%s: %+v, %v", list.Files[i].Path, content.Spent(), err)
		}
	}
	if log := h.Log(); len(log) != 1+5 {
		t.Errorf("%+v", log)
	}
}

func TestRefusals(t *testing.T) {
	private := &hubtest.Repo{ID: "org/private", Token: "hf_secret", ScansDone: true, Files: map[string][]byte{"m.bin": noise(2000)}}
	gated := &hubtest.Repo{ID: "org/gated", Token: "hf_secret", Gated: true, Files: map[string][]byte{"m.bin": noise(2000)}}
	h := start(t, model(), private, gated, &hubtest.Repo{ID: "org/disabled", Disabled: true}, &hubtest.Repo{ID: "org/none", ScansDone: true})
	c := client(t, h, "", nil)
	for s, want := range map[string]remote.Kind{
		"hf:org/missing": remote.NotFound, "hf:org/private": remote.NotFound, "hf:org/disabled": remote.Disabled,
		"hf:org/model@v9": remote.NoRevision, "hf:org/model/no.bin": remote.NoEntry, "hf:org/none": remote.NoEntry,
	} {
		_, err := c.Resolve(t.Context(), hubRef(t, s))
		if kind, ok := remote.KindOf(err); !ok || kind != want {
			t.Errorf("%s: %v", s, err)
		}
	}
	list, err := c.Resolve(t.Context(), hubRef(t, "hf:org/gated"))
	if err != nil || len(list.Notes) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if kind, _ := remote.KindOf(list.Files[0].Open(t.Context()).Prefetch(t.Context())); kind != remote.Gated {
		t.Errorf("gated: kind %d", kind)
	}
	list, err = client(t, h, "hf_secret", nil).Resolve(t.Context(), hubRef(t, "hf:org/private"))
	if err != nil {
		t.Fatal(err)
	}
	h.Log()
	if err := list.Files[0].Open(t.Context()).Prefetch(t.Context()); err != nil {
		t.Error(err)
	}
	for _, r := range h.Log() {
		if atHub := strings.HasPrefix(r.Host, "127."); atHub != (r.Token == "hf_secret") {
			t.Errorf("%s of %s came with token %q", r.Path, r.Host, r.Token)
		}
	}
	offline := New(Settings{Endpoint: c.settings.Endpoint, Offline: true}, Options{})
	if _, err := offline.Resolve(t.Context(), hubRef(t, "hf:org/model")); err == nil || len(h.Log()) != 0 {
		t.Errorf("offline: %v", err)
	}
}

func TestWaits(t *testing.T) {
	h := start(t, model())
	for _, c := range []struct {
		status  int
		header  http.Header
		waits   []time.Duration
		repeats int
		kind    remote.Kind
	}{
		{429, http.Header{"Ratelimit": {`"api";r=0;t=7`}}, []time.Duration{8 * time.Second}, 1, 0},
		{429, http.Header{"Retry-After": {"3"}}, []time.Duration{3 * time.Second}, 1, 0},
		{503, nil, []time.Duration{time.Second, 2 * time.Second}, 2, 0},
		{500, nil, []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}, 9, remote.Server},
		{429, http.Header{"Ratelimit": {`"api";r=0;t=100000`}}, nil, 1, remote.RateLimited},
	} {
		left := c.repeats
		h.Before(func(w http.ResponseWriter, _ *http.Request) bool {
			if left--; left < 0 {
				return false
			}
			for k, v := range c.header {
				w.Header()[k] = v
			}
			w.WriteHeader(c.status)
			return true
		})
		var waited []time.Duration
		_, err := client(t, h, "", &waited).Resolve(t.Context(), hubRef(t, "hf:org/model@main/config.json"))
		if kind, failed := remote.KindOf(err); failed != (c.kind != 0) || failed && kind != c.kind {
			t.Errorf("%d: %v", c.status, err)
		}
		if len(waited) != len(c.waits) {
			t.Errorf("%d: waited %v, want %v", c.status, waited, c.waits)
		} else {
			for i := range waited {
				if waited[i] != c.waits[i] {
					t.Errorf("%d: waited %v, want %v", c.status, waited, c.waits)
				}
			}
		}
	}
}

var _ remote.Resolver = (*Client)(nil)
