package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTrustFolder(t *testing.T) {
	const odd = `/home/o'brien/"q"`
	for text, want := range map[string]string{
		"":                                   "trusted_folders = ['/new']\n",
		"# mine\nfail_on = 'low'\n[sinks]\n": "trusted_folders = ['/new']\n# mine\nfail_on = 'low'\n[sinks]\n",
		"fail_on = 'low'\ntrusted_folders = [\n  '/old', # work\n]\n": "fail_on = 'low'\ntrusted_folders = ['/new', \n  '/old', # work\n]\n",
		"trusted_folders = []\n":       "trusted_folders = ['/new']\n",
		"trusted_folders = ['/new']\n": "trusted_folders = ['/new']\n",
	} {
		file := filepath.Join(t.TempDir(), "secure-torch", "config.toml")
		if text != "" {
			if err := ReplaceFile(file, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := trustFolder(file, "/new"); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, _ := os.ReadFile(file); string(got) != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if err := trustFolder(file, odd); err != nil {
			t.Fatal(err)
		}
		c, err := readFile(file, User)
		if err != nil || !slices.Contains(c.TrustedFolders, odd) || !slices.Contains(c.TrustedFolders, "/new") {
			t.Errorf("%+v, %v", c, err)
		}
	}
	file := filepath.Join(t.TempDir(), "config.toml")
	broken := []byte("trusted_folders = [\n")
	if err := os.WriteFile(file, broken, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := trustFolder(file, "/new"); err == nil {
		t.Error("a config that cannot be read was written to")
	}
	if got, _ := os.ReadFile(file); string(got) != string(broken) {
		t.Errorf("it became %q", got)
	}
	for _, bad := range []string{"", "relative"} {
		if err := trustFolder(file, bad); err == nil {
			t.Errorf("%q is trusted", bad)
		}
	}
}
