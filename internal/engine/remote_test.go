package engine_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/hub"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/hubtest"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/ranges"
	"github.com/secure-torch/secure-torch/internal/cache"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// evil calls echo, behind 400,000 bytes of harmless text: it is not in what is fetched first.
func evil() []byte {
	data := bytes.Repeat([]byte("x"), 400_000)
	return append(append([]byte("\x80\x04B\x80\x1a\x06\x00"), data...), append([]byte("0cposix\nsystem\n(S'echo pwned'\ntR."), bytes.Repeat([]byte("\x00"), 200_000)...)...)
}

// file is a remote file in memory, of which pieces from broken on can't be had; -1 for none.
func file(content []byte, broken int64, why error) remote.File {
	fetch := func(_ context.Context, off, n int64) (ranges.Part, error) {
		end := min(off+n, int64(len(content)))
		if broken >= 0 && off >= 128<<10 && off >= broken && off < int64(len(content))-(96<<10) {
			return ranges.Part{Requests: 1}, why
		}
		return ranges.Part{Data: content[off:end], Total: int64(len(content)), Requests: 1}, nil
	}
	return remote.File{
		Name: "hf:org/model@x/m.bin", Path: "m.bin", Size: int64(len(content)),
		Open: func(ctx context.Context) remote.Content {
			return ranges.New(ctx, int64(len(content)), ranges.Limits{}, fetch)
		},
		Download: func(ctx context.Context, w io.Writer) (int64, error) {
			return ranges.Download(ctx, fetch, int64(len(content)), w)
		},
	}
}

func scanRemote(t testing.TB, e *engine.Engine, list *remote.Listing, opts engine.RemoteOptions) []*engine.Artifact {
	var out []*engine.Artifact
	e.ScanRemote(t.Context(), list, opts, func(a *engine.Artifact) { out = append(out, a) })
	return out
}

// A worker asks for what it needs; what can't be had is a gap, and never clean.
func TestScanRemote(t *testing.T) {
	e := newEngine(t, engine.Options{})
	content := evil()
	digest := func(f remote.File, sha string) remote.File { f.SHA256 = sha; return f }
	for name, c := range map[string]struct {
		file    remote.File
		full    bool
		verdict modelscan.Verdict
		rule    rule.ID
		mode    string
	}{
		"by ranges":     {file(content, -1, nil), false, modelscan.Unsafe, rule.PickleOsSystem, "ranges"},
		"in full":       {file(content, -1, nil), true, modelscan.Unsafe, rule.PickleOsSystem, "full"},
		"broken off":    {file(content, 0, &remote.Error{Detail: "no answer"}), false, modelscan.Incomplete, rule.ReadError, "ranges"},
		"changed":       {file(content, 0, &remote.Error{Kind: remote.Changed, Detail: "another"}), false, modelscan.Incomplete, rule.ChangedDuringScan, "ranges"},
		"too much":      {file(content, 0, remote.ErrBudget), false, modelscan.Incomplete, rule.LimitReached, "ranges"},
		"full, broken":  {brokenDownload(), true, modelscan.Error, rule.ReadError, "full"},
		"wrong digest":  {digest(file([]byte("\x80\x04}."), -1, nil), "00"), false, modelscan.Unsafe, rule.DigestMismatch, "full"},
		"wrong in full": {digest(file([]byte("\x80\x04}."), -1, nil), "00"), true, modelscan.Unsafe, rule.DigestMismatch, "full"},
	} {
		a := scanRemote(t, e, &remote.Listing{Files: []remote.File{c.file}}, engine.RemoteOptions{Full: c.full})[0]
		found := false
		for _, f := range a.Report.Findings {
			found = found || f.Rule == c.rule
		}
		for _, g := range a.Report.Gaps {
			found = found || g.Rule == c.rule
		}
		if a.Verdict() != c.verdict || !found || a.Report.Coverage.Mode != c.mode {
			t.Errorf("%s: %s %+v", name, a.Verdict(), a.Report)
		}
	}
}

