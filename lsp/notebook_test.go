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
