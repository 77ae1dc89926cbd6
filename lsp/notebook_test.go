package lsp

import (
	"strings"
	"testing"
)

func cellItem(uri, language, text string) obj {
	return obj{"uri": uri, "languageId": language, "version": 1, "text": text}
}

// A notebook's cells: what one defines is known in those after it, and all move when cells do.
func TestNotebook(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x"})
	sc.set("evil.pt", evilCall)
	e.initialize(full())
	nb := uriOf("n.ipynb")
	c := func(id string) string { return strings.Replace(nb, "file:", "vscode-notebook-cell:", 1) + "#" + id }
	kinds := []any{}
	for _, id := range []string{"1", "2", "3"} {
		kinds = append(kinds, obj{"kind": 2, "document": c(id)})
	}
	e.notify("notebookDocument/didOpen", obj{
		"notebookDocument": obj{"uri": nb, "notebookType": "jupyter-notebook", "version": 1, "cells": kinds},
		"cellTextDocuments": []any{
			cellItem(c("1"), "python", "%pip install torch\n!ls\nimport torch\nname = \"evil.pt\""),
			cellItem(c("2"), "markdown", "torch.load('evil.pt')"),
			cellItem(c("3"), "python", "# 🚀\nx = torch.load(name)"),
		},
	})
	d := e.latest(c("3"), 1, coded("ST201"))
	for _, x := range d {
		if x.Range != (rng{pos{1, 4}, pos{1, 14}}) {
			t.Errorf("at %+v", x.Range)
		}
	}
	var actions []action
	e.call("textDocument/codeAction", on(c("3"), d[0].Range), &actions)
	edits := find(t, actions, "st.load").Edit.DocumentChanges[0].Edits
	if edits[0].Range != (rng{}) || edits[0].NewText != "import secure_torch as st\n" {
		t.Errorf("the import: %+v", edits)
	}
	change := func(version int, cells obj) {
		e.notify("notebookDocument/didChange", obj{"notebookDocument": obj{"uri": nb, "version": version}, "change": obj{"cells": cells}})
	}
	// The first cell changes: what the third one loads is another file.
	change(2, obj{"textContent": []any{obj{"document": obj{"uri": c("1"), "version": 2}, "changes": []any{obj{"text": "import torch\nname = 'good.pt'"}}}}})
	e.latest(c("3"), 1, none("ST201"))
	// A cell comes between them and changes the name back.
	change(3, obj{"structure": obj{
		"array":   obj{"start": 2, "deleteCount": 0, "cells": []any{obj{"kind": 2, "document": c("4")}}},
		"didOpen": []any{cellItem(c("4"), "python", "%%time\nname = 'evil.pt'")},
	}})
	e.latest(c("3"), 1, coded("ST201"))
	// And goes.
	change(4, obj{"structure": obj{"array": obj{"start": 2, "deleteCount": 1}, "didClose": []any{obj{"uri": c("4")}}}})
	e.latest(c("3"), 1, none("ST201"))
	e.notify("notebookDocument/didClose", obj{"notebookDocument": obj{"uri": nb}, "cellTextDocuments": []any{}})
	e.eventually("cleared", func() bool {
		all := e.shown[c("3")]
		return all[len(all)-1].Version == nil && len(all[len(all)-1].Diagnostics) == 0
	})
	// What a client should not send.
	change(5, obj{"textContent": []any{}})
	e.notify("notebookDocument/didClose", obj{"notebookDocument": obj{"uri": nb}, "cellTextDocuments": []any{}})
	if code := e.quit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A cell that is typed in is read again with those after it, and none before it.
func TestNotebookTyping(t *testing.T) {
	e, _, uriOf := real(t, nil)
	e.initialize(full())
	nb := uriOf("n.ipynb")
	c := func(id string) string { return strings.Replace(nb, "file:", "vscode-notebook-cell:", 1) + "#" + id }
	kinds, texts := []any{}, []any{}
	for _, id := range []string{"1", "2", "3"} {
		kinds = append(kinds, obj{"kind": 2, "document": c(id)})
		texts = append(texts, cellItem(c(id), "python", "import torch\ntorch.load('"+id+".pt')"))
	}
	e.notify("notebookDocument/didOpen", obj{"notebookDocument": obj{"uri": nb, "notebookType": "jupyter-notebook", "version": 1, "cells": kinds}, "cellTextDocuments": texts})
	for _, id := range []string{"1", "2", "3"} {
		e.latest(c(id), 1, coded("ST101"))
	}
	first := len(e.publishedFor(c("1")))
	for v := 2; v < 20; v++ {
		text := "import torch\ntorch.load('2.pt')" + strings.Repeat("\n", v)
		e.notify("notebookDocument/didChange", obj{"notebookDocument": obj{"uri": nb, "version": v}, "change": obj{"cells": obj{
			"textContent": []any{obj{"document": obj{"uri": c("2"), "version": v}, "changes": []any{obj{"text": text}}}}}}})
	}
	e.latest(c("2"), 19, coded("ST101"))
	third := len(e.publishedFor(c("3")))
	e.notify("notebookDocument/didChange", obj{"notebookDocument": obj{"uri": nb, "version": 20}, "change": obj{"cells": obj{
		"textContent": []any{obj{"document": obj{"uri": c("2"), "version": 20}, "changes": []any{obj{"text": "import pickle as torch"}}}}}}})
	e.latest(c("2"), 20, none("ST101"))
	e.eventually("the cell after it", func() bool { return len(e.shown[c("3")]) > third })
	if n := len(e.publishedFor(c("1"))); n != first {
		t.Errorf("the cell before it was shown %d times more", n-first)
	}
}
