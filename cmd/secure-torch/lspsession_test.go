package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// lspSession is the program as an editor has it: a process of its own, and nothing but its standard streams.
type lspSession struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	id  int
	log string                    // its file
	now map[string]map[string]int // what is shown: by URI, the severity by code
}

type lspMessage struct {
	ID     json.RawMessage
	Method string
	Params struct {
		URI         string
		Type        int
		Message     string
		Diagnostics []struct {
			Code, Message string
			Severity      int
		}
	}
	Result json.RawMessage
	Error  json.RawMessage
}

// openLSP starts a server for a folder that the user trusts.
func openLSP(t *testing.T, exe, dir string, caps map[string]any, args ...string) *lspSession {
	t.Helper()
	s := startLSP(t, exe, args...)
	if caps == nil {
		caps = map[string]any{}
	}
	s.call("initialize", map[string]any{"processId": nil, "rootUri": fileURI(dir), "capabilities": caps,
		"initializationOptions": map[string]any{"trusted": true}}, nil)
	s.send(map[string]any{"method": "initialized", "params": map[string]any{}})
	return s
}

// startLSP starts a server that is told nothing yet. It is killed when it outlives all patience.
func startLSP(t *testing.T, exe string, args ...string) *lspSession {
	t.Helper()
	s := &lspSession{t: t, now: map[string]map[string]int{}, log: filepath.Join(t.TempDir(), "log")}
	s.cmd = exec.Command(exe, append([]string{"lsp", "--sandbox", "auto", "--log-level", "info", "--log-file", s.log}, args...)...)
	s.cmd.Stderr = os.Stderr
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(2*time.Minute, func() { _ = s.cmd.Process.Kill() })
	t.Cleanup(func() { late.Stop(); _ = s.cmd.Process.Kill() })
	return s
}

func fileURI(path string) string { return "file://" + filepath.ToSlash(path) }

func (s *lspSession) send(m map[string]any) {
	s.t.Helper()
	m["jsonrpc"] = "2.0"
	body, err := json.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, "Content-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		s.t.Fatal(err)
	}
}

func (s *lspSession) next() lspMessage {
	s.t.Helper()
	head, err := s.out.ReadString('\n')
	if err != nil {
		s.t.Fatalf("the server ended: %v\n%s", err, s.logged())
	}
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(head, "Content-Length: ")))
	if err != nil {
		s.t.Fatal(err)
	}
	body := make([]byte, n+2)
	if _, err := io.ReadFull(s.out, body); err != nil {
		s.t.Fatal(err)
	}
	var m lspMessage
	_ = json.Unmarshal(body, &m) // of other messages than ours the fields have other types
	if m.Method == "textDocument/publishDiagnostics" {
		codes := map[string]int{}
		for _, d := range m.Params.Diagnostics {
			codes[d.Code] = d.Severity
		}
		s.now[m.Params.URI] = codes
	}
	if m.Method != "" && m.ID != nil {
		answer := map[string]any{"id": m.ID, "result": nil}
		if m.Method == "window/showMessageRequest" {
			answer["result"] = map[string]any{"title": "Only this model"}
		}
		s.send(answer)
	}
	return m
}

// until reads up to a message that is wanted.
func (s *lspSession) until(ok func(lspMessage) bool) lspMessage {
	s.t.Helper()
	for {
		if m := s.next(); ok(m) {
			return m
		}
	}
}

func (s *lspSession) call(method string, params, result any) {
	s.t.Helper()
	s.id++
	s.send(map[string]any{"id": s.id, "method": method, "params": params})
	m := s.until(func(m lspMessage) bool { return m.Method == "" && string(m.ID) == strconv.Itoa(s.id) })
	if m.Error != nil {
		s.t.Fatalf("%s: %s", method, m.Error)
	}
	if result != nil {
		if err := json.Unmarshal(m.Result, result); err != nil {
			s.t.Fatalf("%s: %v", m.Result, err)
		}
	}
}

func (s *lspSession) command(name string, args ...any) {
	s.t.Helper()
	s.call("workspace/executeCommand", map[string]any{"command": name, "arguments": args}, nil)
}

func (s *lspSession) open(path, text string) {
	s.send(map[string]any{"method": "textDocument/didOpen", "params": map[string]any{"textDocument": map[string]any{
		"uri": fileURI(path), "languageId": "python", "version": 1, "text": text}}})
}

// shown waits until something with the code is shown of a file, or is not, and returns its severity.
func (s *lspSession) shown(path, code string, there bool) (severity int) {
	s.t.Helper()
	for {
		if codes, told := s.now[fileURI(path)]; told {
			if severity, found := codes[code]; found == there {
				return severity
			}
		}
		s.next()
	}
}

func (s *lspSession) logged() string {
	text, _ := os.ReadFile(s.log) // none yet
	return string(text)
}

func (s *lspSession) quit() {
	s.t.Helper()
	s.call("shutdown", nil, nil)
	s.send(map[string]any{"method": "exit"})
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the server: %v", err)
	}
}

