package lsp

import "testing"

// What real Neovims do that the protocol does not say.
func TestNeovim(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x"})
	sc.set("evil.pt", evilCall)
	e.client = "Neovim"
	e.options = obj{"settings": []any{}} // Lua's empty table
	// 0.12 can pull, but does not ask for its open documents again when it is told to refresh.
	res := e.initialize(with(obj{
		"textDocument": obj{"diagnostic": obj{}, "codeAction": obj{"dataSupport": true, "resolveSupport": obj{"properties": []string{"edit"}}}},
		"workspace":    obj{"diagnostics": obj{"refreshSupport": true}},
	}))
	if p := res["capabilities"].(obj)["diagnosticProvider"]; p != nil {
		t.Errorf("it is told to pull: %v", p)
	}
	e.notify("workspace/didChangeConfiguration", obj{"settings": obj{"secure-torch": []any{}}})
	a := uriOf("a.py")
	e.open(a, 1, loads)
	e.latest(a, 1, coded("ST201"))
	if log := e.log.String(); log != "" {
		t.Errorf("its settings are complained of: %s", log)
	}

	// 0.7 has actions resolved that are commands and have nothing to resolve.
	var actions []action
	e.call("textDocument/codeAction", on(a, rng{pos{1, 5}, pos{1, 5}}), &actions)
	show := find(t, actions, "Show the report")
	var resolved action
	e.call("codeAction/resolve", obj{"title": show.Title, "kind": show.Kind, "command": obj{"title": show.Title, "command": cmdShowReport}}, &resolved)
	if resolved.Title != show.Title || resolved.Edit != nil {
		t.Errorf("%+v", resolved)
	}
}
