package lsp

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/check"
)

// real is a session with the real checker over a folder, and a scanner that finds what it is told to.
func real(t *testing.T, files map[string]string) (e *editor, sc *fakeScanner, uriOf func(string) string) {
	t.Helper()
	return realWith(t, files, func(sc *fakeScanner) Scanner { return sc })
}

// realWith is real with a scanner that can do more.
func realWith(t *testing.T, files map[string]string, can func(*fakeScanner) Scanner) (e *editor, sc *fakeScanner, uriOf func(string) string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "no-config"))
	sc = &fakeScanner{}
	e = start(t, Options{Checker: NewChecker(check.Options{}), Scanner: can(sc), Version: "test"})
	e.root = "file://" + dir
	return e, sc, func(name string) string { return "file://" + filepath.Join(dir, name) }
}

// with adds capabilities to the usual ones.
func with(more obj) obj {
	out := full("utf-16")
	for area, caps := range more {
		for key, value := range caps.(obj) {
			if out[area] == nil {
				out[area] = obj{}
			}
			out[area].(obj)[key] = value
		}
	}
	return out
}

const evilCall = "would call posix.system('echo pwned') on load"

func coded(code string) func([]shownDiag) bool {
	return func(all []shownDiag) bool { return countOf(all, code) > 0 }
}

func countOf(all []shownDiag, code string) int {
	n := 0
	for _, d := range all {
		if d.Code == code {
			n++
		}
	}
	return n
}

func none(code string) func([]shownDiag) bool {
	return func(all []shownDiag) bool { return !coded(code)(all) }
}

const loads = "import torch\nx = torch.load(\"evil.pt\")\n"

func at(uri string, line, char int) obj {
	return obj{"textDocument": obj{"uri": uri}, "position": pos{line, char}}
}

func on(uri string, r rng) obj {
	return obj{"textDocument": obj{"uri": uri}, "range": r, "context": obj{"diagnostics": []any{}}}
}

func TestHoverLensHintLinkReport(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x"})
	sc.set("evil.pt", evilCall)
	e.options = obj{"settings": obj{"inlayHints": true}}
	e.initialize(with(obj{"window": obj{"showDocument": obj{"support": true}}}))
	a := uriOf("a.py")
	e.open(a, 1, loads)
	e.latest(a, 1, coded("ST201"))

	var hover struct{ Contents struct{ Kind, Value string } }
	e.call("textDocument/hover", at(a, 1, 8), &hover)
	for _, part := range []string{"UNSAFE", "evil.pt", "posix.system('echo pwned')", "offset 0x4a", "threat score", "signature: not checked"} {
		if hover.Contents.Kind != "markdown" || !strings.Contains(hover.Contents.Value, part) {
			t.Errorf("hover lacks %q:\n%s", part, hover.Contents.Value)
		}
	}
	var nothing json.RawMessage
	e.call("textDocument/hover", at(a, 0, 2), &nothing)
	if string(nothing) != "null" {
		t.Errorf("hover beside a call: %s", nothing)
	}

	var lenses []struct {
		Range   rng
		Command struct {
			Title, Command string
			Arguments      []string
		}
	}
	e.call("textDocument/codeLens", obj{"textDocument": obj{"uri": a}}, &lenses)
	if len(lenses) != 1 || lenses[0].Command.Title != "✗ evil.pt · unsafe · 1 finding" || lenses[0].Command.Command != cmdShowReport {
		t.Fatalf("lenses: %+v", lenses)
	}
	var hints []struct {
		Position pos
		Label    string
	}
	e.call("textDocument/inlayHint", obj{"textDocument": obj{"uri": a}, "range": rng{pos{0, 0}, pos{9, 0}}}, &hints)
	if len(hints) != 1 || hints[0].Position != (pos{1, 25}) || !strings.Contains(hints[0].Label, "unsafe") {
		t.Errorf("hints: %+v", hints)
	}

	var shown struct{ URI string }
	e.call("workspace/executeCommand", obj{"command": cmdShowReport, "arguments": lenses[0].Command.Arguments}, &shown)
	e.eventually("the report shown", func() bool {
		for _, m := range e.told {
			if m.Method == "window/showDocument" && strings.Contains(string(m.Params), shown.URI) {
				return true
			}
		}
		return false
	})
	var content struct{ Text string }
	e.call("workspace/textDocumentContent", obj{"uri": shown.URI}, &content)
	if !strings.Contains(content.Text, "posix.system") || !strings.Contains(content.Text, "UNSAFE") {
		t.Errorf("report %s: %s", shown.URI, content.Text)
	}
	for _, bad := range []string{"file:///etc/passwd", "secure-torch-report:///etc/passwd.md", "secure-torch-report:"} {
		m := e.reply(e.request("workspace/textDocumentContent", obj{"uri": bad}))
		if m.Error == nil && !strings.Contains(string(m.Result), "No report") {
			t.Errorf("%s: %s", bad, m.Result)
		}
	}
}

