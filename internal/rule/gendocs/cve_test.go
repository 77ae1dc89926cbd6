package main

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// Every advisory in a recipe's heading is on the page, with the rules of what the recipe wants.
func TestAdvisories(t *testing.T) {
	root := fstest.MapFS{
		"x/testdata/call.txtar":    {Data: []byte("CVE-2999-0001: a call.\n-- m.asm --\nSTOP\n-- want --\nm@1: ST201 os.system\nverdict: unsafe\n")},
		"x/testdata/short.txtar":   {Data: []byte("fickling advisory GHSA-ab12: a name, as GHSA-1234-5678-9abc.\n-- want --\nm@1: ST202 x\nm@2: ST202 y\n")},
		"x/testdata/benign.txtar":  {Data: []byte("The counterpart of CVE-2999-0001: nothing.\n-- want --\nm@1: ST203 x\n")},
		"x/testdata/other.txtar":   {Data: []byte("A case.\n-- m.asm --\nCVE-2999-0002\n-- want --\nm@1: ST204 x\n")},
		"x/elsewhere/cve.txtar":    {Data: []byte("CVE-2999-0003: not a test.\n-- want --\n")},
		"x/testdata/CVE-2999.text": {Data: []byte("CVE-2999-0004: not a recipe.\n")},
	}
	known, err := advisories(root)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]rule.ID{"CVE-2999-0001": {"ST201"}, "fickling GHSA-ab12": {"ST202"}, "GHSA-1234-5678-9abc": {"ST202"}} {
		var got []rule.ID
		if known[id] != nil {
			for _, r := range known[id].rules {
				got = append(got, r.ID)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: rules %v, want %v", id, got, want)
		}
		if !strings.Contains(string(cveTable(known)), "| "+id+" |") {
			t.Errorf("%s is not on the page", id)
		}
	}
	if n := len(known["CVE-2999-0001"].cases); n != 2 {
		t.Errorf("%d cases, want the hostile and the harmless one", n)
	}
	for _, id := range []string{"CVE-2999-0002", "CVE-2999-0003", "CVE-2999-0004"} {
		if known[id] != nil {
			t.Errorf("%s is on the page", id)
		}
	}
	if ids := ofRule(known, "ST201"); !slices.Contains(ids, "CVE-2999-0001") || slices.Contains(ids, "GHSA-1234-5678-9abc") {
		t.Errorf("advisories of ST201: %v", ids)
	}
}