// Records of numbers are not fetched to compare their checksums, however small they are.
func TestScanRemoteTensors(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "m/" + name})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("data.pkl", []byte("\x80\x02}."))
	add("version", []byte("3\n"))
	for i := range 20 {
		add(fmt.Sprintf("data/%d", i), make([]byte, 50_000*(i%2)))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	a := scanRemote(t, newEngine(t, engine.Options{}), &remote.Listing{Files: []remote.File{file(b.Bytes(), -1, nil)}}, engine.RemoteOptions{})[0]
	if a.Verdict() != modelscan.Safe || a.Origin.Requests > 2 || a.Origin.Bytes > 256<<10 {
		t.Errorf("%s, %d requests, %d bytes", a.Verdict(), a.Origin.Requests, a.Origin.Bytes)
	}
}

func brokenDownload() remote.File {
	f := file([]byte("\x80\x04}."), -1, nil)
	f.Download = func(context.Context, io.Writer) (int64, error) {
		return 0, &remote.Error{Detail: "hung up", Err: errors.New("reset")}
	}
	return f
}

// repository of n small pickles on a hub with the given round trip.
func repository(t testing.TB, n int, delay time.Duration) (*remote.Listing, *hub.Client) {
	repo := &hubtest.Repo{ID: "org/model", ScansDone: true, Files: map[string][]byte{}}
	for i := range n {
		repo.Files[fmt.Sprintf("part/m%04d.pkl", i)] = append([]byte("\x80\x04]("), append(bytes.Repeat([]byte("K\x01"), 1000), 'e', '.')...)
	}
	h := hubtest.New(repo)
	t.Cleanup(h.Close)
	h.Delay = delay
	u, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := hub.New(hub.Settings{Endpoint: u}, hub.Options{})
	t.Cleanup(c.Close)
	list, err := c.Resolve(t.Context(), ref.Ref{Kind: ref.Hub, Value: "org/model"})
	if err != nil {
		t.Fatal(err)
	}
	return list, c
}

// Every file of a listing is visited once, in its order, whatever comes first.
func TestScanRemoteOrder(t *testing.T) {
	list, _ := repository(t, 70, 0)
	for i, a := range scanRemote(t, newEngine(t, engine.Options{}), list, engine.RemoteOptions{}) {
		if a.Path != list.Files[i].Name || a.Verdict() != modelscan.Safe || a.Origin.Bytes == 0 || !a.Origin.Verified {
			t.Errorf("%d: %s %s %+v", i, a.Path, a.Verdict(), a.Origin)
		}
	}
}

// What a call reads of a repository is told before it is scanned, and what that needed is fetched once.
func TestPlanRemote(t *testing.T) {
	list := &remote.Listing{}
	var opened atomic.Int64
	for name, text := range map[string]string{"config.json": "{}", "model.safetensors": "x", "pytorch_model.bin": "x"} {
		f := file([]byte(text), -1, nil)
		open := f.Open
		f.Path, f.Open = name, func(ctx context.Context) remote.Content { opened.Add(1); return open(ctx) }
		list.Files = append(list.Files, f)
	}
	e := newEngine(t, engine.Options{})
	plan, err := e.PlanRemote(t.Context(), ref.Options{}, list)
	if err != nil || plan == nil || len(plan.Weights) != 1 || list.Files[plan.Weights[0]].Path != "model.safetensors" || len(plan.Others) != 1 {
		t.Fatalf("%+v, %v", plan, err)
	}
	if scanRemote(t, e, list, engine.RemoteOptions{}); opened.Load() != 3 {
		t.Errorf("%d files opened of 3", opened.Load())
	}
}

// However many configurations lie in folders, the one that the library reads goes with the question.
func TestPlanRemoteCrowd(t *testing.T) {
	list := &remote.Listing{}
	add := func(name, text string) {
		f := file([]byte(text), -1, nil)
		f.Path = name
		list.Files = append(list.Files, f)
	}
	for i := range 100 {
		add(fmt.Sprintf("a/%02d/config.json", i), "{}")
	}
	add("config.json", `{"transformers_weights": "odd.safetensors"}`)
	add("model.safetensors", "x")
	add("odd.safetensors", "x")
	plan, err := newEngine(t, engine.Options{}).PlanRemote(t.Context(), ref.Options{Library: "transformers", Class: "AutoModel"}, list)
	if err != nil || plan == nil || len(plan.Weights) != 1 || list.Files[plan.Weights[0]].Path != "odd.safetensors" {
		t.Fatalf("%+v, %v", plan, err)
	}
}

