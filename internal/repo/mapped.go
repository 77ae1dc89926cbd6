package repo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// errNotOpened: too many files lie beside it, or this one could not be opened.
var errNotOpened = errors.New("it was not opened beside the file that names it")

// mappedCode follows the classes that a configuration names into the Python files beside it: a loader imports
// those whatever they are called, and what they import from beside themselves.
func mappedCode(ctx context.Context, x *crossing) {
	seen := map[string]bool{}
	for n := range x.root.All() {
		for i, key := range n.Keys {
			if key != "auto_map" && key != "custom_pipelines" {
				continue
			}
			for value := range n.Items[i].All() {
				class := value.String()
				name, _, dotted := strings.Cut(class, ".")
				if dotted && !strings.Contains(class, "--") && ctx.Err() == nil {
					x.follow(value, class, name+".py", seen)
				}
			}
		}
	}
}

// follow judges a module that is imported for a class, and those that it imports in turn.
func (x *crossing) follow(at *jsontree.Node, class, first string, seen map[string]bool) {
	for todo := []string{first}; len(todo) > 0; todo = todo[1:] {
		name := todo[0]
		if seen[name] {
			continue
		}
		seen[name] = true
		switch text, err := x.module(name); {
		case !x.beside[name] && name == first:
			x.finding(modelscan.Finding{Rule: rule.RemoteCodeMissing, Offset: at.Off, Subject: class,
				Message: fmt.Sprintf("%s, where the loader looks for %s, is not in the folder: nobody has judged the code that it would fetch", name, class)})
		case !x.beside[name]:
		case err != nil:
			x.gap(modelscan.Gap{Rule: rule.ReadError, Offset: at.Off, Reason: fmt.Sprintf("%s, which a loader imports for %s: %v", name, class, err)})
		default:
			if !imported().MatchString(strings.ToLower(name)) { // else its own report says it
				x.imports(at, class, name, text)
			}
			todo = append(todo, relatives(text)...)
		}
	}
}

// module returns the text of a Python file beside the configuration.
func (x *crossing) module(name string) (string, error) {
	for _, m := range x.Modules {
		if m.Name == name {
			text, err := m.Bytes(0, m.Size, maxText)
			return string(text), err
		}
	}
	return "", errNotOpened
}

// imports judges a module by what importing it does.
func (x *crossing) imports(at *jsontree.Node, class, name, text string) {
	m := readModule(text)
	acts := m.atImport()
	told := map[effect]bool{}
	for _, e := range acts {
		e.off = 0 // a line may both name and call it
		if told[e] {
			continue
		}
		told[e] = true
		x.finding(modelscan.Finding{Rule: rule.PythonImportEffect, Offset: at.Off, Subject: e.call,
			Message: fmt.Sprintf("for %s the loader imports %s, of which line %d calls %s", class, name, e.line, e.call)})
	}
	if e, ok := m.later(); ok && len(acts) == 0 {
		x.finding(modelscan.Finding{Rule: rule.PythonMethodEffect, Offset: at.Off, Subject: e.call,
			Message: fmt.Sprintf("for %s the loader imports %s, of which line %d calls %s in a function", class, name, e.line, e.call)})
	}
}

// relative imports as transformers looks for them (dynamic_module_utils.get_relative_imports), and "from . import a, b".
var (
	relative = pattern.Lazy(`(?m)^\s*(?:import\s+\.(\w+)\s*$|from\s+\.(\w+)\s+import\b)`)
	siblings = pattern.Lazy(`(?m)^\s*from\s+\.\s+import\s+\(?([\w ,]+)`)
)

// relatives lists the files that a module imports from its own folder.
func relatives(text string) []string {
	var files []string
	for _, m := range relative().FindAllStringSubmatch(text, -1) {
		files = append(files, m[1]+m[2]+".py")
	}
	for _, m := range siblings().FindAllStringSubmatch(text, -1) {
		for part := range strings.SplitSeq(m[1], ",") {
			if words := strings.Fields(part); len(words) > 0 {
				files = append(files, words[0]+".py")
			}
		}
	}
	return files
}
