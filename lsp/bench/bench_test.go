// Package bench measures the server as an editor meets it: over a pipe, beside ruff's server on the same
// edits. Run it with
//
//	go test -run '^$' -bench . ./lsp/bench
//
// BINARY names a built secure-torch (default: one is built), RUFF a ruff (default: ruff in PATH; without
// one its rows are left out).
package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// session is a running server and what it says.
type session struct {
	b   *testing.B
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	id  int
}

type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		URI         string            `json:"uri"`
		Version     int               `json:"version"`
		Diagnostics []json.RawMessage `json:"diagnostics"`
	} `json:"params"`
}

func open(b *testing.B, dir string, command []string) *session {
	b.Helper()
	s := &session{b: b, cmd: exec.Command(command[0], command[1:]...)}
	s.cmd.Dir = dir
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	s.out = bufio.NewReaderSize(out, 1<<20)
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s.send("initialize", map[string]any{"processId": os.Getpid(), "rootUri": "file://" + dir, "capabilities": map[string]any{
		"general":      map[string]any{"positionEncodings": []string{"utf-8", "utf-16"}},
		"textDocument": map[string]any{"publishDiagnostics": map[string]any{"versionSupport": true}},
	}}, true)
	s.until(func(m message) bool { return m.Method == "" && string(m.ID) == strconv.Itoa(s.id) })
	s.send("initialized", map[string]any{}, false)
	return s
}

func (s *session) send(method string, params any, call bool) {
	m := map[string]any{"jsonrpc": "2.0", "method": method, "params": params}
	if call {
		s.id++
		m["id"] = s.id
	}
	body, err := json.Marshal(m)
	if err != nil {
		s.b.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, "Content-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		s.b.Fatal(err)
	}
}

// cpu is the processor time that the server has used, in milliseconds: on a busy machine it says more than
// the clock. It is 0 where there is no /proc.
func (s *session) cpu() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return float64(user+system) * 10 // ticks of 1/100 s, as Linux reports them everywhere
}