// A model's finding is shown at its own URI too, and goes when no document loads it any more.
func TestModelDiagnostics(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x"})
	sc.set("evil.pt", evilCall)
	e.initialize(full())
	a, m := uriOf("a.py"), uriOf("evil.pt")
	e.open(a, 1, loads)
	shownAt := func(n int) func() bool {
		return func() bool {
			all := e.shown[m]
			return len(all) > 0 && len(all[len(all)-1].Diagnostics) == n
		}
	}
	e.eventually("the model's diagnostics", shownAt(1))
	all := e.publishedFor(m)
	if d := all[len(all)-1].Diagnostics[0]; d.Code != "ST201" || !strings.Contains(d.Message, "archive/data.pkl, offset 0x4a") {
		t.Errorf("%+v", d)
	}
	e.change(a, 2, obj{"text": "import torch\n"})
	e.eventually("the model's diagnostics cleared", shownAt(0))
}

func TestPull(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x"})
	sc.set("evil.pt", evilCall)
	sc.hold = make(chan struct{})
	res := e.initialize(with(obj{
		"textDocument": obj{"diagnostic": obj{}},
		"workspace":    obj{"diagnostics": obj{"refreshSupport": true}, "codeLens": obj{"refreshSupport": true}},
	}))
	if res["capabilities"].(obj)["diagnosticProvider"] == nil {
		t.Fatal("no diagnosticProvider")
	}
	a := uriOf("a.py")
	e.open(a, 1, loads)
	type report struct {
		Kind, ResultID, URI string
		Items               []shownDiag
	}
	var first, second, third report
	e.call("textDocument/diagnostic", obj{"textDocument": obj{"uri": a}}, &first)
	if first.Kind != "full" || !coded("ST101")(first.Items) || coded("ST201")(first.Items) {
		t.Errorf("before the scan: %+v", first)
	}
	close(sc.hold)
	e.eventually("refreshes", func() bool {
		diagnostics, lenses := false, false
		for _, m := range e.told {
			diagnostics = diagnostics || m.Method == "workspace/diagnostic/refresh"
			lenses = lenses || m.Method == "workspace/codeLens/refresh"
		}
		return diagnostics && lenses
	})
	e.call("textDocument/diagnostic", obj{"textDocument": obj{"uri": a}, "previousResultId": first.ResultID}, &second)
	if second.Kind != "full" || !coded("ST201")(second.Items) {
		t.Errorf("after the scan: %+v", second)
	}
	e.call("textDocument/diagnostic", obj{"textDocument": obj{"uri": a}, "previousResultId": second.ResultID}, &third)
	if third.Kind != "unchanged" || third.ResultID != second.ResultID {
		t.Errorf("asked again: %+v", third)
	}
	var ws struct{ Items []report }
	e.call("workspace/diagnostic", obj{"previousResultIds": []any{obj{"uri": "file:///gone.pt", "value": "x"}}}, &ws)
	kinds := map[string]string{}
	for _, r := range ws.Items {
		kinds[filepath.Base(r.URI)] = fmt.Sprint(r.Kind, len(r.Items) > 0)
	}
	if len(kinds) != 3 || kinds["a.py"] != "fulltrue" || kinds["evil.pt"] != "fulltrue" || kinds["gone.pt"] != "fullfalse" {
		t.Errorf("workspace: %v", kinds)
	}
	if len(e.shown) != 0 {
		t.Errorf("pushed to a client that pulls: %v", e.shown)
	}
}

