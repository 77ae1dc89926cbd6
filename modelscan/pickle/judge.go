package pickle

import (
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// lookup says what is known of a name as a stream writes it. Python 2 spellings are judged by both
// names: the one written and the one CPython reads instead.
func (t *tables) lookup(module, name string) entry {
	if e, ok := t.allow[module+"\n"+name]; ok {
		return e
	}
	newModule, newName := t.modern(module, name)
	if e, ok := t.allow[newModule+"\n"+newName]; ok {
		return e
	}
	for _, pair := range [][2]string{{module, name}, {newModule, newName}} {
		if id := t.danger(pair[0], pair[1]); id != "" {
			return entry{verdict: dangerous, rule: id}
		}
	}
	if root, _, _ := strings.Cut(module, "."); t.prefixes[root].verdict == allowed {
		return t.prefixes[root]
	}
	return entry{}
}

// Modern is the name that CPython's fix_imports puts in place of a Python 2 name, for pickles of protocols
// 0 to 2.
func Modern(module, name string) (string, string) { return load().modern(module, name) }

// modern is the name that CPython's fix_imports puts in place of a Python 2 name.
func (t *tables) modern(module, name string) (string, string) {
	if pair, ok := t.oldNames[module+"\n"+name]; ok {
		m, n, _ := strings.Cut(pair, "\n")
		return m, n
	}
	if m, ok := t.oldModules[module]; ok {
		return m, name
	}
	return module, name
}

// danger resolves a dotted name component by component, as getattr would: `random` `_os.system` is
// os.system because random holds the module os under that name.
func (t *tables) danger(module, name string) rule.ID {
	if id := t.dangerIn(module, name); id != "" {
		return id
	}
	parts := strings.Split(name, ".")
	for i, part := range parts {
		if strings.HasPrefix(part, "__") && strings.HasSuffix(part, "__") && introspective[part] {
			return rule.PickleDangerousReference
		}
		if id := t.dangerIn(strings.TrimLeft(part, "_"), strings.Join(parts[i+1:], ".")); id != "" && (i > 0 || len(parts) > 1 || module != "") {
			return id
		}
	}
	return t.leaves[parts[len(parts)-1]]
}

// dangerIn looks one module up; the empty name is the module itself, dangerous where all of it is.
func (t *tables) dangerIn(module, name string) rule.ID {
	if name == "" {
		name = "*module*"
	}
	for _, d := range t.dangers[module] {
		if d.matches(name) {
			return d.rule
		}
	}
	for at := module; at != ""; {
		for _, d := range t.trees[at] {
			if d.matches(name) {
				return d.rule
			}
		}
		i := strings.LastIndexByte(at, '.')
		if i < 0 {
			break
		}
		at = at[:i]
	}
	return ""
}

// introspective attributes lead from any object to the interpreter's insides.
var introspective = map[string]bool{
	"__globals__": true, "__builtins__": true, "__subclasses__": true, "__import__": true, "__loader__": true, "__spec__": true, "__getattribute__": true,
	"__code__": true, "__closure__": true, "__mro__": true, "__bases__": true, "__base__": true, "__dict__": true, "__reduce__": true, "__reduce_ex__": true,
	"__self__": true, "__func__": true, "__wrapped__": true, "__init_subclass__": true, "__setattr__": true, "__delattr__": true,
}
