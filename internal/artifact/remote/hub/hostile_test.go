package hub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/hubtest"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
)

// A file that is replaced by one of the same size is noticed where the server has no strong entity tag too.
func TestReplacedWhileRead(t *testing.T) {
	content := noise(1 << 20)
	for name, headers := range map[string][2]http.Header{
		"weak tag":          {{"Etag": {`W/"a"`}}, {"Etag": {`W/"b"`}}},
		"time":              {{"Last-Modified": {"Mon, 01 Jan 2024 00:00:00 GMT"}}, {"Last-Modified": {"Mon, 01 Jan 2024 00:00:01 GMT"}}},
		"the tag went":      {{"Etag": {`"a"`}}, {}},
		"a tag came":        {{}, {"Etag": {`"a"`}}},
		"commit":            {{}, {"X-Repo-Commit": {strings.Repeat("b", 40)}}},
		"a range with more": {{}, {}},
	} {
		h := start(t, &hubtest.Repo{ID: "org/model", ScansDone: true, Files: map[string][]byte{"m.bin": content}})
		list, err := impatient(t, h).Resolve(t.Context(), hubRef(t, "hf:org/model"))
		if err != nil {
			t.Fatal(err)
		}
		n, want := 0, remote.Changed
		h.Before(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, "/cdn/") {
				return false
			}
			var first, last int
			if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); err != nil {
				t.Error(err)
			}
			for k, v := range headers[min(n, 1)] {
				w.Header()[k] = v
			}
			described := fmt.Sprintf("bytes %d-%d/%d", first, last, len(content))
			if n == 1 && name == "a range with more" {
				described, want = described+"0x", remote.Refused
			}
			w.Header().Set("Content-Range", described)
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(content[first : last+1])
			n++
			return true
		})
		err = list.Files[0].Open(t.Context()).Prefetch(t.Context())
		if kind, ok := remote.KindOf(err); !ok || kind != want || n != 2 {
			t.Errorf("%s: kind %d of %d requests: %v", name, kind, n, err)
		}
	}
}

// An answer that comes a byte at a time ends soon, not when all that it might have held is overdue.
func TestListingDrips(t *testing.T) {
	h := start(t, model())
	var sent atomic.Int64
	h.Before(func(w http.ResponseWriter, r *http.Request) bool {
		for range 1000 {
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			sent.Add(1)
			select {
			case <-r.Context().Done():
				return true
			case <-time.After(10 * time.Millisecond):
			}
		}
		_, _ = w.Write([]byte(`{"sha":"` + strings.Repeat("a", 40) + `","siblings":[{"rfilename":"a"}]}`))
		return true
	})
	_, err := impatient(t, h).Resolve(t.Context(), hubRef(t, "hf:org/model"))
	if kind, ok := remote.KindOf(err); !ok || kind != remote.Network {
		t.Errorf("%d bytes were waited for: %v", sent.Load(), err)
	}
}

// What a server's certificate does not say is not asked a second time, and no token goes there.
func TestCertificate(t *testing.T) {
	var seen atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	defer plain.Close()
	for _, address := range []string{s.URL, strings.Replace(plain.URL, "http:", "https:", 1)} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		waits := 0
		c := New(Settings{Endpoint: u, Token: "hf_secret"}, Options{Web: web.Options{Sleep: func(context.Context, time.Duration) error { waits++; return nil }}})
		_, err = c.Resolve(t.Context(), hubRef(t, "hf:org/model"))
		_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
		clear := errors.Is(err, http.ErrSchemeMismatch)
		if kind, ok := remote.KindOf(err); !ok || kind != remote.Network || !certificate && !clear || waits != 0 || strings.Contains(err.Error(), "hf_") {
			t.Errorf("%d waits: %v", waits, err)
		}
		c.Close()
	}
	if seen.Load() != 0 {
		t.Error("a request went there")
	}
}

// Errors keep their name however their pages are packed.
func TestEncodedErrorPage(t *testing.T) {
	h := start(t, model())
	h.Before(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(noise(100_000))
		return true
	})
	_, err := impatient(t, h).Resolve(t.Context(), hubRef(t, "hf:org/model"))
	if kind, ok := remote.KindOf(err); !ok || kind != remote.NotFound {
		t.Errorf("kind %d: %v", kind, err)
	}
}

// A token goes to the hub's own address alone, wherever the hub sends us.
func TestTokenStays(t *testing.T) {
	var leaked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || strings.Contains(r.URL.String(), "hf_secret") {
			leaked.Add(1)
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer other.Close()
	h := start(t, model())
	for _, to := range []string{
		other.URL, "//" + strings.TrimPrefix(other.URL, "http://") + "/x", strings.Replace(other.URL, "http://", "http://hf@", 1),
		strings.Replace(other.URL, "127.0.0.1", "localhost", 1), "file:///etc/passwd", "gopher://x/", "javascript:1", "data:,x", "\\\\127.0.0.1\\x", "http:///x", "http://[::1", "/loop", "%zz",
		"http://%C2%9B31m.invalid/",
	} {
		h.Before(func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
			return true
		})
		c := client(t, h, "hf_secret", nil)
		_, err := c.Resolve(t.Context(), hubRef(t, "hf:org/model"))
		if _, ok := remote.KindOf(err); !ok || strings.Contains(err.Error(), "hf_secret") || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			t.Errorf("%q: %q", to, fmt.Sprint(err))
		}
	}
	if leaked.Load() != 0 {
		t.Errorf("%d requests had the token", leaked.Load())
	}
}

// A server that wants us to wait for years is not waited for.
func TestRetryAfterYears(t *testing.T) {
	h := start(t, model())
	for name, header := range map[string]http.Header{
		"seconds": {"Retry-After": {"1000000000"}}, "more than fit": {"Retry-After": {"99999999999999999999"}}, "negative": {"Retry-After": {"-5"}},
		"reset": {"Ratelimit": {`"api";r=0;t=1000000000`}}, "date": {"Retry-After": {"Fri, 31 Dec 9999 23:59:59 GMT"}}, "NaN": {"Retry-After": {"NaN"}},
	} {
		h.Before(func(w http.ResponseWriter, _ *http.Request) bool {
			for k, v := range header {
				w.Header()[k] = v
			}
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		})
		var waited []time.Duration
		_, err := client(t, h, "", &waited).Resolve(t.Context(), hubRef(t, "hf:org/model"))
		var total time.Duration
		for _, d := range waited {
			total += d
		}
		if kind, ok := remote.KindOf(err); !ok || kind != remote.RateLimited || total > time.Minute {
			t.Errorf("%s: waited %s: %v", name, total, err)
		}
	}
}
