package tufroot

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/secure-torch/secure-torch/trust/signtest/tufrepo"
)

// fetch asks repository r with a cache of its own.
func fetch(t *testing.T, r *tufrepo.Repository, cache string, root []byte) (string, error) {
	t.Helper()
	text, err := Fetch(t.Context(), Options{Mirror: r.URL, Root: root, Cache: cache, UserAgent: "test"})
	return string(text), err
}

// TestFetch: the newest root comes, through changes of every key, and what was seen once is not undone.
func TestFetch(t *testing.T) {
	r, cache, later := tufrepo.New(t), t.TempDir(), time.Now().Add(time.Hour)
	r.Publish(t, target, []byte("one"), later)
	r.Publish(t, target, []byte("two"), later)
	if text, err := fetch(t, r, cache, r.Root); text != "two" || err != nil {
		t.Fatal(text, err)
	}
	for _, role := range []string{metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP} {
		r.Rotate(t, role)
		r.Publish(t, target, []byte("after "+role), later)
		if text, err := fetch(t, r, cache, r.Root); text != "after "+role || err != nil {
			t.Fatal(role, text, err)
		}
	}
	if text, err := fetch(t, r, t.TempDir(), r.Root); text != "after timestamp" || err != nil { // by the chain of roots alone
		t.Fatal(text, err)
	}
	r.PublishAs(t, 1, target, []byte("one"), later)
	if text, err := fetch(t, r, cache, r.Root); err == nil || !strings.Contains(err.Error(), "older metadata") {
		t.Errorf("rolled back: %s, %v", text, err)
	}
}

// TestRefusals: a repository that is not the one the user trusts, or not as its owners left it.
func TestRefusals(t *testing.T) {
	later := time.Now().Add(time.Hour)
	flip := func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b }
	other := tufrepo.New(t)
	for name, c := range map[string]struct {
		change  func(*tufrepo.Repository)
		root    []byte // nil for the repository's own
		expires time.Time
		want    string
	}{
		"another's root":    {root: other.Root, want: "not signed by those"},
		"no root":           {root: []byte("{}"), want: ""},
		"expired":           {expires: time.Now().Add(-time.Minute), want: "has expired"},
		"target changed":    {change: func(r *tufrepo.Repository) { r.Replace(target, flip) }, want: "another file"},
		"target longer":     {change: func(r *tufrepo.Repository) { r.Replace(target, func(b []byte) []byte { return append(b, b...) }) }, want: ""},
		"timestamp changed": {change: func(r *tufrepo.Repository) { r.Replace("timestamp.json", flip) }, want: ""},
		"snapshot changed":  {change: func(r *tufrepo.Repository) { r.Replace("snapshot.json", flip) }, want: ""},
		"targets changed":   {change: func(r *tufrepo.Repository) { r.Replace("targets.json", flip) }, want: ""},
		"a flood": {change: func(r *tufrepo.Repository) {
			r.Replace("timestamp.json", func([]byte) []byte { return make([]byte, maxFile+1) })
		}, want: "more than"},
		"another target":       {change: func(r *tufrepo.Repository) { r.Publish(t, "other.json", []byte("x"), later) }, want: target},
		"a root nobody signed": {change: func(r *tufrepo.Repository) { r.Rotate(t, metadata.ROOT); r.Replace("2.root.json", flip) }, want: ""},
		"somebody else's second": {change: func(r *tufrepo.Repository) {
			r.Rotate(t, metadata.ROOT)
			r.Replace("2.root.json", func([]byte) []byte { return other.Root })
		}, want: ""},
	} {
		r := tufrepo.New(t)
		if c.expires.IsZero() {
			c.expires = later
		}
		r.Publish(t, target, []byte("a trusted root"), c.expires)
		if c.change != nil {
			c.change(r)
		}
		if c.root == nil {
			c.root = r.Root
		}
		if text, err := fetch(t, r, t.TempDir(), c.root); err == nil || text != "" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	// The public instance's root vouches for no other repository.
	if _, err := fetch(t, other, t.TempDir(), nil); err == nil {
		t.Error("the built-in root vouches for any repository")
	}
}
