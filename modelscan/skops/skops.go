// Package skops judges the schema.json of skops files: a tree of nodes, each naming a class or function
// that skops.io imports, and the kind of node that says what it does with it.
package skops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/pyname"
	"github.com/secure-torch/secure-torch/modelscan/zip"
)

// Format is the schema of a skops file.
var Format = &modelscan.Format{Name: "skops", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if bytes.Contains(p.Head, []byte(`"__loader__"`)) || bytes.Contains(p.Tail, []byte(`"__loader__"`)) {
		return modelscan.Maybe
	}
	return modelscan.No
}, Scan: scan}

// Profile is the .skops archive: skops.io reads schema.json by name.
var Profile = &zip.Profile{Name: "skops",
	Open: func(a *zip.Archive) *zip.Use {
		for _, e := range a.Entries {
			if as(e) != nil {
				return &zip.Use{As: as}
			}
		}
		return nil
	},
}

func as(e *zip.Entry) *modelscan.Format {
	if e.Name == "schema.json" {
		return Format
	}
	return nil
}

func scan(_ context.Context, p *modelscan.Pass) error {
	root, err := jsontree.Read(p.Source, p.Limits)
	if err != nil {
		return err
	}
	if root.Str("__loader__") == "" {
		return errors.New("the root has no __loader__")
	}
	told := map[string]bool{}
	for n := range root.All() {
		if n.Kind != jsontree.Object || n.Get("__class__") == nil && n.Get("__loader__") == nil {
			continue
		}
		for _, f := range node(n) {
			if key := string(f.Rule) + f.Subject; !told[key] {
				told[key] = true
				f.Path, f.Offset = p.Name, n.Off
				p.Emit.Finding(f)
			}
		}
	}
	return nil
}

// node judges what one node names, all of it.
func node(n *jsontree.Node) []modelscan.Finding {
	loader, module, class := n.Str("__loader__"), n.Str("__module__"), n.Str("__class__")
	content := n.Get("content")
	var out []modelscan.Finding
	tell := func(id rule.ID, subject, format string, args ...any) {
		out = append(out, modelscan.Finding{Rule: id, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
	name := func(module, class string) {
		full := strings.Trim(module+"."+class, ".")
		switch standing := pyname.Judge(module, class); {
		case loader == "ObjectNode" && boosters[full]:
		case standing == pyname.Dangerous:
			tell(rule.SkopsGadget, full, "the %s has skops import %s", loader, full)
		case standing == pyname.Unknown:
			tell(rule.SkopsUntrustedType, full, "the %s needs %s, which skops does not trust", loader, full)
		}
	}
	switch {
	case loader == "OperatorFuncNode" && module == "operator":
		if gadget := reaches(n.Get("attrs")); gadget != "" {
			tell(rule.SkopsGadget, "operator."+class, "operator.%s reaches for %q on what it is given", class, gadget)
		} else {
			tell(rule.SkopsUntrustedType, "operator."+class, "the file brings operator.%s, which calls or reads what it is given", class)
		}
	case module != "" || class != "":
		name(module, class)
	}
	if path := content.Str("module_path"); path != "" { // FunctionNode before skops 0.11
		name(path, content.Str("function"))
	}
	if method := content.Str("func"); loader == "MethodNode" && (gadgets[method] || strings.HasPrefix(method, "__")) {
		tell(rule.SkopsGadget, method, "the MethodNode takes the method %q of an object", method)
	}
	return out
}

// boosters would open files when called; an ObjectNode makes them without a call and gives them their state.
var boosters = map[string]bool{"xgboost.core.Booster": true, "lightgbm.basic.Booster": true, "catboost.core.CatBoost": true}

var gadgets = map[string]bool{
	"system": true, "popen": true, "Popen": true, "eval": true, "exec": true, "run": true, "call": true, "check_output": true, "spawn": true, "open": true,
	"import_module": true, "loads": true, "load": true, "unlink": true, "remove": true, "rmtree": true, "write_text": true, "write_bytes": true, "read_text": true, "read_bytes": true, "urlopen": true,
}

// reaches tells which method or attribute among an operator's arguments leads outside.
func reaches(args *jsontree.Node) string {
	for n := range args.All() {
		text := strings.Trim(n.Str("content"), `"`)
		for part := range strings.SplitSeq(text, ".") {
			if gadgets[part] || strings.HasPrefix(part, "__") {
				return text
			}
		}
	}
	return ""
}
