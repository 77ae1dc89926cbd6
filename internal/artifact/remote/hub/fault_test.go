package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/hubtest"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/ranges"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
)

// small limits and time limits, so that a fault shows at once.
func impatient(t *testing.T, h *hubtest.Hub) *Client {
	u, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := New(Settings{Endpoint: u, Timeout: 100 * time.Millisecond}, Options{
		Limits: ranges.Limits{Head: 4 << 10, Tail: 4 << 10, Whole: 8 << 10},
		Web:    web.Options{Sleep: func(context.Context, time.Duration) error { return nil }},
	})
	t.Cleanup(c.Close)
	return c
}

// TestFaults: whatever a server does to a range, the read fails, with a word for it, and no byte of it is believed.
func TestFaults(t *testing.T) {
	content := noise(1 << 20)
	part := func(w http.ResponseWriter, header string, body []byte) {
		w.Header().Set("Content-Range", header)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(body)
	}
	for name, c := range map[string]struct {
		fault func(w http.ResponseWriter, r *http.Request, n int) bool // of the n-th request to the other host
		want  remote.Kind
	}{
		"short body": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Content-Length", "4096")
			part(w, "bytes 0-4095/1048576", content[:1000])
			return true
		}, remote.Network},
		"short range": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			part(w, "bytes 0-999/1048576", content[:1000])
			return true
		}, remote.Refused},
		"long body": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			part(w, "bytes 0-4095/1048576", content[:5000])
			return true
		}, remote.Refused},
		"another range": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			part(w, "bytes 1-4096/1048576", content[1:4097])
			return true
		}, remote.Refused},
		"no Content-Range": {func(w http.ResponseWriter, _ *http.Request, _ int) bool { part(w, "", content[:4096]); return true }, remote.Refused},
		"another size": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			part(w, "bytes 0-4095/9999999", content[:4096])
			return true
		}, remote.Changed},
		"another size later": {func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n == 1 {
				return false
			}
			part(w, strings.Replace(r.Header.Get("Range"), "=", " ", 1)+"/1048577", content[:4096])
			return true
		}, remote.Changed},
		"changed ETag": {func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n > 1 {
				w.Header().Set("ETag", `"another"`)
				part(w, fmt.Sprintf("bytes %d-%d/%d", 1<<20-4096, 1<<20-1, 1<<20), content[1<<20-4096:])
			}
			return n > 1
		}, remote.Changed},
		"the whole file": {func(w http.ResponseWriter, _ *http.Request, _ int) bool { _, _ = w.Write(content); return true }, remote.Refused},
		"the whole file later": {func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n > 1 {
				_, _ = w.Write(content)
			}
			return n > 1
		}, remote.Changed},
		"redirect loop": {func(w http.ResponseWriter, r *http.Request, _ int) bool {
			http.Redirect(w, r, r.URL.String(), http.StatusFound)
			return true
		}, remote.Refused},
		"redirect to a file": {func(w http.ResponseWriter, r *http.Request, _ int) bool {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
			return true
		}, remote.Refused},
		"encoded": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Content-Encoding", "gzip")
			part(w, "bytes 0-4095/1048576", content[:4096])
			return true
		}, remote.Refused},
		"hung up": {func(w http.ResponseWriter, _ *http.Request, _ int) bool { panic(http.ErrAbortHandler) }, remote.Network},
		"slow loris": {func(w http.ResponseWriter, r *http.Request, _ int) bool {
			w.Header().Set("Content-Range", "bytes 0-4095/1048576")
			w.WriteHeader(http.StatusPartialContent)
			for i := 0; i < 4096 && r.Context().Err() == nil; i++ {
				_, _ = w.Write(content[i : i+1])
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
			return true
		}, remote.Network},
		"silence": {func(_ http.ResponseWriter, r *http.Request, _ int) bool { <-r.Context().Done(); return true }, remote.Network},
		"gone": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.WriteHeader(http.StatusNotFound)
			return true
		}, remote.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, &hubtest.Repo{ID: "org/model", ScansDone: true, Files: map[string][]byte{"m.bin": content}})
			list, err := impatient(t, h).Resolve(t.Context(), hubRef(t, "hf:org/model"))
			if err != nil {
				t.Fatal(err)
			}
			var n atomic.Int64
			h.Before(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasPrefix(r.URL.Path, "/cdn/") {
					return false
				}
				return c.fault(w, r, int(n.Add(1)))
			})
			file := list.Files[0].Open(t.Context())
			err = file.Prefetch(t.Context())
			kind, ok := remote.KindOf(err)
			if !ok || kind != c.want {
				t.Errorf("kind %d: %v", kind, err)
			}
			if strings.Contains(fmt.Sprint(err), "signature") {
				t.Errorf("the error shows a signed URL: %v", err)
			}
			buf := make([]byte, 100)
			if n, err := file.ReadAt(buf, 500_000); n != 0 || err == nil || file.Err() == nil {
				t.Errorf("a read after it: %d bytes, %v", n, err)
			}
		})
	}
}

