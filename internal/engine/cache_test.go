package engine_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/internal/cache"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/modelscan"
)

const (
	harmless = "\x80\x04}\x94\x8c\x01a\x94K\x01s."
	hostile  = "\x80\x04cposix\nsystem\n\x8c\x04true\x85R."
)

// scanCached scans with an engine of its own, as another run would.
func scanCached(t *testing.T, store *cache.Store, opts engine.Options, path string) *engine.Artifact {
	t.Helper()
	opts.Cache = store
	e := newEngine(t, opts)
	e.KeepAtOnce()
	return e.ScanFile(t.Context(), path)
}

func TestCache(t *testing.T) {
	dir := t.TempDir()
	store, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, filepath.Join(dir, "m.pkl"), hostile)
	limits := modelscan.DefaultLimits()
	limits.MaxFacts = 7
	want := func(what string, a *engine.Artifact, verdict modelscan.Verdict, cached bool) {
		t.Helper()
		if a.Verdict() != verdict || a.Cached != cached {
			t.Errorf("%s: %s, cached %v; want %s, %v", what, a.Verdict(), a.Cached, verdict, cached)
		}
	}
	want("first", scanCached(t, store, engine.Options{}, path), modelscan.Unsafe, false)
	again := scanCached(t, store, engine.Options{}, path)
	want("again", again, modelscan.Unsafe, true)
	if len(again.Report.Findings) != 1 || again.Report.Findings[0].Path != "m.pkl" || again.Size != int64(len(hostile)) {
		t.Errorf("the cached report is another: %+v", again.Report)
	}
	want("other limits", scanCached(t, store, engine.Options{Limits: &limits}, path), modelscan.Unsafe, false)
	digest := scanCached(t, store, engine.Options{Digest: true}, path)
	want("with a digest", digest, modelscan.Unsafe, false)
	if cached := scanCached(t, store, engine.Options{Digest: true}, path); !cached.Cached || cached.Digest == "" || cached.Digest != digest.Digest {
		t.Errorf("digest %q, cached %q", digest.Digest, cached.Digest)
	}

	write(t, path, harmless)
	want("after a change", scanCached(t, store, engine.Options{}, path), modelscan.Safe, false)
	moved := filepath.Join(dir, "n.pkl")
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	want("under another name", scanCached(t, store, engine.Options{}, moved), modelscan.Safe, false)
	want("without a cache", scanCached(t, nil, engine.Options{}, moved), modelscan.Safe, false)
}

// TestCacheKeepsNoFailure: what could end otherwise another time, or what is just being written, is not kept.
func TestCacheKeepsNoFailure(t *testing.T) {
	dir := t.TempDir()
	store, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, engine.Options{Cache: store})
	e.ScanFile(t.Context(), write(t, filepath.Join(dir, "new.pkl"), harmless)) // changed within a clock tick, for all that can be told
	e.KeepAtOnce()
	e.ScanFile(t.Context(), filepath.Join(dir, "missing.pkl"))
	if count, _, err := store.Size(); count != 0 || err != nil {
		t.Errorf("%d entries, %v", count, err)
	}
	e.ScanFile(t.Context(), write(t, filepath.Join(dir, "cut.pkl"), harmless[:5]))
	if count, _, _ := store.Size(); count != 1 {
		t.Errorf("%d entries: a file that is cut off stays so", count)
	}
}
