package modelscan

import "testing"

func TestEscapes(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "a": "", "a/b.bin": "", "./a": "", "a/../b": "", "a..b": "", "...": "", "a:b": "starts with a drive letter", "ab:c": "",
		"../a": "climbs with ..", `..\a`: "climbs with ..", "a/../../b": "climbs with ..", "..": "climbs with ..", "a/./..//../b": "climbs with ..",
		"/etc": "is an absolute path", `\x`: "is an absolute path", "//host/x": "is a network path", `\\host\x`: "is a network path", `C:\x`: "starts with a drive letter", "z:x": "starts with a drive letter",
		"https://x/y": "is a URL", "file:///x": "is a URL", "a/b://c": "", "://x": "",
	} {
		if got := Escapes(name); got != want {
			t.Errorf("Escapes(%q) = %q, want %q", name, got, want)
		}
	}
}