// until reads messages up to the one that ok accepts.
func (s *session) until(ok func(message) bool) message {
	for {
		length := 0
		for {
			line, err := s.out.ReadString('\n')
			if err != nil {
				s.b.Fatalf("the server ended: %v", err)
			}
			line = strings.TrimSpace(line)
			if line == "" {
				break
			}
			if n, found := strings.CutPrefix(line, "Content-Length: "); found {
				length, _ = strconv.Atoi(n)
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(s.out, body); err != nil {
			s.b.Fatal(err)
		}
		var m message
		_ = json.Unmarshal(body, &m) // a reply has no such params
		if m.Method != "" && m.ID != nil {
			reply := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":null}`, m.ID)
			fmt.Fprintf(s.in, "Content-Length: %d\r\n\r\n%s", len(reply), reply)
		}
		if ok(m) {
			return m
		}
	}
}

func (s *session) shown(uri string, version int) message {
	return s.until(func(m message) bool {
		return m.Method == "textDocument/publishDiagnostics" && m.Params.URI == uri && m.Params.Version == version
	})
}

func (s *session) didOpen(uri, text string) {
	s.send("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "languageId": "python", "version": 1, "text": text}}, false)
}

func (s *session) close() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// source is a module of about n lines, as people write them: classes, functions, and now and then a load.
func source(n int) string {
	var b strings.Builder
	b.WriteString("import os\nimport torch\nfrom pathlib import Path\n\nROOT = Path(\"models\")\n")
	for i := 0; strings.Count(b.String(), "\n") < n; i++ {
		fmt.Fprintf(&b, `

class Block%d(torch.nn.Module):
    """A residual block with %d channels."""

    def __init__(self, width: int = %d, *, bias: bool = True) -> None:
        super().__init__()
        self.norm = torch.nn.LayerNorm(width)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(width, 4 * width, bias=bias),
            torch.nn.GELU(),
            torch.nn.Linear(4 * width, width, bias=bias),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for step in range(3):
            if x.shape[-1] != self.norm.normalized_shape[0]:
                raise ValueError(f"step {step}: got {x.shape}, want {self.norm.normalized_shape}")
            x = x + self.layers(self.norm(x))
        return x


def metrics_%d(values, *, name="loss", best=None):
    total = sum(v ** 2 for v in values if v is not None)
    lines = [f"{name}: {total:.3f}", "best: %%s" %% best]
    return {"total": total, "lines": lines, "path": os.path.join("runs", name, str(%d))}
`, i, 8*i, 8*i, i, i)
		if i%8 == 0 {
			fmt.Fprintf(&b, "\n\ndef restore_%d(device=\"cpu\"):\n    state = torch.load(ROOT / \"block%d.pt\", map_location=device)\n    return state[\"model\"]\n", i, i)
		}
	}
	return b.String()
}

// servers are the commands to measure.
func servers(b *testing.B) map[string][]string {
	b.Helper()
	binary := os.Getenv("BINARY")
	if binary == "" {
		binary = filepath.Join(b.TempDir(), "secure-torch")
		if out, err := exec.Command("go", "build", "-C", "../..", "-o", binary, "./cmd/secure-torch").CombinedOutput(); err != nil {
			b.Fatalf("build: %v\n%s", err, out)
		}
	}
	out := map[string][]string{"secure-torch": {binary, "lsp"}}
	ruff := os.Getenv("RUFF")
	if ruff == "" {
		ruff, _ = exec.LookPath("ruff")
	}
	if ruff != "" {
		out["ruff"] = []string{ruff, "server"}
	}
	return out
}

var sizes = []int{600, 2000, 10000}

// each runs f for every server and size.
func each(b *testing.B, f func(b *testing.B, dir string, command []string, text string)) {
	all := servers(b)
	for _, lines := range sizes {
		text := source(lines)
		for _, name := range slices.Sorted(func(yield func(string) bool) {
			for k := range all {
				if !yield(k) {
					return
				}
			}
		}) {
			b.Run(fmt.Sprintf("%d/%s", lines, name), func(b *testing.B) { f(b, b.TempDir(), all[name], text) })
		}
	}
}

func report(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	at := func(p int) float64 { return float64(times[min(len(times)-1, len(times)*p/100)]) / 1e6 }
	b.ReportMetric(at(50), "p50-ms")
	b.ReportMetric(at(95), "p95-ms")
	b.ReportMetric(0, "ns/op") // the mean would only confuse
}

// A key is pressed in the middle of the file; how long until its diagnostics are there.
func BenchmarkKeystroke(b *testing.B) {
	each(b, func(b *testing.B, dir string, command []string, text string) {
		s := open(b, dir, command)
		defer s.close()
		uri := "file://" + filepath.Join(dir, "a.py")
		s.didOpen(uri, text)
		s.shown(uri, 1)
		lines := strings.Split(text, "\n")
		row := len(lines) / 2
		for !strings.HasPrefix(lines[row], "        return x") {
			row++
		}
		before := s.cpu()
		var times []time.Duration
		version, typed := 1, "  # typing"
		for b.Loop() {
			version++
			column := len(lines[row]) + (version-2)%len(typed)
			change := map[string]any{
				"range": map[string]any{"start": map[string]int{"line": row, "character": column}, "end": map[string]int{"line": row, "character": column}},
				"text":  string(typed[(version-2)%len(typed)]),
			}
			if (version-2)%len(typed) == 0 && version > 2 { // begin the comment anew
				end := len(lines[row]) + len(typed)
				change["range"] = map[string]any{"start": map[string]int{"line": row, "character": len(lines[row])}, "end": map[string]int{"line": row, "character": end}}
			}
			begin := time.Now()
			s.send("textDocument/didChange", map[string]any{
				"textDocument": map[string]any{"uri": uri, "version": version}, "contentChanges": []any{change},
			}, false)
			s.shown(uri, version)
			times = append(times, time.Since(begin))
		}
		b.ReportMetric((s.cpu()-before)/float64(len(times)), "cpu-ms")
		report(b, times)
	})
}

// From the start of the process to the first diagnostics.
func BenchmarkColdStart(b *testing.B) {
	each(b, func(b *testing.B, dir string, command []string, text string) {
		uri := "file://" + filepath.Join(dir, "a.py")
		var times []time.Duration
		for b.Loop() {
			begin := time.Now()
			s := open(b, dir, command)
			s.didOpen(uri, text)
			s.shown(uri, 1)
			times = append(times, time.Since(begin))
			s.close()
		}
		report(b, times)
	})
}
