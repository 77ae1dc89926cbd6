package evidence

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func entry(name string, t EntryType, digests ...string) Entry {
	return Entry{Name: name, Size: 6, Type: t, Digests: digests}
}

func TestCompare(t *testing.T) {
	m := Manifest{Plan: Plan{Hash: "sha256", Ignore: []string{".git", "skip"}}, Files: []SignedFile{{Name: "a", Digest: "1"}, {Name: "b", Digest: "2"}}}
	linked := m
	linked.Plan.Links = true
	sharded := Manifest{Plan: Plan{Hash: "sha256", ShardSize: 4}, Files: []SignedFile{{Name: "a", Start: 4, End: 6, Digest: "2"}, {Name: "a", End: 4, Digest: "1"}}}
	single := Manifest{Plan: Plan{Hash: "sha256"}, Files: []SignedFile{{Name: ".", Digest: "1"}}}
	blob := Manifest{Anonymous: true, Files: []SignedFile{{Digest: "1"}, {Digest: "2"}}}
	a, b := entry("a", Regular, "1"), entry("b", Regular, "2")
	for _, c := range []struct {
		name string
		m    Manifest
		l    Listing
		want Comparison
		code Code
	}{
		{"good", m, Listing{Entries: []Entry{a, b}}, Comparison{Signed: 2}, Verified},
		{"changed", m, Listing{Entries: []Entry{entry("a", Regular, "3"), b}}, Comparison{Signed: 1, Changed: []string{"a"}}, Tampered},
		{"not hashed", m, Listing{Entries: []Entry{entry("a", Regular), b}}, Comparison{Signed: 1, Changed: []string{"a"}}, Tampered},
		{"swapped", m, Listing{Entries: []Entry{entry("a", Regular, "2"), entry("b", Regular, "1")}}, Comparison{Changed: []string{"a", "b"}}, Tampered},
		{"missing", m, Listing{Entries: []Entry{a}}, Comparison{Signed: 1, Missing: []string{"b"}}, Missing},
		{"some of the files", m, Listing{Partial: true, Entries: []Entry{a}}, Comparison{Signed: 1}, Verified},
		{"unsigned", m, Listing{Entries: []Entry{a, b, entry("c", Regular, "1")}}, Comparison{Signed: 2, Unsigned: []string{"c"}}, UnsignedFiles},
		{"ignored", m, Listing{Entries: []Entry{a, b, entry(".git/x", Regular), entry("skip", Regular)}}, Comparison{Signed: 2, Ignored: []string{".git/x", "skip"}}, Verified},
		{"not ignored", m, Listing{Entries: []Entry{a, b, entry("d/.git", Regular), entry("skipped", Regular)}}, Comparison{Signed: 2, Unsigned: []string{"d/.git", "skipped"}}, UnsignedFiles},
		{"link out", m, Listing{Entries: []Entry{a, b, entry("c", Link)}}, Comparison{Signed: 2, Links: []string{"c"}}, Tampered},
		{"link in a signed file's place", m, Listing{Entries: []Entry{entry("a", Inner, "1"), b}}, Comparison{Signed: 1, Links: []string{"a"}}, Tampered},
		{"link that the signer followed", linked, Listing{Entries: []Entry{entry("a", Inner, "1"), b}}, Comparison{Signed: 2}, Verified},
		{"pipe", m, Listing{Entries: []Entry{a, b, entry("p", Other)}}, Comparison{Signed: 2, Links: []string{"p"}}, Tampered},
		{"shards", sharded, Listing{Entries: []Entry{entry("a", Regular, "1", "2")}}, Comparison{Signed: 1}, Verified},
		{"shards in another order", sharded, Listing{Entries: []Entry{entry("a", Regular, "2", "1")}}, Comparison{Changed: []string{"a"}}, Tampered},
		{"a shard too few", sharded, Listing{Entries: []Entry{entry("a", Regular, "1")}}, Comparison{Changed: []string{"a"}}, Tampered},
		{"longer than its shards", sharded, Listing{Entries: []Entry{{Name: "a", Size: 7, Digests: []string{"1", "2"}}}}, Comparison{Changed: []string{"a"}}, Tampered},
		{"empty beside shards", sharded, Listing{Entries: []Entry{entry("a", Regular, "1", "2"), {Name: "empty"}}}, Comparison{Signed: 1}, Verified},
		{"one file", single, Listing{Single: true, Entries: []Entry{a}}, Comparison{Signed: 1}, Verified},
		{"one file's signature over a folder", single, Listing{Entries: []Entry{a}}, Comparison{Unsigned: []string{"a"}, Missing: []string{"."}}, Missing},
		{"a folder's signature over one file", m, Listing{Single: true, Entries: []Entry{a}}, Comparison{Signed: 1, Missing: []string{"b"}}, Missing},
		{"blob", blob, Listing{Single: true, Entries: []Entry{entry("x", Regular, "2")}}, Comparison{Signed: 1}, Verified},
		{"another blob", blob, Listing{Single: true, Entries: []Entry{entry("x", Regular, "3")}}, Comparison{Changed: []string{"x"}}, Tampered},
		{"no files", m, Listing{}, Comparison{Missing: []string{"a", "b"}}, Missing},
	} {
		got := c.m.Compare(c.l)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		code := Verified
		if err := got.Err(false); err != nil {
			code = CodeOf(err)
		}
		if code != c.code {
			t.Errorf("%s: %s, want %s", c.name, code, c.code)
		}
	}
	lenient := Comparison{Unsigned: []string{"x"}}
	if err := lenient.Err(true); err != nil {
		t.Error(err)
	}
}

// TestCompareMany: the work grows with the files and not with their square.
func TestCompareMany(t *testing.T) {
	const n = 100_000
	m, l := Manifest{Plan: Plan{Hash: "sha256"}}, Listing{}
	for i := range n {
		name := fmt.Sprintf("shard/%d/file", i)
		m.Files = append(m.Files, SignedFile{Name: name, Digest: "1"})
		l.Entries = append(l.Entries, entry(name, Regular, "1"))
	}
	if c := m.Compare(l); c.Signed != n || c.Err(false) != nil {
		t.Errorf("%d of %d", c.Signed, n)
	}
}