// A server that never answers doesn't keep a scan for as long as each of many files may take.
func TestScanRemoteDeadline(t *testing.T) {
	list := &remote.Listing{}
	for range 100 {
		f := file(nil, -1, nil)
		f.Size = 1000
		f.Open = func(ctx context.Context) remote.Content {
			return ranges.New(ctx, 1000, ranges.Limits{}, func(ctx context.Context, _, _ int64) (ranges.Part, error) {
				<-ctx.Done()
				return ranges.Part{}, context.Cause(ctx)
			})
		}
		list.Files = append(list.Files, f)
	}
	all := scanRemote(t, newEngine(t, engine.Options{}), list, engine.RemoteOptions{Deadline: time.Millisecond})
	if len(all) != len(list.Files) {
		t.Fatalf("%d of %d files", len(all), len(list.Files))
	}
	for _, a := range all {
		if a.Verdict() == modelscan.Safe || len(a.Report.Gaps) == 0 || !strings.Contains(a.Report.Gaps[0].Reason, "the whole scan took longer than 1ms") {
			t.Fatalf("%s %+v", a.Verdict(), a.Report)
		}
	}
}

// BenchmarkRemote scans a repository of 1,000 files at a round trip of 50 ms.
func BenchmarkRemote(b *testing.B) {
	list, c := repository(b, 1000, 50*time.Millisecond)
	e := newEngine(b, engine.Options{})
	before := c.Spent()
	runs := 0
	for b.Loop() {
		runs++
		for _, a := range scanRemote(b, e, list, engine.RemoteOptions{}) {
			if a.Verdict() != modelscan.Safe {
				b.Fatalf("%s: %+v", a.Path, a.Report)
			}
		}
	}
	spent := c.Spent()
	b.ReportMetric(float64(spent.Requests-before.Requests)/float64(1000*runs), "requests/file")
	b.ReportMetric(float64(spent.Bytes-before.Bytes)/float64(1000*runs), "bytes/file")
}

// TestRemoteCache: a file that is pinned by a commit and a digest is not fetched again; anything else is.
func TestRemoteCache(t *testing.T) {
	store, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, engine.Options{Cache: store})
	small, large := []byte("\x80\x04}."), evil()
	sum := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	opened := 0
	pinned := func(content []byte, uri, digest string) remote.File {
		f := file(content, -1, nil)
		open := f.Open
		f.URI, f.SHA256, f.Open = uri, digest, func(ctx context.Context) remote.Content { opened++; return open(ctx) }
		return f
	}
	scan := func(f remote.File, commit string) *engine.Artifact {
		return scanRemote(t, e, &remote.Listing{Commit: commit, Files: []remote.File{f}}, engine.RemoteOptions{})[0]
	}
	for _, content := range [][]byte{small, large} {
		f := pinned(content, "u", sum(content))
		first, again := scan(f, "c"), scan(f, "c")
		if opened != 1 || !again.Cached || again.Verdict() != first.Verdict() || again.Origin.Verified != first.Origin.Verified || again.Digest != first.Digest {
			t.Errorf("opened %d times: %+v, %+v", opened, first, again)
		}
		if diff := cmp.Diff(first.Report.Coverage, again.Report.Coverage); diff != "" {
			t.Error(diff)
		}
		for name, a := range map[string]func() *engine.Artifact{
			"another commit":     func() *engine.Artifact { return scan(f, "d") },
			"another repository": func() *engine.Artifact { return scan(pinned(content, "v", sum(content)), "c") },
			"no commit":          func() *engine.Artifact { return scan(f, "") },
			"no digest":          func() *engine.Artifact { return scan(pinned(content, "u", ""), "c") },
			"a wrong digest": func() *engine.Artifact {
				scan(pinned(content, "w", "00"), "c")
				return scan(pinned(content, "w", "00"), "c")
			},
		} {
			if got := a(); got.Cached && (name != "a wrong digest" || got.Origin.Verified) {
				t.Errorf("%s: from the cache", name)
			}
		}
		opened = 0
	}
	broken := file(large, 0, &remote.Error{Detail: "no answer"})
	broken.URI, broken.SHA256 = "b", sum(large)
	if scan(broken, "c"); scan(broken, "c").Cached {
		t.Error("a read that failed was kept")
	}
	if f := pinned(small, "s", sum(small)); true {
		scan(f, "c")
		f.Status.Level = "unsafe"
		if a := scan(f, "c"); !a.Cached || len(a.Report.Findings) != 1 {
			t.Errorf("the hub's word of today: %+v", a.Report)
		}
	}
}
