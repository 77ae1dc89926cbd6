package lsp

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

const aPy = "file:///w/a.py"

func fakes() (Options, *fakeScanner) {
	sc := &fakeScanner{}
	return Options{Checker: fakeChecker{hold: make(chan struct{})}, Scanner: sc, Version: "test"}, sc
}

func TestSession(t *testing.T) {
	opts, sc := fakes()
	sc.set("evil.pt", "would call posix.system('echo pwned') on load")
	e := start(t, opts)
	e.initialize(full("utf-16"))
	e.open(aPy, 1, "import torch\nx = torch.load(\"evil.pt\")\n")
	got := e.latest(aPy, 1, func(d []shownDiag) bool { return len(d) == 1 && d[0].Code == "ST201" })
	want := shownDiag{rng{pos{1, 4}, pos{1, 14}}, 1, "ST201", "secure-torch", "would call posix.system('echo pwned') on load"}
	if got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	e.change(aPy, 2, edit(1, 4, 14, "st.load"))
	e.latest(aPy, 2, func(d []shownDiag) bool { return len(d) == 0 })
	e.notify("textDocument/didClose", obj{"textDocument": obj{"uri": aPy}})
	if code := e.quit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestExitWithoutShutdown(t *testing.T) {
	opts, _ := fakes()
	e := start(t, opts)
	e.initialize(full())
	e.notify("exit", nil)
	if code := e.exitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
}

func TestEndOfInput(t *testing.T) {
	opts, _ := fakes()
	e := start(t, opts)
	e.initialize(full())
	e.in.Close()
	if code := e.exitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
}

// A client may send shutdown and exit in one write: the reply must still get out.
func TestPipelinedShutdown(t *testing.T) {
	for range 50 {
		opts, _ := fakes()
		e := start(t, opts)
		e.initialize(full())
		e.raw(frame(obj{"jsonrpc": "2.0", "id": "bye", "method": "shutdown"}) + frame(obj{"jsonrpc": "2.0", "method": "exit"}))
		if code := e.exitCode(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		e.reply(`"bye"`)
	}
}

func TestPhases(t *testing.T) {
	opts, _ := fakes()
	e := start(t, opts)
	if m := e.reply(e.request("textDocument/codeAction", obj{})); m.Error == nil || m.Error.Code != -32002 {
		t.Errorf("before initialize: %+v", m)
	}
	e.open(aPy, 1, `torch.load("a.pt")`) // dropped: nothing may be sent before initialize
	e.initialize(full())
	if m := e.reply(e.request("initialize", obj{"capabilities": obj{}, "processId": nil, "rootUri": nil})); m.Error == nil || m.Error.Code != -32600 {
		t.Errorf("second initialize: %+v", m)
	}
	e.call("shutdown", nil, nil)
	if m := e.reply(e.request("textDocument/codeAction", obj{})); m.Error == nil || m.Error.Code != -32600 {
		t.Errorf("after shutdown: %+v", m)
	}
	if len(e.shown) != 0 {
		t.Errorf("shown: %v", e.shown)
	}
}

// A client is answered in its own spelling of a URI.
func TestSpelling(t *testing.T) {
	for _, u := range []string{"file:///w/@x/a b.py", "file:///w/%40x/a%20b.py", "vscode-notebook-cell:///w/n.ipynb#a", "untitled:Untitled-1", "file:///C:/w/a.py"} {
		opts, _ := fakes()
		e := start(t, opts)
		e.initialize(full())
		e.open(u, 1, `torch.load("a.pt")`)
		e.latest(u, 1, func(d []shownDiag) bool { return len(d) == 1 })
		e.change(u, 2, obj{"text": "x"})
		e.latest(u, 2, func(d []shownDiag) bool { return len(d) == 0 })
	}
}

// What a client should not send gets an error or nothing, and the session lives on.
func TestRudeClient(t *testing.T) {
	opts, _ := fakes()
	e := start(t, opts)
	e.initialize(full())
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	for _, body := range []string{
		`{"jsonrpc":"2.0","method":"$/unknown"}`,
		`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":null}}`,
		`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":12345}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didOpen"}`,
		`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":[1,2]}`,
		`{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"file:///never.py","version":1},"contentChanges":[{"text":"x"}]}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didClose","params":{"textDocument":{"uri":"file:///never.py"}}}`,
		`{"jsonrpc":"2.0","method":"no/such/notification","params":{}}`,
		`{"jsonrpc":"2.0","id":99,"result":"to nothing"}`,
		`{"jsonrpc":"2.0","method":"workspace/didChangeWatchedFiles","params":{"changes":[{"uri":"untitled:x","type":1},{"uri":"%%%","type":9}]}}`,
		`{"jsonrpc":"2.0","id":"deep","method":"textDocument/codeAction","params":` + deep + `}`,
		`{"jsonrpc":"2.0","id":"nope","method":"no/such/request"}`,
		"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"no/such/request\"}",
		`this is not JSON`,
		`{"jsonrpc":"2.0",`,
		`[]`,
	} {
		e.raw(fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
	}
	if m := e.reply(`"nope"`); m.Error == nil || m.Error.Code != -32601 {
		t.Errorf("unknown request: %+v", m)
	}
	e.open(aPy, 1, `torch.load("a.pt")`)
	e.latest(aPy, 1, func(d []shownDiag) bool { return len(d) == 1 })
	e.eventually("five parse errors", func() bool {
		for _, m := range e.replies["null"] {
			if m.Error.Code != -32700 {
				t.Errorf("error %+v", m.Error)
			}
		}
		return len(e.replies["null"]) == 5
	})
	if code := e.quit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestFramingLimits(t *testing.T) {
	for name, head := range map[string]string{
		"length over the limit": "Content-Length: 1073741825\r\n\r\n",
		"negative length":       "Content-Length: -1\r\n\r\n",
		"no length":             "Content-Type: x\r\n\r\n",
		"no colon":              "hello\r\n\r\n",
		"endless header":        "X: " + strings.Repeat("y", 100<<10),
		"many headers":          strings.Repeat("X: y\r\n", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			opts, _ := fakes()
			e := start(t, opts)
			e.initialize(full())
			go e.raw(head)
			if code := e.exitCode(); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
		})
	}
}

// A thousand changes of very different size, with requests between them: the last text is the right one,
// and every request saw the text of its own moment.
func TestOrder(t *testing.T) {
	opts, _ := fakes()
	e := start(t, opts)
	e.initialize(full())
	e.open(aPy, 0, "")
	rnd := rand.New(rand.NewPCG(1, 2))
	asked := map[string]int{}
	for v := 1; v <= 1000; v++ {
		text := fmt.Sprintf("torch.load(\"%d.pt\")", v)
		if rnd.IntN(3) == 0 {
			text += strings.Repeat("\n# padding", 5000)
		}
		e.change(aPy, v, obj{"text": text})
		if rnd.IntN(3) == 0 {
			asked[e.request("textDocument/codeAction", obj{
				"textDocument": obj{"uri": aPy}, "range": rng{}, "context": obj{"diagnostics": []any{}},
			})] = v
		}
	}
	e.latest(aPy, 1000, func(d []shownDiag) bool { return len(d) == 1 })
	for id, v := range asked {
		m := e.reply(id)
		if m.Error != nil {
			if m.Error.Code != -32801 {
				t.Fatalf("version %d: %+v", v, m.Error)
			}
			continue // superseded before it was read
		}
		var actions []struct {
			Edit struct {
				DocumentChanges []struct {
					TextDocument struct{ Version int }
				}
			}
		}
		if err := json.Unmarshal(m.Result, &actions); err != nil {
			t.Fatal(err)
		}
		if len(actions) == 0 || actions[0].Edit.DocumentChanges[0].TextDocument.Version != v {
			t.Fatalf("asked at version %d, answered %s", v, m.Result)
		}
	}
	last := -1
	for _, p := range e.publishedFor(aPy) {
		if *p.Version < last {
			t.Fatalf("version %d shown after %d", *p.Version, last)
		}
		last = *p.Version
	}
}

// Fifty thousand cancels, of requests under way, answered and never made: one reply each, in the end.
func TestCancelStorm(t *testing.T) {
	opts, _ := fakes()
	e := start(t, opts)
	e.initialize(full())
	e.open(aPy, 1, "slow()") // requests about it wait, so that there is something to cancel
	const storms, each = 500, 50
	var ids []string
	for range storms {
		id := e.request("textDocument/codeAction", obj{
			"textDocument": obj{"uri": aPy}, "range": rng{}, "context": obj{"diagnostics": []any{}},
		})
		ids = append(ids, id)
		cancel := frame(obj{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": obj{"id": json.RawMessage(id)}})
		e.raw(strings.Repeat(cancel, 2*each))
	}
	for _, id := range ids {
		if m := e.reply(id); m.Error == nil || m.Error.Code != -32800 {
			t.Fatalf("request %s: %+v", id, m)
		}
	}
	e.call("shutdown", nil, nil)
	for id, all := range e.replies {
		if len(all) != 1 {
			t.Errorf("%d replies to %s", len(all), id)
		}
	}
}

// A panic while a source is read, or in a handler, ends neither the session nor the document.
func TestPanic(t *testing.T) {
	opts, _ := fakes()
	e := start(t, opts)
	e.initialize(full())
	e.open(aPy, 1, "boom()")
	m := e.reply(e.request("textDocument/codeAction", obj{
		"textDocument": obj{"uri": aPy}, "range": rng{}, "context": obj{"diagnostics": []any{}},
	}))
	if m.Error == nil {
		t.Errorf("no error: %+v", m)
	}
	e.change(aPy, 2, obj{"text": `torch.load("a.pt")`})
	e.latest(aPy, 2, func(d []shownDiag) bool { return len(d) == 1 })
	if !strings.Contains(e.log.String(), "boom") {
		t.Error("the panic is not in the log")
	}
}

// A scan that never ends holds up neither the reader nor the first diagnostics.
func TestSlowScan(t *testing.T) {
	opts, sc := fakes()
	sc.hold = make(chan struct{})
	sc.set("slow.pt", "would call posix.system('echo') on load")
	e := start(t, opts)
	e.initialize(full())
	for i := range 40 {
		e.open(fmt.Sprintf("file:///w/%d.py", i), 1, fmt.Sprintf("torch.load(\"slow%d.pt\")", i))
	}
	e.open(aPy, 1, `torch.load("slow.pt")`)
	e.latest(aPy, 1, func(d []shownDiag) bool { return len(d) == 1 && d[0].Code == "ST101" })
	close(sc.hold)
	e.latest(aPy, 1, func(d []shownDiag) bool { return len(d) == 1 && d[0].Code == "ST201" })
}

// A scan is shared by the documents that load the file, runs anew when the file changes, and is
// forgotten with the last document.
func TestSharedScan(t *testing.T) {
	opts, sc := fakes()
	e := start(t, opts)
	e.initialize(full())
	const bPy = "file:///w/b.py"
	e.open(aPy, 1, `torch.load("m.pt")`)
	e.open(bPy, 1, `torch.load("m.pt")`)
	for _, u := range []string{aPy, bPy} {
		e.latest(u, 1, func(d []shownDiag) bool { return len(d) == 1 && d[0].Code == "ST101" })
	}
	sc.set("m.pt", "would call builtins.eval('1') on load")
	e.notify("workspace/didChangeWatchedFiles", obj{"changes": []any{obj{"uri": "file:///w/m.pt", "type": 2}}})
	for _, u := range []string{aPy, bPy} {
		e.latest(u, 1, func(d []shownDiag) bool { return len(d) == 1 && d[0].Code == "ST201" })
	}
	if n := sc.count("m.pt"); n != 2 && n != 1 { // 1 when the change came before the first scan began
		t.Errorf("%d scans", n)
	}
	for _, u := range []string{aPy, bPy} {
		e.notify("textDocument/didClose", obj{"textDocument": obj{"uri": u}})
		e.eventually("diagnostics cleared", func() bool {
			all := e.shown[u]
			return len(all[len(all)-1].Diagnostics) == 0
		})
	}
}

// An emoji before the call is 4, 2 or 1 units wide, and the edits land where the client counts.
func TestPositionEncodings(t *testing.T) {
	const text = "x = \"\U0001F600\U0001F680\"; torch.load(\"a.pt\")"
	for enc, from := range map[string]int{"utf-8": 16, "utf-16": 12, "utf-32": 10} {
		t.Run(enc, func(t *testing.T) {
			opts, _ := fakes()
			e := start(t, opts)
			res := e.initialize(full(enc))
			if got := res["capabilities"].(obj)["positionEncoding"]; got != enc {
				t.Fatalf("positionEncoding %v", got)
			}
			e.open(aPy, 1, text)
			d := e.latest(aPy, 1, func(d []shownDiag) bool { return len(d) == 1 })
			want := rng{pos{0, from}, pos{0, from + len("torch.load")}}
			if d[0].Range != want {
				t.Errorf("diagnostic at %+v, want %+v", d[0].Range, want)
			}
			var actions []struct {
				Title string
				Edit  struct {
					DocumentChanges []struct {
						Edits []struct {
							Range   rng
							NewText string
						}
					}
				}
			}
			e.call("textDocument/codeAction", obj{
				"textDocument": obj{"uri": aPy}, "range": want, "context": obj{"diagnostics": []any{}},
			}, &actions)
			if len(actions) == 0 || actions[0].Edit.DocumentChanges[0].Edits[1].Range != want {
				t.Fatalf("actions %+v", actions)
			}
			// The same positions, as a change: what the server then holds has no call left.
			e.change(aPy, 2, obj{"range": want, "text": "st.load"})
			e.latest(aPy, 2, func(d []shownDiag) bool { return len(d) == 0 })
		})
	}
}

// What the program that runs the server has to say is shown once.
func TestNotices(t *testing.T) {
	opts, _ := fakes()
	notices := make(chan string, 1)
	notices <- "no sandbox here"
	opts.Notices = notices
	e := start(t, opts)
	e.initialize(full())
	e.eventually("the notice", func() bool { return len(notices) == 0 && len(e.told) == 1 && e.told[0].Method == "window/showMessage" })
}