type action struct {
	Title       string          `json:"title"`
	Kind        string          `json:"kind"`
	IsPreferred bool            `json:"isPreferred"`
	Data        json.RawMessage `json:"data,omitempty"`
	Command     struct {
		Command   string
		Arguments []any
	}
	Edit *struct {
		DocumentChanges []struct {
			TextDocument struct{ Version int }
			Edits        []struct {
				Range        rng
				NewText      string
				AnnotationID string
			}
		}
		ChangeAnnotations map[string]any
	} `json:"edit,omitempty"`
}

func find(t *testing.T, actions []action, title string) action {
	t.Helper()
	var titles []string
	for _, a := range actions {
		if strings.Contains(a.Title, title) {
			return a
		}
		titles = append(titles, a.Title)
	}
	t.Fatalf("no action %q in %q", title, titles)
	return action{}
}

func TestResolve(t *testing.T) {
	e, _, uriOf := real(t, nil)
	e.initialize(with(obj{"textDocument": obj{"codeAction": obj{
		"dataSupport": true, "honorsChangeAnnotations": true, "resolveSupport": obj{"properties": []string{"edit"}},
	}}}))
	a := uriOf("a.py")
	e.open(a, 1, loads)
	e.latest(a, 1, coded("ST101"))
	var actions []action
	e.call("textDocument/codeAction", on(a, rng{pos{1, 5}, pos{1, 5}}), &actions)
	load := find(t, actions, "st.load")
	if load.Edit != nil {
		t.Error("an edit before it was asked for")
	}
	ask := func(x action) obj { return obj{"title": x.Title, "kind": x.Kind, "data": x.Data} }
	var resolved action
	e.call("codeAction/resolve", ask(load), &resolved)
	change := resolved.Edit.DocumentChanges[0]
	if change.TextDocument.Version != 1 || len(change.Edits) < 2 || change.Edits[0].AnnotationID != name || len(resolved.Edit.ChangeAnnotations) != 1 {
		t.Errorf("%+v", resolved.Edit)
	}
	e.change(a, 2, obj{"text": "import torch\n"})
	for _, bad := range []any{ask(load), obj{"title": "x"}, obj{"title": "x", "data": obj{"uri": a, "version": 2, "index": 99, "fix": 7}}, obj{"title": "x", "data": "?"}} {
		if m := e.reply(e.request("codeAction/resolve", bad)); m.Error == nil {
			t.Errorf("%v resolved to %s", bad, m.Result)
		}
	}
}

// The ignore comments that are offered are heeded once they are there.
func TestIgnoreActions(t *testing.T) {
	for title, want := range map[string]string{
		"Ignore ST101 on this line": "  # secure-torch: ignore[ST101]",
		"Ignore ST101 in this file": "# secure-torch: ignore-file[ST101]\n",
	} {
		t.Run(title, func(t *testing.T) {
			e, sc, uriOf := real(t, map[string]string{"evil.pt": "x"})
			sc.set("evil.pt", evilCall)
			e.initialize(full("utf-16"))
			a := uriOf("a.py")
			e.open(a, 1, loads)
			e.latest(a, 1, func(d []shownDiag) bool { return coded("ST101")(d) && coded("ST201")(d) })
			var actions []action
			e.call("textDocument/codeAction", on(a, rng{pos{1, 5}, pos{1, 5}}), &actions)
			for _, x := range actions {
				if strings.Contains(x.Title, "Ignore ST201") {
					t.Error("a finding in a file can't be ignored in an untrusted workspace")
				}
			}
			x := find(t, actions, title).Edit.DocumentChanges[0].Edits[0]
			if x.NewText != want {
				t.Errorf("%q, want %q", x.NewText, want)
			}
			e.change(a, 2, obj{"range": x.Range, "text": x.NewText})
			e.latest(a, 2, func(d []shownDiag) bool { return none("ST101")(d) && coded("ST201")(d) })
		})
	}
}

