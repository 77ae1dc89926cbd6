package lsp

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What the sources of the workspace load is found without opening them, and what lies in it without being loaded. A
// source is shown where it loads something bad, and all of it once it is open.
func TestUnopenedSources(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{
		"evil.pt": "x", "good.pt": "x", "alone/evil2.pt": "x", ".venv/evil.pt": "x",
		"bad.py": loads, "good.py": strings.ReplaceAll(loads, "evil", "good"), "none.py": "x = 1\n",
		"n.ipynb": `{"cells":[{"cell_type":"code","source":"import torch\ntorch.load('evil.pt')"}],"metadata":{"language_info":{"name":"python"}},"nbformat":4}`,
	})
	sc.set("evil.pt", evilCall)
	sc.set("evil2.pt", evilCall)
	e.initialize(full("utf-16"))
	bad, alone := uriOf("bad.py"), uriOf("alone/evil2.pt")
	e.eventually("a source that is not open", func() bool {
		all := e.shown[bad]
		return len(all) > 0 && len(all[len(all)-1].Diagnostics) == 1 && all[len(all)-1].Diagnostics[0].Code == "ST201"
	})
	e.eventually("a model that nobody loads", func() bool { all := e.shown[alone]; return len(all) > 0 && len(all[len(all)-1].Diagnostics) == 1 })
	e.eventually("a model that a source loads", func() bool { return len(e.shown[uriOf("evil.pt")]) > 0 })
	e.open(bad, 3, loads)
	e.latest(bad, 3, func(all []shownDiag) bool { return coded("ST201")(all) && coded("ST101")(all) })
	e.notify("textDocument/didClose", obj{"textDocument": obj{"uri": bad}})
	e.eventually("the closed source as it was", func() bool {
		all := e.shown[bad]
		last := all[len(all)-1]
		return last.Version == nil && len(last.Diagnostics) == 1 && last.Diagnostics[0].Code == "ST201"
	})
	for _, silent := range []string{"good.py", "none.py", "n.ipynb", ".venv/evil.pt", "good.pt"} {
		for _, p := range e.publishedFor(uriOf(silent)) {
			if len(p.Diagnostics) > 0 {
				t.Errorf("%s: %+v", silent, p.Diagnostics)
			}
		}
	}
}

// The user may want none of it, or all.
func TestWorkspaceScanSetting(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x", "bad.py": loads, "open.py": "x = 1\n"})
	sc.set("evil.pt", evilCall)
	e.options = obj{"settings": obj{"workspaceScan": "off"}}
	e.initialize(full("utf-16"))
	e.open(uriOf("open.py"), 1, "x = 1\n")
	e.latest(uriOf("open.py"), 1, func([]shownDiag) bool { return true })
	set := func(word string) {
		e.notify("workspace/didChangeConfiguration", obj{"settings": obj{"secure-torch": obj{"workspaceScan": word}}})
	}
	if n := sc.count("evil.pt"); n != 0 {
		t.Errorf("%d scans, and none was wanted", n)
	}
	set("all")
	bad := uriOf("bad.py")
	last := func() []shownDiag {
		if all := e.shown[bad]; len(all) > 0 {
			return all[len(all)-1].Diagnostics
		}
		return nil
	}
	e.eventually("all of a source that is not open", func() bool { return coded("ST201")(last()) && coded("ST101")(last()) })
	set("models")
	e.eventually("what it loads alone", func() bool { return coded("ST201")(last()) && none("ST101")(last()) })
	set("off")
	e.eventually("nothing", func() bool { return len(last()) == 0 })
}

// The backlog waits for what is done for open documents, can be paused, and tells how far it is.
func TestBacklogOrder(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("m%02d.pt", i)] = "x"
		files[fmt.Sprintf("m%02d.py", i)] = fmt.Sprintf("import torch\ntorch.load(\"m%02d.pt\")\n", i)
	}
	files["open.pt"] = "x"
	e, sc, uriOf := real(t, files)
	sc.hold = make(chan struct{})
	var once sync.Once
	t.Cleanup(func() { once.Do(func() { close(sc.hold) }) })
	for i := range 40 {
		sc.set(fmt.Sprintf("m%02d.pt", i), evilCall)
	}
	e.options = obj{"status": true}
	e.initialize(with(obj{"window": obj{"workDoneProgress": true}}))
	e.open(uriOf("open.py"), 1, "import torch\ntorch.load(\"open.pt\")\n")
	e.until("the scan for the open document", func() bool { return sc.count("open.pt") == 1 })
	begun := func() (n int) {
		for i := range 40 {
			n += sc.count(fmt.Sprintf("m%02d.pt", i))
		}
		return n
	}
	if n := begun(); n > fillSlots {
		t.Errorf("%d scans for nobody while a document waits", n)
	}
	var paused struct{ Left int }
	e.call("workspace/executeCommand", obj{"command": "secure-torch.pauseScan"}, &paused)
	once.Do(func() { close(sc.hold) })
	e.latest(uriOf("open.py"), 1, coded("ST101"))
	e.call("workspace/executeCommand", obj{"command": "secure-torch.resumeScan"}, nil)
	e.until("all of them scanned", func() bool { return begun() == 40 })
	e.eventually("progress to its end", func() bool {
		all := ""
		for _, m := range e.told {
			if m.Method == "$/progress" {
				all += string(m.Params)
			}
		}
		return strings.Contains(all, "Scanning the workspace") && strings.Contains(all, `"end"`)
	})
}

// A model that comes to lie in the workspace, and one that goes, with nobody loading them.
func TestLonelyModels(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"models/good.pt": "x", "a.py": "x = 1\n"})
	sc.set("evil.pt", evilCall)
	e.initialize(full("utf-16"))
	e.open(uriOf("a.py"), 1, "x = 1\n")
	e.until("the model that was there", func() bool { return sc.count("good.pt") == 1 })
	evil := uriOf("models/evil.pt")
	path := strings.TrimPrefix(evil, "file://")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.notify("workspace/didChangeWatchedFiles", obj{"changes": []any{obj{"uri": evil, "type": 1}}})
	last := func() []shownDiag {
		if all := e.shown[evil]; len(all) > 0 {
			return all[len(all)-1].Diagnostics
		}
		return nil
	}
	e.eventually("the new model", func() bool { return coded("ST201")(last()) })
	if err := os.WriteFile(filepath.Join(filepath.Dir(filepath.Dir(path)), "secure-torch.toml"),
		[]byte("[[ignore]]\nrule = \"ST201\"\npath = \"models/*\"\nreason = \"made here\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	e.notify("workspace/didChangeWatchedFiles", obj{"changes": []any{obj{"uri": evil, "type": 3}}})
	e.eventually("the model gone", func() bool { return len(last()) == 0 })
}
