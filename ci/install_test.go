package ci

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestInstall: install.sh takes what checksums.txt names and nothing else; where there is a cosign, only what the release
// workflow has signed.
func TestInstall(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the release is made for Linux here")
	}
	name := "secure-torch_0.1.0_linux_" + runtime.GOARCH
	for what, c := range map[string]struct {
		change func(files map[string][]byte)
		cosign string // a script; none without
		want   string // empty: it is installed
	}{
		"as released": {want: ""},
		"another archive": {change: func(f map[string][]byte) { f[name+".tar.gz"] = append(f[name+".tar.gz"], 0) },
			want: "is not what checksums.txt says"},
		"not in the list": {change: func(f map[string][]byte) { f["checksums.txt"] = []byte("00  other\n") }, want: "has no line for"},
		"no list":         {change: func(f map[string][]byte) { delete(f, "checksums.txt") }, want: "could not be fetched"},
		"signed": {cosign: `[ "$1" = verify-blob ] && case "$*" in *"--certificate-identity https://github.com/secure-torch/secure-torch/.github/workflows/release.yml@refs/tags/v0.1.0 "*"--certificate-oidc-issuer https://token.actions.githubusercontent.com "*) exit 0 ;; esac; exit 9`,
			want: ""},
		"signed by others": {cosign: "exit 1", want: "not signed by the release workflow"},
		"not signed":       {cosign: "exit 0", change: func(f map[string][]byte) { delete(f, "checksums.txt.sigstore.json") }, want: "could not be fetched"},
	} {
		t.Run(what, func(t *testing.T) {
			files := release(t, name)
			if c.change != nil {
				c.change(files)
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				data, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
				if !ok {
					http.NotFound(w, r)
					return
				}
				_, _ = w.Write(data)
			}))
			defer server.Close()
			bin, to := t.TempDir(), filepath.Join(t.TempDir(), "bin")
			if c.cosign != "" {
				if err := os.WriteFile(filepath.Join(bin, "cosign"), []byte("#!/bin/sh\n"+c.cosign+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("sh", "../scripts/install.sh", "--version", "v0.1.0", "--from", server.URL, "--to", to)
			cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			_, missing := os.Stat(filepath.Join(to, "secure-torch"))
			switch {
			case c.want == "" && (err != nil || missing != nil || !strings.Contains(string(out), "secure-torch 0.1.0")):
				t.Errorf("not installed: %v\n%s", err, out)
			case c.want != "" && (err == nil || missing == nil || !strings.Contains(string(out), c.want)):
				t.Errorf("want %q: %v\n%s", c.want, err, out)
			}
		})
	}
}

// release is a release whose program is a script.
func release(t *testing.T, name string) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, name, "secure-torch")
	command(t, dir, "mkdir", name)
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho secure-torch 0.1.0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, dir, "tar", "-czf", "a.tar.gz", name)
	archive, err := os.ReadFile(filepath.Join(dir, "a.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		name + ".tar.gz": archive, "checksums.txt.sigstore.json": []byte("{}"),
		"checksums.txt": fmt.Appendf(nil, "%x  %s.tar.gz\n", sha256.Sum256(archive), name),
	}
}

func TestInstallUsage(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"--version"}, {"--version", "v0.1.0", "--to"}} {
		cmd := exec.Command("sh", append([]string{"../scripts/install.sh"}, args...)...)
		out, _ := cmd.CombinedOutput() // what it exits with is looked at
		if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.HasPrefix(string(out), "usage: install.sh --version vX.Y.Z") {
			t.Errorf("%v: exit %d: %s", args, code, out)
		}
	}
}