// A signed URL runs out in the middle: a new one is asked for.
func TestSignatureRunsOut(t *testing.T) {
	content := noise(1 << 20)
	h := start(t, &hubtest.Repo{ID: "org/model", ScansDone: true, Files: map[string][]byte{"m.bin": content}})
	list, err := impatient(t, h).Resolve(t.Context(), hubRef(t, "hf:org/model"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	h.Before(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/cdn/") {
			return false
		}
		if n++; n == 2 {
			w.WriteHeader(http.StatusForbidden)
		}
		return n == 2
	})
	file := list.Files[0].Open(t.Context())
	buf := make([]byte, 1000)
	if err := file.Prefetch(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := file.ReadAt(buf, 500_000); err != nil || !bytes.Equal(buf, content[500_000:501_000]) {
		t.Error(err)
	}
}

// TestHostileListings: names that lead out, twice the same, and answers that are no listing.
func TestHostileListings(t *testing.T) {
	commit := strings.Repeat("a", 40)
	siblings := func(names ...string) string {
		var list []map[string]any
		for _, n := range names {
			list = append(list, map[string]any{"rfilename": n, "size": 10})
		}
		b, err := json.Marshal(map[string]any{"sha": commit, "siblings": list})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	h := start(t)
	c := impatient(t, h)
	body := ""
	h.Before(func(w http.ResponseWriter, _ *http.Request) bool { _, _ = w.Write([]byte(body)); return true })
	for _, body = range []string{
		siblings("../evil"), siblings("/etc/passwd"), siblings("a/../../b"), siblings("a\x00b"), siblings(""), siblings("."), siblings("a", "a"), siblings("a//b"), siblings("a/"), siblings(strings.Repeat("x", 5000)),
		`{"sha":"../../x","siblings":[]}`, `{"sha":"` + commit + `","siblings":[{"rfilename":"a","size":-5}]}`, `[]`, `<html>`, ``, strings.Repeat("[", 100_000),
		`{"sha":"` + commit + `","siblings":[{"rfilename":"a","size":1e999}]}`,
	} {
		if list, err := c.Resolve(t.Context(), hubRef(t, "hf:org/model")); err == nil {
			t.Errorf("%.80q: %+v", body, list)
		}
	}
	body = strings.Repeat(" ", maxJSON+1)
	_, err := client(t, h, "", nil).Resolve(t.Context(), hubRef(t, "hf:org/model"))
	if kind, ok := remote.KindOf(err); !ok || kind != remote.Refused {
		t.Errorf("oversized: %v", err)
	}
	body = siblings("a")
	if _, err := c.Resolve(t.Context(), hubRef(t, "hf:org/model@"+strings.Repeat("b", 40))); err == nil {
		t.Error("the answer for another commit was taken")
	}
}

// What the hub serves has to be what it listed.
func TestServesAnother(t *testing.T) {
	for header, value := range map[string]string{"X-Repo-Commit": strings.Repeat("b", 40), "X-Linked-Etag": `"` + strings.Repeat("c", 64) + `"`} {
		r := model()
		h := start(t, r)
		list, err := client(t, h, "", nil).Resolve(t.Context(), hubRef(t, "hf:org/model/pytorch_model.bin"))
		if err != nil {
			t.Fatal(err)
		}
		h.Before(func(w http.ResponseWriter, req *http.Request) bool {
			if !strings.Contains(req.URL.Path, "/resolve/") {
				return false
			}
			w.Header().Set(header, value)
			w.Header().Set("Location", h.CDN()+"/cdn/models/org/model/pytorch_model.bin?signature=x")
			w.WriteHeader(http.StatusFound)
			return true
		})
		if kind, _ := remote.KindOf(list.Files[0].Open(t.Context()).Prefetch(t.Context())); kind != remote.Changed {
			t.Errorf("%s: kind %d", header, kind)
		}
	}
}
