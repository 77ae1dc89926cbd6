package repo

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
)

// errNotOpened: too many files lie beside it, or this one could not be opened.
var errNotOpened = errors.New("it was not opened beside the file that names it")

// start is a file that a loader imports first, for something that stands at a place of what names it.
type start struct {
	at   *jsontree.Node
	what string // "modeling_x.XModel"
	file string
}

// mappedStarts are the files of the classes that a configuration names: a loader imports those whatever they are
// called (transformers 5.24, get_class_from_dynamic_module). Of a model that generates custom_generate/generate.py
// is one of them, though nothing names it.
func mappedStarts(x *crossing) []start {
	var out []start
	for n := range x.root.All() {
		for i, key := range n.Keys {
			if key != "auto_map" && key != "custom_pipelines" {
				continue
			}
			for value := range n.Items[i].All() {
				class := value.String()
				name, _, dotted := strings.Cut(class, ".")
				if dotted && !strings.Contains(class, "--") {
					out = append(out, start{value, class, name + ".py"})
				}
			}
		}
	}
	if own := "custom_generate/generate.py"; path.Base(x.Name) == "config.json" && x.beside[own] {
		out = append(out, start{x.root, "generate", own})
	}
	return out
}

// pipelineStarts are the classes of a diffusers pipeline, and its components', that lie in the repository (diffusers
// 0.42, _get_custom_components_and_folders and _resolve_custom_pipeline_and_cls).
func pipelineStarts(x *crossing) []start {
	var out []start
	for i, key := range x.root.Keys {
		value := x.root.Items[i]
		if value.Kind != jsontree.Array || len(value.Items) != 2 {
			continue
		}
		module, class := value.Items[0].String(), value.Items[1].String()
		file := path.Join(key, module+".py")
		if key == "_class_name" {
			file = module + ".py"
		}
		if module != "" && class != "" && x.beside[file] {
			out = append(out, start{value, module + "." + class, file})
		}
	}
	return out
}

// moduleStarts are the classes of a sentence-transformers model that lie in the repository (6.2, import_module_class).
func moduleStarts(x *crossing) []start {
	var out []start
	for _, module := range x.root.Items {
		for i, key := range module.Keys {
			class := module.Items[i].String()
			name, _, dotted := strings.Cut(class, ".")
			if key == "type" && dotted && x.beside[name+".py"] {
				out = append(out, start{module.Items[i], class, name + ".py"})
			}
		}
	}
	return out
}

// mapped judges the code that the file has a loader import. What a module imports from another folder of the
// repository is followed as Python would: transformers fetches some of that, and stops at the rest.
func mapped(starts func(*crossing) []start) func(context.Context, *crossing) {
	return func(ctx context.Context, x *crossing) { x.run(ctx, starts(x), newImporter(x.beside), "") }
}

// run judges each of the files that run when the starts are imported, but for self, which has a report.
func (x *crossing) run(ctx context.Context, starts []start, m *importer, self string) {
	seen := map[string]bool{}
	for _, s := range starts {
		if seen[s.file] {
			continue
		}
		if !x.beside[s.file] && s.file != self {
			seen[s.file] = true
			x.absent(s)
			continue
		}
		for _, name := range m.closure([]string{s.file}, x.module) {
			if seen[name] || ctx.Err() != nil {
				continue
			}
			seen[name] = true
			x.imported(s, m, name, name == self)
		}
	}
	if x.Cut && len(starts) > 0 {
		x.codeGap(starts[0], rule.LimitReached, "", fmt.Sprintf("too many files lie around it: which of them %s imports is not known", starts[0].what))
	}
}

// absent says that a class lies in no file of the folder.
func (x *crossing) absent(s start) {
	if x.Cut {
		return // said below
	}
	x.finding(modelscan.Finding{Rule: rule.RemoteCodeMissing, Offset: s.at.Off, Subject: s.what,
		Message: fmt.Sprintf("%s, where the loader looks for %s, is not in the folder: nobody has judged the code that it would fetch", s.file, s.what)})
}

// imported judges one file that is imported for a start.
func (x *crossing) imported(s start, m *importer, name string, own bool) {
	for _, kept := range m.copies(name) {
		if m.roots == nil {
			break // transformers and diffusers copy the source alone, and import that
		}
		if why := x.inPlace(kept); why != "" {
			x.codeGap(s, rule.NotSupported, kept, fmt.Sprintf("%s is run in the place of %s: %s", kept, name, why))
		}
	}
	text, err := x.module(name)
	switch {
	case own:
	case path.Ext(name) != ".py":
		x.codeGap(s, rule.NotSupported, name, fmt.Sprintf("%s, which is imported for %s, is compiled: nobody has read it", name, s.what))
	case err != nil:
		x.codeGap(s, rule.ReadError, name, fmt.Sprintf("%s, which is imported for %s: %v", name, s.what, err))
	default:
		x.judge(s, name, text)
	}
}

// inPlace says why a compiled copy is run whatever its source says; empty where it is compared with that first. One that
// bears its source's time and size is Python's own, or made by who could have changed the source as well.
func (x *crossing) inPlace(name string) string {
	for _, m := range x.Modules {
		if m.Name != name {
			continue
		}
		head, err := m.Bytes(0, min(m.Size, 8), 8)
		switch {
		case err != nil:
			return err.Error()
		case len(head) == 8 && head[4]&1 != 0: // PEP 552
			return "it bears no time of that, and nobody has read it"
		}
		return ""
	}
	return errNotOpened.Error()
}

// module returns the text of a Python file beside the one that names it.
func (x *crossing) module(name string) (string, error) {
	if name == path.Base(x.Name) {
		text, err := x.Bytes(0, x.Size, maxText)
		return string(text), err
	}
	for _, m := range x.Modules {
		if m.Name == name {
			text, err := m.Bytes(0, m.Size, maxText)
			return string(text), err
		}
	}
	return "", errNotOpened
}

// judge says what importing a file does.
func (x *crossing) judge(s start, name, text string) {
	m := readModule(text)
	acts := m.atImport()
	told := map[effect]bool{}
	for _, e := range acts {
		e.off = 0 // a line may both name and call it
		if told[e] {
			continue
		}
		told[e] = true
		x.finding(modelscan.Finding{Rule: rule.PythonImportEffect, Offset: s.at.Off, Subject: e.call,
			Message: fmt.Sprintf("for %s the loader imports %s, of which line %d calls %s", s.what, name, e.line, e.call)})
	}
	if e, ok := m.later(); ok && len(acts) == 0 {
		x.finding(modelscan.Finding{Rule: rule.PythonMethodEffect, Offset: s.at.Off, Subject: e.call,
			Message: fmt.Sprintf("for %s the loader imports %s, of which line %d calls %s in a function", s.what, name, e.line, e.call)})
	}
}

// codeGap is a gap in what would run, not in the file that names it.
func (x *crossing) codeGap(s start, id rule.ID, name, reason string) {
	g := modelscan.Gap{Rule: id, Path: x.Name + "!" + name, Offset: s.at.Off, Reason: reason}
	if len(x.report.Gaps) < x.lim.MaxGaps {
		x.report.Gaps = append(x.report.Gaps, g)
	}
}