// A second start knows from the disk what the first has found out, and scans nothing anew.
func TestWarmStart(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	dir, exe := t.TempDir(), program(t)
	for name, text := range map[string]string{
		"evil.pkl": "cposix\nsystem\n(S'echo pwned'\ntR.", "good.pkl": "\x80\x04K\x01.",
		"a.py": "import pickle\npickle.load(open('evil.pkl', 'rb'))\n", "b.py": "import pickle\npickle.load(open('good.pkl', 'rb'))\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	evil := filepath.Join(dir, "evil.pkl")
	lines := func(s *lspSession, path, cached string) int {
		n := 0
		for _, line := range strings.Split(s.logged(), "\n") {
			if strings.Contains(line, "msg=scanned path="+path) && strings.Contains(line, "cached="+cached) {
				n++
			}
		}
		return n
	}
	first := openLSP(t, exe, dir, nil)
	first.open(filepath.Join(dir, "a.py"), "import pickle\npickle.load(open('evil.pkl', 'rb'))\n")
	first.shown(filepath.Join(dir, "a.py"), "ST201", true)
	first.open(filepath.Join(dir, "b.py"), "import pickle\npickle.load(open('good.pkl', 'rb'))\n")
	for _, path := range []string{evil, filepath.Join(dir, "good.pkl")} {
		for lines(first, path, "true") == 0 { // a report on a file that has only just changed is not kept
			first.command("secure-torch.scanAgain", path)
		}
	}
	first.quit()
	second := openLSP(t, exe, dir, nil)
	second.open(filepath.Join(dir, "a.py"), "import pickle\npickle.load(open('evil.pkl', 'rb'))\n")
	second.shown(filepath.Join(dir, "a.py"), "ST201", true)
	for lines(second, filepath.Join(dir, "good.pkl"), "true") == 0 { // found without being open
		second.call("workspace/executeCommand", map[string]any{"command": "secure-torch.resumeScan"}, nil)
	}
	if n := lines(second, dir, "false"); n > 0 {
		t.Errorf("%d files were scanned anew:\n%s", n, second.logged())
	}
	if children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", second.cmd.Process.Pid)); len(children) > 0 {
		for _, list := range children {
			if text, _ := os.ReadFile(list); len(strings.Fields(string(text))) > 0 {
				t.Errorf("a worker runs: %s", text)
			}
		}
	}
	second.quit()
}

// A server ends with the process that started it, even where something else holds the other end of its input: one that
// was there, one that nobody waits for, and one that was gone from the begin.
func TestEndsWithItsEditor(t *testing.T) {
	exe := program(t)
	for _, c := range []struct {
		name        string
		early, wait bool
	}{{"gone", false, true}, {"a zombie", false, false}, {"gone before", true, true}, {"a zombie before", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			editor := exec.Command("sleep", "600")
			if err := editor.Start(); err != nil {
				t.Fatal(err)
			}
			ends := func() {
				_ = editor.Process.Kill()
				if c.wait {
					_ = editor.Wait()
				}
			}
			if c.early {
				ends()
			}
			s := startLSP(t, exe)
			s.call("initialize", map[string]any{"processId": editor.Process.Pid, "rootUri": nil, "capabilities": map[string]any{}}, nil)
			if !c.early {
				s.call("workspace/executeCommand", map[string]any{"command": "secure-torch.resumeScan"}, nil)
				ends()
			}
			_, _ = io.Copy(io.Discard, s.out)
			var exit *exec.ExitError
			if err := s.cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("the server: %v", err)
			}
			if !c.wait {
				_ = editor.Wait()
			}
		})
	}
}

// Where the system watches nothing, or not enough, the user is told once, and changes are seen all the same.
func TestPollingInEditor(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	exe := program(t)
	for limit, why := range map[string]string{"max_inotify_instances": "the system can't watch folders (the limit fs.inotify.max_user_instances", "max_inotify_watches": "(the limit fs.inotify.max_user_watches is reached)"} {
		t.Run(limit, func(t *testing.T) {
			dir := t.TempDir()
			wrapped := filepath.Join(t.TempDir(), "limited") // a user namespace has limits of its own
			script := fmt.Sprintf("#!/bin/sh\necho 0 >/proc/sys/user/%s && exec %q \"$@\"\n", limit, exe)
			if err := os.WriteFile(wrapped, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			probe := exec.Command("unshare", "-Ur", wrapped, "version")
			if out, err := probe.CombinedOutput(); err != nil {
				t.Skipf("no user namespace with a limit here: %v\n%s", err, out)
			}
			in := filepath.Join(filepath.Dir(wrapped), "in")
			if err := os.WriteFile(in, fmt.Appendf(nil, "#!/bin/sh\nexec unshare -Ur %q \"$@\"\n", wrapped), 0o700); err != nil {
				t.Fatal(err)
			}
			model, source := filepath.Join(dir, "m.pkl"), filepath.Join(dir, "a.py")
			if err := os.WriteFile(model, []byte("\x80\x04K\x01."), 0o600); err != nil {
				t.Fatal(err)
			}
			s := openLSP(t, in, dir, nil)
			s.open(source, "import pickle\npickle.load(open('m.pkl', 'rb'))\n")
			told := 0
			s.until(func(m lspMessage) bool {
				if m.Method == "window/showMessage" && strings.Contains(m.Params.Message, why) && strings.Contains(m.Params.Message, "looking every 2s instead") {
					told++
				}
				return told > 0
			})
			if err := os.WriteFile(model, []byte("cposix\nsystem\n(S'echo pwned'\ntR."), 0o600); err != nil {
				t.Fatal(err)
			}
			for s.now[fileURI(source)]["ST201"] == 0 {
				if m := s.next(); m.Method == "window/showMessage" {
					told++
				}
			}
			if told != 1 {
				t.Errorf("told %d times", told)
			}
			s.quit()
		})
	}
}
