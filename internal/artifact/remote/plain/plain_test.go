package plain

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/ranges"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// TestBeside: what lies in the folder of a URL, unless the URL has a query. A server that is down could not tell.
func TestBeside(t *testing.T) {
	down := false
	files := map[string]string{"/m/a b.pt": "m", "/m/a b.pt.sig": "s", "/m/empty": "", "/m/large": strings.Repeat("x", 5000), "/top": "t"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		switch {
		case down:
			w.WriteHeader(http.StatusInternalServerError)
		case strings.HasSuffix(r.URL.Path, "closed"):
			w.WriteHeader(http.StatusForbidden)
		case !ok:
			http.NotFound(w, r)
		default:
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
		}
	}))
	defer server.Close()
	c := New(web.Options{UserAgent: "test", Sleep: func(context.Context, time.Duration) error { return nil }}, ranges.Limits{Head: 1000, Tail: 1000, Whole: 2000}, false)
	resolve := func(path string) (*remote.Listing, error) {
		return c.Resolve(t.Context(), ref.Ref{Kind: ref.URL, Value: server.URL + path})
	}
	list, err := resolve("/m/a%20b.pt")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a b.pt.sig": "s", "large": files["/m/large"], "none": "-", "closed": "-", "../top": "-", "sub/x": "-", "empty": ""} {
		f, err := list.Beside(t.Context(), name)
		got := "-"
		if err == nil && f != nil {
			var b bytes.Buffer
			_, err = f.Download(t.Context(), &b)
			got = b.String()
			if f.Size != int64(len(want)) {
				t.Errorf("%s: %d bytes", name, f.Size)
			}
		}
		if err != nil || got != want {
			t.Errorf("%s: %.20q, %v; want %.20q", name, got, err, want)
		}
	}
	if list, err := resolve("/m/a%20b.pt?X-Signature=secret"); err != nil || list.Beside != nil || strings.Contains(list.Files[0].Name, "secret") {
		t.Errorf("a URL with a query: %+v, %v", list, err)
	}
	for _, path := range []string{"/m/../m/a%20b.pt", "/m/%2e%2e/m/a%20b.pt", "/"} {
		if list, err := resolve(path); err == nil {
			t.Errorf("%s: %+v", path, list)
		}
	}
	down = true
	if f, err := list.Beside(t.Context(), "model.sig"); f != nil || err == nil {
		t.Errorf("a server that is down: %v, %v", f, err)
	}
}
