package config

import (
	"slices"
	"strings"
	"testing"
)

func TestCheckPlaces(t *testing.T) {
	for text, want := range map[string]string{
		"offline = true\n  fail_on = 'hihg' # x\n":                               "fail_on = 'hihg' # x",
		"offline = true\nfail_no = 'high'\n":                                     "fail_no = 'high'",
		"offline = \n":                                                           "offline =",
		"# sandbox = x\n\nsandbox = 'off'\n":                                     "sandbox = 'off'",
		"[[ignore]]\nrule = 'ST101'\nreason = 'x'\n[[ignore]]\nrule = 'ST102'\n": "[[ignore]]",
		"[sinks]\n'my lib.f' = 'path'\n":                                         "[sinks]",
		"trusted_folders = ['.']":                                                "trusted_folders = ['.']",
	} {
		p := Check([]byte(text), Untrusted)
		if p == nil || text[p.Start:p.End] != want || p.Message == "" {
			t.Errorf("%q: %+v, want it at %q", text, p, want)
		}
	}
	second := "[[ignore]]\nrule = 'ST101'\nreason = 'x'\n[[ignore]]\nrule = 'ST102'\n"
	if p := Check([]byte(second), Untrusted); p.Start != strings.LastIndex(second, "[[") {
		t.Errorf("the second entry is wrong, not the one at %d", p.Start)
	}
	if p := Check([]byte("offline = true\n"), Untrusted); p != nil {
		t.Errorf("%+v", p)
	}
}

func TestKeys(t *testing.T) {
	for _, k := range append(Keys(""), Keys("ignore")...) {
		if k.Name == "" || k.Doc == "" {
			t.Errorf("%+v", k)
		}
		if k.Name == "fail_on" && !slices.Contains(k.Values, "critical") || k.Name == "rule" && !slices.Contains(k.Values, "ST201") {
			t.Errorf("%s takes %q", k.Name, k.Values)
		}
	}
	if Keys("sinks") != nil {
		t.Error("sinks has keys of the user's own")
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("fail_on = 'x'\n[[ignore]]")
	f.Add("\r\n[")
	f.Fuzz(func(t *testing.T, text string) {
		if p := Check([]byte(text), Untrusted); p != nil && (p.Start < 0 || p.End > len(text) || p.Start > p.End) {
			t.Errorf("%d to %d of %d bytes", p.Start, p.End, len(text))
		}
	})
}
