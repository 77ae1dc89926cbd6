package analyzers_test

import (
	"testing"

	"github.com/secure-torch/secure-torch/analyzers"
)

func TestEncoded(t *testing.T) {
	for src, want := range map[string]bool{
		"import torch\n":                        false,
		"# -*- coding: utf-8 -*-\n":             false,
		"#!/usr/bin/python\n# coding=latin-1\n": false,
		"# vim: set fileencoding=cp1252 :\n":    false,
		"# coding: shift_jis\n":                 false,
		"# coding: iso-8859-15\n":               false,
		"# coding: 936\n":                       false,
		"# coding: UTF-8-SIG\rimport torch\r":   false,
		"# coding: shift_jis_2004\n":            true, // its backslash is a yen sign
		"# coding: mac_arabic\n":                true,
		"# coding: iso2022_jp\n":                true,
		"# coding: 037\n":                       true,
		"# coding: utf-7\n":                     true,
		"# coding: unicode_escape\n":            true,
		"# coding: cp037\n":                     true,
		"\xff\xfei\x00m\x00":                    true,
	} {
		if name, got := analyzers.Encoded([]byte(src)); got != want {
			t.Errorf("%q: %s, %t", src, name, got)
		}
	}
}

// What Python would refuse, or what is not read as it would be, is not rewritten.
func TestEncodedIsNotWhole(t *testing.T) {
	for src, want := range map[string]bool{
		"# coding: latin-1\nx = '\xe9'\n": true,
		"# coding: UTF_8\nx = '\xe9'\n":   false,
		"x = '\xe9'\n":                    false,
		"x = 'é'\n":                       true,
		"# coding: iso2022_jp\nx = 'e'\n": false,
	} {
		if got := analyzers.Summarise([]byte(src), analyzers.Native).Whole(); got != want {
			t.Errorf("%q is whole: %t", src, got)
		}
	}
}

// What a functools.partial holds would be lost if its calls were rewritten.
func TestNoLoadFixThroughPartial(t *testing.T) {
	src := "import torch\nfrom functools import partial\nh = partial(torch.load, map_location=\"cpu\")\nh(\"a.pt\")\n"
	calls := analyzers.Link(analyzers.Summarise([]byte(src), analyzers.Native), analyzers.Options{}).Calls
	if len(calls) != 1 {
		t.Fatalf("%d calls", len(calls))
	}
	for _, f := range calls[0].Fixes {
		for _, e := range f.Edits {
			if e.New == "st.load" {
				t.Errorf("%+v", f)
			}
		}
	}
}
