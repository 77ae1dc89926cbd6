package lsp

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/engine"
)

func TestConfigFile(t *testing.T) {
	e, _, uriOf := real(t, nil)
	e.initialize(full("utf-16"))
	c := uriOf("secure-torch.toml")
	e.open(c, 1, "offline = true\nfail_no = \"high\"\n")
	shown := e.latest(c, 1, func(d []shownDiag) bool { return len(d) > 0 })
	if len(shown) != 1 || shown[0].Range.Start.Line != 1 || shown[0].Code != "" || !strings.Contains(shown[0].Message, `did you mean "fail_on"?`) {
		t.Errorf("%+v", shown)
	}
	e.change(c, 2, obj{"text": "fail_on = \n[[ignore]]\nre\nrule = \"ST\n[sinks]\n\n"})
	var list struct {
		Items []struct{ Label, InsertText string }
	}
	for where, want := range map[pos]string{{0, 10}: `"critical"`, {2, 2}: "reason", {3, 10}: "ST201", {5, 0}: ""} {
		e.call("textDocument/completion", at(c, where.Line, where.Character), &list)
		found := want == "" && len(list.Items) == 0
		for _, item := range list.Items {
			found = found || item.Label == want || item.InsertText == want
		}
		if !found {
			t.Errorf("at %v %d items, no %q", where, len(list.Items), want)
		}
	}
	e.change(c, 3, obj{"text": "fail_on = \"high\"\n"})
	e.latest(c, 3, func(d []shownDiag) bool { return len(d) == 0 })
}

// The client asks its user why, and the comment that comes of it is heeded.
func TestIgnoreBecause(t *testing.T) {
	e, _, uriOf := real(t, nil)
	e.options = obj{"prompts": true}
	e.answer = func(m message) any { return obj{"applied": true} }
	e.initialize(full("utf-16"))
	a := uriOf("a.py")
	e.open(a, 1, loads)
	e.latest(a, 1, coded("ST101"))
	var actions []action
	e.call("textDocument/codeAction", on(a, rng{pos{1, 5}, pos{1, 5}}), &actions)
	why := find(t, actions, "with a reason")
	arg := why.Command.Arguments[0].(obj)
	for _, bad := range []string{"", " \n ", strings.Repeat("x", maxReason+1)} {
		arg["reason"] = bad
		if m := e.reply(e.request("workspace/executeCommand", obj{"command": cmdIgnore, "arguments": []any{arg}})); m.Error == nil {
			t.Errorf("the reason %q is taken", bad)
		}
	}
	arg["reason"] = "made by\nour own job"
	e.call("workspace/executeCommand", obj{"command": cmdIgnore, "arguments": []any{arg}}, nil)
	var edit struct{ Edit json.RawMessage }
	e.eventually("an edit", func() bool {
		for _, m := range e.told {
			if m.Method == "workspace/applyEdit" {
				return json.Unmarshal(m.Params, &edit) == nil
			}
		}
		return false
	})
	if want := `  # secure-torch: ignore[ST101] made by our own job`; !strings.Contains(string(edit.Edit), want) {
		t.Errorf("%s lacks %q", edit.Edit, want)
	}
	e.change(a, 2, obj{"text": "\n"})
	if m := e.reply(e.request("workspace/executeCommand", obj{"command": cmdIgnore, "arguments": []any{arg}})); m.Error == nil {
		t.Error("an edit of a version that is gone")
	}
}

func TestTrustAction(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"ws/secure-torch.toml": "[[ignore]]\nrule = \"ST201\"\nreason = \"ours\"\n", "ws/evil.pt": "x"})
	sc.set("evil.pt", evilCall)
	e.root = uriOf("ws")
	dir := strings.TrimPrefix(e.root, "file://")
	e.initialize(full("utf-16"))
	a := uriOf("ws/a.py")
	e.open(a, 1, loads)
	e.latest(a, 1, coded("ST201"))
	if m := e.reply(e.request("workspace/executeCommand", obj{"command": cmdTrustFolder, "arguments": []any{filepath.Dir(dir)}})); m.Error == nil {
		t.Error("a folder that is not open is trusted")
	}
	var actions []action
	e.call("textDocument/codeAction", on(a, rng{pos{1, 5}, pos{1, 5}}), &actions)
	trust := find(t, actions, "Trust "+dir)
	e.call("workspace/executeCommand", obj{"command": trust.Command.Command, "arguments": trust.Command.Arguments}, nil)
	e.latest(a, 1, none("ST201"))
	own, err := os.ReadFile(filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "secure-torch", "config.toml"))
	if err != nil || !strings.Contains(string(own), dir) {
		t.Errorf("%s, %v", own, err)
	}
	actions = nil
	e.call("textDocument/codeAction", on(a, rng{pos{1, 5}, pos{1, 5}}), &actions)
	for _, x := range actions {
		if strings.HasPrefix(x.Title, "Trust") {
			t.Error("it is offered to trust what is trusted")
		}
	}
}

func TestStatus(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x", "good.pt": "x"})
	sc.set("evil.pt", evilCall)
	e.options = obj{"status": true}
	e.initialize(full("utf-16"))
	e.open(uriOf("a.py"), 1, loads+"y = torch.load(\"good.pt\")\n")
	e.eventually("the end of the work", func() bool {
		last := status{}
		for _, m := range e.told {
			if m.Method == methodStatus {
				if err := json.Unmarshal(m.Params, &last); err != nil {
					t.Fatal(err)
				}
			}
		}
		return last == status{Models: 2, Unsafe: 1}
	})
}

// lister is a scanner that lists pickles too.
type lister struct{ *fakeScanner }

func (l lister) ScanTarget(ctx context.Context, target artifact.Target) *engine.Artifact {
	a := l.fakeScanner.ScanTarget(ctx, target)
	a.Report.Formats = []string{"pickle"}
	return a
}

func (l lister) InspectTarget(_ context.Context, _ artifact.Target, listing engine.Listing) (*engine.Artifact, string) {
	if listing == engine.Program {
		return nil, "import posix\n```\nsystem('\x1b[31m')\n" + strings.Repeat("x = 1\n", maxListing/6)
	}
	return nil, "0: PROTO 2\n"
}

func TestListings(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "evil.pt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := start(t, Options{Checker: NewChecker(check.Options{}), Scanner: lister{&fakeScanner{}}})
	e.root = "file://" + dir
	e.initialize(full("utf-16"))
	a := e.root + "/a.py"
	e.open(a, 1, loads)
	var content struct{ Text string }
	e.until("a report", func() bool {
		e.call("workspace/textDocumentContent", obj{"uri": string(reportURI(filepath.Join(dir, "evil.pt")))}, &content)
		return !strings.HasPrefix(content.Text, "No report")
	})
	for _, want := range []string{"## What it would run\n\n````python\nimport posix\n```\nsystem('\\u001b[31m')\n", "… cut here", "## Opcodes\n\n```text\n0: PROTO 2\n```\n"} {
		if !strings.Contains(content.Text, want) {
			t.Errorf("the report lacks %q; it begins %.400q", want, content.Text)
		}
	}
}
