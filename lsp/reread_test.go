package lsp

import (
	"os"
	"strings"
	"testing"
)

// lensing is a client that asks for lenses and lets itself be told to ask again.
func lensing() obj {
	return with(obj{"workspace": obj{"codeLens": obj{"refreshSupport": true}, "diagnostics": obj{"refreshSupport": true}}, "textDocument": obj{"diagnostic": obj{}}})
}

type shownLens struct {
	Command struct{ Title string } `json:"command"`
}

// What is around a document changes again and again while it is read. To a client that has changed nothing nothing was
// modified: editors take that for an answer, and show none.
func TestReadAgainWhileAsked(t *testing.T) {
	opts, sc := fakes()
	sc.set("evil.pt", evilCall)
	e := start(t, opts)
	e.root = "file:///w"
	e.initialize(lensing())
	e.open(aPy, 1, "slow()\ntorch.load(\"evil.pt\")")
	changed := obj{"changes": []any{obj{"uri": "file:///w/secure-torch.toml", "type": 2}}}
	e.notify("workspace/didChangeWatchedFiles", changed)
	lens := e.request("textDocument/codeLens", obj{"textDocument": obj{"uri": aPy}})
	diags := e.request("textDocument/diagnostic", obj{"textDocument": obj{"uri": aPy}})
	e.notify("workspace/didChangeWatchedFiles", changed)
	e.notify("workspace/didChangeWatchedFiles", changed)
	close(opts.Checker.(fakeChecker).hold)
	for _, id := range []string{lens, diags} {
		m := e.reply(id)
		if m.Error != nil || !strings.Contains(string(m.Result), "scanning 1 file") && !strings.Contains(string(m.Result), "ST101") {
			t.Errorf("%+v %s", m.Error, m.Result)
		}
	}
	e.change(aPy, 2, obj{"text": "slow()"})
	if m := e.reply(e.request("textDocument/codeLens", obj{"textDocument": obj{"uri": aPy}})); m.Error != nil {
		t.Errorf("%+v", m.Error)
	}
}

// A client that pulls is told when a document means something else because of what is around it, though nothing of it
// was scanned anew.
func TestTellsOfReread(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x", "names.py": "MODEL = 'evil.pt'\n", "other.pt": "x"})
	sc.set("evil.pt", evilCall)
	e.initialize(lensing())
	a := uriOf("a.py")
	e.open(a, 1, "import torch\nfrom names import MODEL\ntorch.load(MODEL)\ntorch.load('evil.pt')\ntorch.load('other.pt')\n")
	lenses := func() string {
		var all []shownLens
		e.call("textDocument/codeLens", obj{"textDocument": obj{"uri": a}}, &all)
		var titles []string
		for _, l := range all {
			titles = append(titles, l.Command.Title)
		}
		return strings.Join(titles, "\n")
	}
	e.until("all", func() bool {
		return strings.Count(lenses(), "evil.pt · unsafe") == 2 && strings.Contains(lenses(), "other.pt · ")
	})
	told := func() (n int) {
		for _, m := range e.told {
			if m.Method == "workspace/codeLens/refresh" {
				n++
			}
		}
		return n
	}
	e.mu.Lock()
	before := told()
	e.mu.Unlock()
	if err := os.WriteFile(strings.TrimPrefix(uriOf("names.py"), "file://"), []byte("MODEL = 'other.pt'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.notify("workspace/didChangeWatchedFiles", obj{"changes": []any{obj{"uri": uriOf("names.py"), "type": 2}}})
	e.until("another model", func() bool { return strings.Count(lenses(), "evil.pt · unsafe") == 1 })
	e.eventually("a refresh", func() bool { return told() > before })
}
