package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killWorkers kills the children of a process as they appear, until n have died or the time is over.
func killWorkers(pid, n int, done <-chan struct{}) (killed int) {
	for killed < n {
		select {
		case <-done:
			return killed
		default:
		}
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // of each thread
		for _, list := range lists {
			text, _ := os.ReadFile(list) // the thread may be gone
			for _, child := range strings.Fields(string(text)) {
				if id, err := strconv.Atoi(child); err == nil && syscall.Kill(id, syscall.SIGKILL) == nil {
					killed++
				}
			}
		}
	}
	return killed
}

// Workers that are killed in the middle of a scan take neither the server nor the truth with them: the
// file is then either scanned again or said not to have been examined, and never clean.
func TestServerOutlivesWorkers(t *testing.T) {
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("children are found through /proc")
	}
	dir := t.TempDir()
	long := "(l" + strings.Repeat("I1\na", 4<<20) + "cposix\nsystem\n(S'echo pwned'\ntRa." // takes a while
	if err := os.WriteFile(filepath.Join(dir, "evil.pkl"), []byte(long), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t), "lsp", "--sandbox", "auto")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	send := func(body string) { fmt.Fprintf(in, "Content-Length: %d\r\n\r\n%s", len(body), body) }
	reader := bufio.NewReader(out)
	next := func() []byte {
		t.Helper()
		head, err := reader.ReadString('\n')
		if err != nil {
			t.Fatalf("the server ended: %v", err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(head, "Content-Length: ")))
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, n+2)
		if _, err := io.ReadFull(reader, body); err != nil {
			t.Fatal(err)
		}
		return body[2:]
	}
	send(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"rootUri":null,"capabilities":{}}}`)
	next()
	killing, killed := make(chan struct{}), make(chan int)
	go func() { killed <- killWorkers(cmd.Process.Pid, 3, killing) }()
	uri, err := json.Marshal("file://" + filepath.Join(dir, "a.py"))
	if err != nil {
		t.Fatal(err)
	}
	send(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":` + string(uri) +
		`,"languageId":"python","version":1,"text":"import pickle\npickle.load(open('evil.pkl', 'rb'))\n"}}}`)
	for {
		body := next()
		if bytes.Contains(body, []byte(`a.py"`)) && (bytes.Contains(body, []byte("ST201")) || bytes.Contains(body, []byte("ST9"))) {
			break
		}
	}
	close(killing)
	if n := <-killed; n == 0 {
		t.Error("no worker was killed: this proves nothing")
	} else {
		t.Logf("%d workers killed", n)
	}
	send(`{"jsonrpc":"2.0","id":2,"method":"shutdown"}`)
	for !bytes.Contains(next(), []byte(`"id":2`)) {
	}
	send(`{"jsonrpc":"2.0","method":"exit"}`)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server: %v", err)
	}
}
