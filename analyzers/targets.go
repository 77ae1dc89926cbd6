package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// Targets are the dictionaries of a configuration file that hold the arguments of a class of that name, which the file
// tells a program to make an instance of, each with the class's dotted name: {_target_: m.C, …} as Hydra reads it,
// {class_path: m.C, init_args: {…}} as Lightning and jsonargparse do, {target: m.C, params: {…}} as many programs for
// diffusion models do.
func (s *Summary) Targets(class string) []Callee {
	var out []Callee
	for i := range s.tree.Nodes {
		n := node(i)
		if s.kind(n) != pyparse.Pair || len(out) == maxSites {
			continue
		}
		key, _ := s.literal(s.field(n, pyparse.FieldKey))
		args, ok := targetKeys()[key]
		if !ok {
			continue
		}
		name, _ := s.literal(s.field(n, pyparse.FieldValue))
		if !strings.HasSuffix(name, "."+class) {
			continue
		}
		dict := s.parent[n]
		if args != "" {
			dict = s.item(dict, args)
		}
		if s.kind(dict) == pyparse.Dictionary {
			out = append(out, Callee{dict, []string{name}})
		}
	}
	return out
}

// targetKeys are the keys under which a class is named, and those of its arguments beside; empty where they stand beside
// the name themselves.
func targetKeys() map[string]string {
	return map[string]string{"_target_": "", "class_path": "init_args", "target": "params"}
}

// item is the value of a dictionary literal under a key, or none.
func (s *Summary) item(dict node, key string) node {
	for c := range s.children(dict) {
		if name, ok := s.literal(s.field(c, pyparse.FieldKey)); ok && name == key {
			return s.field(c, pyparse.FieldValue)
		}
	}
	return none
}

// configured is what the configuration files of the workspace give for a parameter of a class's __init__.
func (e *evaluator) configured(fr *frame, class node, param string) []place {
	s := fr.s
	if e.w == nil || s.scope[class] != 0 {
		return nil
	}
	var out []place
	for _, t := range e.w.Targets(s, s.code(s.field(class, pyparse.FieldName))) {
		if v := t.Summary.item(t.Call, param); v >= 0 && t.Summary.kind(v) != pyparse.None && len(out) < maxAlts {
			in := e.frame(t.Summary, t.Dir)
			in.config = "of the workspace"
			out = append(out, place{in, v, ref.Guess})
		}
	}
	return out
}
