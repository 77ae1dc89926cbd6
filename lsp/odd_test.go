package lsp

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a careless client does: the session lives on, and the text is what a client that clamps has too.
func TestOddChanges(t *testing.T) {
	for _, enc := range []string{"utf-8", "utf-16", "utf-32"} {
		t.Run(enc, func(t *testing.T) {
			e, _, uriOf := real(t, nil)
			e.initialize(full(enc))
			a := uriOf("a.py")
			e.change(a, 1, obj{"text": "x"}) // never opened
			e.open(a, 1, "x = '😀'; y = 1\r\nz = 2\rw = 3")
			for i, change := range []obj{
				{"range": rng{pos{900, 0}, pos{999, 9}}, "text": "\n# past the end"},
				{"range": rng{pos{0, 4000}, pos{0, 5000}}, "text": " # past the line"},
				{"range": rng{pos{1, 3}, pos{0, 1}}, "text": ""},       // ends before it begins
				{"range": rng{pos{0, 6}, pos{0, 6}}, "text": "é"},      // inside the emoji
				{"text": "import torch\ns = '😀é'; torch.load('a.pt')"}, // all of it
			} {
				e.change(a, i+2, change)
			}
			got := e.latest(a, 6, coded("ST101"))
			column := map[string]int{"utf-8": 14, "utf-16": 11, "utf-32": 10}[enc]
			for _, d := range got {
				if d.Code == "ST101" && d.Range.Start != (pos{1, column}) {
					t.Errorf("at %+v, want column %d", d.Range.Start, column)
				}
			}
			e.open(a, 9, "y = 1\n") // opened again without having been closed
			e.latest(a, 9, func(all []shownDiag) bool { return len(all) == 0 })
			for _, m := range []string{"textDocument/hover", "textDocument/completion"} {
				e.call(m, at(a, 5000, 5000), nil)
				e.call(m, at(uriOf("never.py"), 0, 0), nil)
			}
			e.call("textDocument/codeAction", on(a, rng{pos{7, 7}, pos{3, 3}}), nil)
			if code := e.quit(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// A folder that goes while its files are open, and one that comes in its place.
func TestDeletedFolder(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"sub/evil.pt": "x", "sub/b.py": loads, "other/good.pt": "x"})
	sc.set("evil.pt", evilCall)
	e.initialize(full("utf-16"))
	b := uriOf("sub/b.py")
	e.open(b, 1, loads)
	e.latest(b, 1, coded("ST201"))
	dir := filepath.Dir(strings.TrimPrefix(b, "file://"))
	scans := sc.count("evil.pt")
	if err := os.WriteFile(filepath.Join(dir, "evil.pt"), []byte("xx"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.until("the folder to be watched", func() bool { return sc.count("evil.pt") > scans })
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	e.latest(b, 1, none("ST201"))
	if err := os.Rename(dir+"-away", dir); err != nil {
		t.Fatal(err)
	}
	e.latest(b, 1, coded("ST201"))
	e.notify("workspace/didChangeWorkspaceFolders", obj{"event": obj{"added": []any{}, "removed": []any{obj{"uri": e.root, "name": "root"}}}})
	e.latest(b, 1, coded("ST101"))
	if code := e.quit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// What hubconf.py and a configuration have imported is a part of what is said of them.
func TestWatchedModule(t *testing.T) {
	files := map[string]string{"repo/hubconf.py": "import net.parts\n", "model/config.json": `{"auto_map": {"AutoModel": "helper.X"}}`, "model/model.safetensors": "x"}
	e, sc, uriOf := real(t, files)
	e.initialize(full("utf-16"))
	a := uriOf("a.py")
	e.open(a, 1, "import torch\nfrom transformers import AutoModel\ntorch.hub.load(\"./repo\", \"m\", source=\"local\")\nAutoModel.from_pretrained(\"./model\", trust_remote_code=True)\n")
	e.latest(a, 1, none("ST201"))
	e.until("the scans", func() bool { return sc.count("hubconf.py") > 1 && sc.count("config.json") > 1 }) // once more when watched
	for _, change := range []struct{ module, speaks string }{{"repo/net/parts.py", "hubconf.py"}, {"model/helper.py", "config.json"}} {
		sc.set(change.speaks, evilCall)
		path := strings.TrimPrefix(uriOf(change.module), "file://")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		e.latest(a, 1, coded("ST201"))
		sc.set(change.speaks, "")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		e.latest(a, 1, none("ST201"))
	}
}

// Another file in a folder that a call loads changes what the call reads.
func TestWatchedFolder(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"model/config.json": "{}", "model/model.safetensors": "x"})
	sc.set("pytorch_model.bin", evilCall)
	e.initialize(full("utf-16"))
	a := uriOf("a.py")
	e.open(a, 1, "from transformers import AutoModel\nAutoModel.from_pretrained(\"./model\")\n")
	e.latest(a, 1, none("ST201"))
	e.until("the scan", func() bool { return sc.count("model.safetensors") > 0 })
	path := strings.TrimPrefix(uriOf("model/pytorch_model.bin"), "file://")
	if err := os.WriteFile(path+".tmp", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil { // as downloaders do
		t.Fatal(err)
	}
	e.latest(a, 1, coded("ST201"))
}

// What a client pulls of sources that are not open and of models keeps its result ids while nothing changes.
func TestPullWorkspace(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x", "bad.py": loads})
	sc.set("evil.pt", evilCall)
	e.initialize(with(obj{
		"textDocument": obj{"diagnostic": obj{}},
		"workspace":    obj{"diagnostics": obj{"refreshSupport": true}},
	}))
	type report struct {
		Kind, ResultID, URI string
		Items               []shownDiag
	}
	pull := func(before ...any) map[string]report {
		var ws struct{ Items []report }
		e.call("workspace/diagnostic", obj{"previousResultIds": append([]any{}, before...)}, &ws)
		out := map[string]report{}
		for _, r := range ws.Items {
			out[r.URI] = r
		}
		return out
	}
	bad, evil := uriOf("bad.py"), uriOf("evil.pt")
	var first map[string]report
	e.until("both", func() bool { first = pull(); return len(first[bad].Items) == 1 && len(first[evil].Items) == 1 })
	second := pull(obj{"uri": bad, "value": first[bad].ResultID}, obj{"uri": evil, "value": first[evil].ResultID})
	if second[bad].Kind != "unchanged" || second[evil].Kind != "unchanged" || second[bad].ResultID != first[bad].ResultID {
		t.Errorf("nothing changed: %+v", second)
	}
	refreshes := func() (n int) {
		for _, m := range e.told {
			if m.Method == "workspace/diagnostic/refresh" {
				n++
			}
		}
		return n
	}
	e.mu.Lock()
	before := refreshes()
	e.mu.Unlock()
	sc.set("evil.pt", "would call builtins.eval('1') on load")
	e.call("workspace/executeCommand", obj{"command": "secure-torch.scanAgain", "arguments": []any{strings.TrimPrefix(evil, "file://")}}, nil)
	e.eventually("a refresh", func() bool { return refreshes() > before })
	third := pull(obj{"uri": bad, "value": first[bad].ResultID}, obj{"uri": evil, "value": first[evil].ResultID})
	if third[bad].Kind != "full" || third[evil].Kind != "full" || third[bad].ResultID == first[bad].ResultID {
		t.Errorf("after a change: %+v", third)
	}
	var one report
	e.call("textDocument/diagnostic", obj{"textDocument": obj{"uri": bad}, "previousResultId": third[bad].ResultID}, &one)
	if one.Kind != "unchanged" {
		t.Errorf("one that is not open: %+v", one)
	}
}

// What closed documents needed is given back.
func TestClosedDocuments(t *testing.T) {
	files := map[string]string{}
	for i := range 50 {
		files[fmt.Sprintf("m%d.pt", i)] = "x"
	}
	e, _, uriOf := real(t, files)
	e.options = obj{"settings": obj{"workspaceScan": "off"}}
	e.initialize(full("utf-16"))
	for i := range 50 {
		u := uriOf(fmt.Sprintf("f%d.py", i))
		e.open(u, 1, fmt.Sprintf("import torch\ntorch.load(\"m%d.pt\")\n", i))
		e.latest(u, 1, coded("ST101"))
	}
	outside := "file://" + filepath.Join(t.TempDir(), "a.py")
	e.open(outside, 1, loads)
	e.latest(outside, 1, coded("ST101"))
	for i := range 50 {
		e.notify("textDocument/didClose", obj{"textDocument": obj{"uri": uriOf(fmt.Sprintf("f%d.py", i))}})
	}
	e.notify("textDocument/didClose", obj{"textDocument": obj{"uri": outside}})
	var left map[string]int
	e.until("nothing left", func() bool {
		left = e.held()
		for _, n := range left {
			if n > 0 {
				return false
			}
		}
		return true
	})
}

// The server says of a text that was edited to what it is what it says of the same text opened at once.
func TestRandomTyping(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 9))
	words := []string{"import torch\n", "torch.load(\"a.pt\")", "torch.load(p", "x = ", "(", ")", "\"", "'''", "\n", "    ", "def f():\n", "# secure-torch: ignore[ST101] ok", "😀", "pickle.loads(b)\n", "import pickle\n", "if x:\n"}
	e, _, uriOf := real(t, nil)
	e.initialize(full("utf-8"))
	a, b := uriOf("a.py"), uriOf("b.py")
	text := "import torch\nimport pickle\n"
	e.open(a, 0, text)
	e.open(b, 0, text)
	const rounds, each = 60, 5
	for round := range rounds {
		for step := range each {
			lines := strings.Split(text, "\n")
			line := rnd.IntN(len(lines))
			from := boundary(lines[line], rnd.IntN(len(lines[line])+1))
			to := boundary(lines[line], min(len(lines[line]), from+rnd.IntN(6)))
			word := words[rnd.IntN(len(words))]
			lines[line] = lines[line][:from] + word + lines[line][to:]
			text = strings.Join(lines, "\n")
			e.change(a, round*each+step+1, edit(line, from, to, word))
		}
		version := (round + 1) * each
		e.change(b, version, obj{"text": text})
		var got, want string
		e.eventually("the same of both", func() bool {
			got, want = shownAs(e.shown[a], version), shownAs(e.shown[b], version)
			return got != "" && want != ""
		})
		if got != want {
			t.Fatalf("round %d of\n%s\nedited: %s\nwhole:  %s", round, text, got, want)
		}
	}
}

// boundary moves an offset back to the begin of a character.
func boundary(s string, i int) int {
	for i > 0 && i < len(s) && s[i]&0xc0 == 0x80 {
		i--
	}
	return i
}

// shownAs is what was last shown of a version, or empty.
func shownAs(all []published, version int) string {
	if len(all) == 0 || all[len(all)-1].Version == nil || *all[len(all)-1].Version != version {
		return ""
	}
	text, err := json.Marshal(all[len(all)-1].Diagnostics)
	if err != nil {
		return ""
	}
	return string(text)
}
