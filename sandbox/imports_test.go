//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// importing is what a module may try while it is imported, before the tight filter: {} stands for a file of the user's.
var importing = map[string]string{
	"socket":     "import socket; socket.socket()",
	"fork":       "import os; os.fork() or os._exit(0)",
	"vfork":      "import subprocess; subprocess.run(['/bin/true'])",
	"spawn":      "import os; os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)",
	"exec":       "import os; os.execv('/bin/echo', ['echo', 'done'])",
	"read":       "open('{}').read()",
	"write":      "open('{}', 'a').close()",
	"new":        "open('{}.new', 'w').close()",
	"truncate":   "import os; os.truncate('{}', 1)",
	"list":       "import os; os.listdir(os.path.dirname('{}'))",
	"unlink":     "import os; os.unlink('{}')",
	"rename":     "import os; os.rename('{}', '{}.old'); os.rename('{}.old', '{}')",
	"link":       "import os; os.link('{}', '{}.link')",
	"symlink":    "import os; os.symlink('/', '{}.sym')",
	"mkdir":      "import os; os.mkdir('{}.dir')",
	"fifo":       "import os; os.mkfifo('{}.fifo')",
	"chmod":      "import os; os.chmod('{}', 0o777)",
	"chown":      "import os; os.chown('{}', -1, os.getgid())",
	"utime":      "import os; os.utime('{}', (1, 1))",
	"attribute":  "import os; os.setxattr('{}', 'user.x', b'1')",
	"environ":    "open('/proc/%d/environ' % __import__('os').getppid()).read()",
	"kill":       "import os; os.kill(os.getppid(), 0)",
	"memfd exec": "import os; fd = os.memfd_create('x', 0); os.write(fd, open('/bin/true', 'rb').read()); os.execve(fd, ['true'], {})",
}

// TestImportsAreConfined: the modules of a confined Python are trusted, but what they do in its first stage is bounded
// too. The control run shows that each attempt is live.
func TestImportsAreConfined(t *testing.T) {
	if _, err := os.Stat(python); err != nil {
		t.Skip(err)
	}
	for name, attempt := range importing {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, target := t.TempDir(), filepath.Join(t.TempDir(), "file")
			module := fmt.Sprintf("def attempt():\n    %s\ntry:\n    attempt()\n    print('done')\nexcept OSError as e:\n    print('refused', e.errno)\n",
				strings.ReplaceAll(attempt, "{}'", target+"'"))
			module = strings.ReplaceAll(module, "{}.", target+".")
			path := filepath.Join(dir, "tries.py")
			for file, text := range map[string]string{path: module, target: "secret"} {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r, out, said := runs(t, Program{Source: "pass", Imports: []string{"tries"}, Paths: []string{dir}}, "")
			if r.Outcome != ProgramDone || !strings.HasPrefix(out, "refused") {
				t.Errorf("%+v\n%s%s", r, out, said)
			}
			if text, err := os.ReadFile(target); err != nil || string(text) != "secret" {
				t.Errorf("the file was changed: %q, %v", text, err)
			}
			control, err := exec.CommandContext(t.Context(), python, "-I", "-B", path).CombinedOutput()
			live := strings.HasSuffix(strings.TrimSpace(string(control)), "done") || name == "memfd exec" && len(control) == 0
			if err != nil || !live {
				t.Errorf("control: %v\n%s", err, control)
			}
		})
	}
}