func TestCompletion(t *testing.T) {
	e, _, uriOf := real(t, nil)
	e.initialize(full())
	a := uriOf("a.py")
	e.open(a, 1, "import torch\nx = 1  # secure-torch: ignore[ST1\ny = 2\n")
	var list struct {
		Items []struct{ Label, Detail string }
	}
	e.call("textDocument/completion", at(a, 1, 33), &list)
	found := false
	for _, item := range list.Items {
		found = found || item.Label == "ST201"
	}
	if !found {
		t.Errorf("%d items, no ST201", len(list.Items))
	}
	for _, where := range []obj{at(a, 1, 3), at(a, 2, 1), at(uriOf("never.py"), 0, 0)} {
		if e.call("textDocument/completion", where, &list); len(list.Items) != 0 {
			t.Errorf("%v: %d items", where, len(list.Items))
		}
	}
}

func TestScanAgain(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x"})
	e.initialize(with(obj{"window": obj{"workDoneProgress": true}}))
	a := uriOf("a.py")
	e.open(a, 1, loads)
	e.latest(a, 1, coded("ST101"))
	e.eventually("a first scan", func() bool { return sc.count("evil.pt") == 1 })
	sc.set("evil.pt", evilCall)
	var done struct{ Scanned int }
	e.call("workspace/executeCommand", obj{"command": cmdScanAgain, "arguments": []string{a}}, &done)
	if done.Scanned != 1 {
		t.Errorf("%+v", done)
	}
	e.latest(a, 1, coded("ST201"))
	e.eventually("progress from begin to end", func() bool {
		var kinds []string
		for _, m := range e.told {
			var p struct{ Value struct{ Kind string } }
			if m.Method == "$/progress" && json.Unmarshal(m.Params, &p) == nil {
				kinds = append(kinds, p.Value.Kind)
			}
		}
		return strings.Join(kinds, " ") == "begin report end"
	})
	if m := e.reply(e.request("workspace/executeCommand", obj{"command": "rm -rf"})); m.Error == nil {
		t.Error("an unknown command was executed")
	}
}

// The user cancels, by the progress or by the request: the waiting ends, the server goes on.
func TestCancelWork(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x"})
	sc.hold = make(chan struct{})
	e.initialize(full())
	a := uriOf("a.py")
	e.open(a, 1, loads)
	e.latest(a, 1, coded("ST101"))
	byProgress := e.request("workspace/executeCommand", obj{"command": cmdScanAgain, "workDoneToken": "t1"})
	e.eventually("progress", func() bool { return len(e.told) > 0 })
	e.notify("window/workDoneProgress/cancel", obj{"token": "t1"})
	byRequest := e.request("workspace/executeCommand", obj{"command": cmdScanAgain})
	e.notify("$/cancelRequest", obj{"id": json.RawMessage(byRequest)})
	for _, id := range []string{byProgress, byRequest} {
		if m := e.reply(id); m.Error == nil || m.Error.Code != -32800 {
			t.Errorf("%+v", m)
		}
	}
	close(sc.hold)
	if code := e.quit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// In an untrusted workspace nothing outside is opened, its config only tightens, and the user is told.
func TestTrust(t *testing.T) {
	files := map[string]string{
		"ws/secure-torch.toml": "[[ignore]]\nrule = \"ST201\"\nreason = \"trust me\"\n[[ignore]]\nrule = \"ST101\"\npath = \"a.py\"\nreason = \"ours\"\n",
		"ws/in.pt":             "x", "out.pt": "x",
	}
	const text = "import torch\nx = torch.load(\"in.pt\")\ny = torch.load(\"../out.pt\")\n"
	for _, trusted := range []bool{false, true} {
		t.Run(fmt.Sprint(trusted), func(t *testing.T) {
			e, sc, uriOf := real(t, files)
			sc.set("in.pt", evilCall)
			sc.set("out.pt", evilCall)
			e.root = uriOf("ws")
			e.options = obj{"trusted": trusted}
			e.initialize(full())
			a := uriOf("ws/a.py")
			e.open(a, 1, text)
			if trusted {
				e.eventually("both scans", func() bool { return sc.count("in.pt") > 0 && sc.count("out.pt") > 0 })
				e.latest(a, 1, func(d []shownDiag) bool { return none("ST201")(d) && none("ST101")(d) })
				return
			}
			d := e.latest(a, 1, coded("ST201"))
			if coded("ST101")(d) {
				t.Error("a config may silence a rule about the source")
			}
			if !strings.Contains(fmt.Sprint(d), "outside of this workspace") || sc.count("out.pt") != 0 {
				t.Errorf("out.pt: scanned %d times; %+v", sc.count("out.pt"), d)
			}
			e.eventually("the user is told", func() bool {
				for _, m := range e.told {
					if m.Method == "window/showMessage" && strings.Contains(string(m.Params), "not trusted") {
						return true
					}
				}
				return false
			})
		})
	}
}

// A model that appears, changes and goes, outside of what the client watches, changes the diagnostics.
func TestWatchedModel(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"other.txt": "x"})
	sc.set("evil.pt", evilCall)
	e.initialize(full())
	a := uriOf("a.py")
	path := strings.TrimPrefix(uriOf("evil.pt"), "file://")
	e.open(a, 1, loads)
	e.latest(a, 1, func(d []shownDiag) bool { return coded("ST101")(d) && none("ST201")(d) })
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.latest(a, 1, coded("ST201"))
	sc.set("evil.pt", "")
	if err := os.WriteFile(path, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.latest(a, 1, none("ST201"))
	sc.set("evil.pt", evilCall)
	if err := os.WriteFile(path, []byte("the third"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.latest(a, 1, coded("ST201"))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	e.latest(a, 1, func(d []shownDiag) bool { return coded("ST190")(d) && none("ST201")(d) })
	var hover struct{ Contents struct{ Value string } }
	e.call("textDocument/hover", at(a, 1, 8), &hover)
	if !strings.Contains(hover.Contents.Value, "There is no ") {
		t.Errorf("hover over a call of a file that is not there: %s", hover.Contents.Value)
	}
}

// What a source reads its settings from is watched too, wherever the client does not look.
func TestWatchedSettings(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x", "conf/a.yaml": "ckpt: other.pt\n"})
	sc.set("evil.pt", evilCall)
	e.initialize(full())
	a := uriOf("a.py")
	path := strings.TrimPrefix(uriOf("conf/a.yaml"), "file://")
	e.open(a, 1, "import torch\nfrom omegaconf import OmegaConf\ntorch.load(OmegaConf.load('conf/a.yaml').ckpt)\n")
	e.latest(a, 1, func(d []shownDiag) bool { return coded("ST101")(d) && none("ST201")(d) })
	for _, next := range []struct {
		text string
		want func([]shownDiag) bool
	}{{"ckpt: evil.pt\n", coded("ST201")}, {"ckpt: other.pt\n", none("ST201")}, {"ckpt: evil.pt # again\n", coded("ST201")}} {
		if err := os.WriteFile(path, []byte(next.text), 0o600); err != nil {
			t.Fatal(err)
		}
		e.latest(a, 1, next.want)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	e.latest(a, 1, none("ST201"))
}

// What is no file any more is not what was said of the file.
func TestModelBecomesDevice(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x"})
	e.initialize(full())
	a := uriOf("a.py")
	path := strings.TrimPrefix(uriOf("evil.pt"), "file://")
	e.open(a, 1, loads)
	e.latest(a, 1, func(d []shownDiag) bool { return coded("ST101")(d) && none("ST201")(d) })
	e.until("the scan", func() bool { return sc.count("evil.pt") > 0 })
	sc.set("evil.pt", evilCall)
	if err := os.Symlink(os.DevNull, path+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	e.latest(a, 1, coded("ST201"))
}

// Settings come with initialize, by pull and by push; folders come and go.
func TestConfiguration(t *testing.T) {
	e, _, uriOf := real(t, map[string]string{"x/m.pt": "x", "y/secure-torch.toml": "[[ignore]]\nrule = \"ST101\"\nreason = \"ours\"\n"})
	answers := make(chan bool, 1)
	answers <- false
	e.answer = func(m message) any {
		if m.Method != "workspace/configuration" {
			return nil
		}
		on := <-answers
		answers <- on
		return []any{obj{"codeLens": on}}
	}
	e.initialize(with(obj{"workspace": obj{"configuration": true, "workspaceFolders": true}}))
	a, b := uriOf("x/a.py"), uriOf("y/b.py")
	e.open(a, 1, "import torch\ntorch.load('m.pt')\n")
	e.open(b, 1, "import torch\ntorch.load('n.pt')\n")
	e.latest(a, 1, coded("ST101"))
	e.latest(b, 1, coded("ST101"))
	lenses := func() int {
		var all []any
		e.call("textDocument/codeLens", obj{"textDocument": obj{"uri": a}}, &all)
		return len(all)
	}
	e.until("no lenses", func() bool { return lenses() == 0 })
	<-answers
	answers <- true
	e.notify("workspace/didChangeConfiguration", obj{"settings": nil})
	e.until("a lens", func() bool { return lenses() == 1 })

	e.notify("workspace/didChangeWorkspaceFolders", obj{"event": obj{
		"added": []any{obj{"uri": uriOf("y"), "name": "y"}}, "removed": []any{},
	}})
	e.latest(b, 1, none("ST101"))
	e.latest(a, 1, coded("ST101"))
	if err := os.Remove(strings.TrimPrefix(uriOf("y/secure-torch.toml"), "file://")); err != nil {
		t.Fatal(err)
	}
	e.notify("workspace/didChangeWatchedFiles", obj{"changes": []any{obj{"uri": uriOf("y/secure-torch.toml"), "type": 3}}})
	e.latest(b, 1, coded("ST101"))
}

// A config that cannot be read is said to be so; nothing is silenced by it.
func TestBrokenConfig(t *testing.T) {
	e, _, uriOf := real(t, map[string]string{"secure-torch.toml": "[[ignore]]\nrule = \"ST101\"\nreason = \"ours\"\nsandbx = 1\n"})
	e.initialize(full())
	a := uriOf("a.py")
	e.open(a, 1, loads)
	e.latest(a, 1, coded("ST101"))
	e.eventually("a warning", func() bool {
		for _, m := range e.told {
			if m.Method == "window/showMessage" && strings.Contains(string(m.Params), "sandbx") {
				return true
			}
		}
		return false
	})
}

// What an attacker wrote is shown, but moves no cursor, hides nothing and is no markup.
func TestHostileText(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x"})
	sc.set("evil.pt", "would call `x`](http://evil) <b> \u202e\x1b[31m\x07 on load")
	e.initialize(full())
	a := uriOf("a.py")
	e.open(a, 1, loads)
	d := e.latest(a, 1, coded("ST201"))
	for _, x := range d {
		if strings.ContainsAny(x.Message, "\u202e\x1b\x07") {
			t.Errorf("%q", x.Message)
		}
	}
	var hover struct{ Contents struct{ Value string } }
	e.call("textDocument/hover", at(a, 1, 8), &hover)
	if strings.ContainsAny(hover.Contents.Value, "\u202e\x1b\x07") || !strings.Contains(hover.Contents.Value, "`` would call `x`]") {
		t.Errorf("%q", hover.Contents.Value)
	}
}
