package pickle

import (
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// lookup says what is known of a name as a stream writes it. Python 2 spellings are judged by both
// names: the one written and the one CPython reads instead.
func (t *tables) lookup(module, name string) entry {
	if e, ok := t.allowed(module, name); ok {
		return e
	}
	newModule, newName := t.modern(module, name)
	if e, ok := t.allowed(newModule, newName); ok {
		return e
	}
	if t.constant(newModule, newName) {
		return entry{verdict: allowed}
	}
	for _, pair := range [][2]string{{module, name}, {newModule, newName}} {
		if id := t.danger(pair[0], pair[1]); id != "" {
			return entry{verdict: dangerous, rule: id, coarse: t.coarse(pair[0], pair[1])}
		}
	}
	if e := t.member(module, name); e.verdict != unknown {
		return e
	}
	return t.byPackage(newModule, newName)
}

// byPackage is the verdict of the wider entries: a class or function that moved between its package's modules,
// a name by its beginning, a whole package.
func (t *tables) byPackage(module, name string) entry {
	p := t.of(module)
	for _, l := range p.moved {
		if l.has(name) {
			return entry{verdict: allowed, uses: l.entry.uses &^ mayCall}
		}
	}
	for _, below := range p.classes {
		if strings.HasPrefix(module, below) && looksLikeClass(name) && !strings.Contains(name, ".") {
			return entry{verdict: allowed, uses: mayNew}
		}
	}
	for _, pattern := range p.patterns {
		if strings.HasPrefix(name, pattern.prefix) {
			return pattern.entry
		}
	}
	return p.all
}

// constant: a member of an allowed class named in capitals, as enumerations write theirs.
func (t *tables) constant(module, name string) bool {
	class, attr, ok := strings.Cut(name, ".")
	if _, exact := t.allowed(module, class); !ok || !exact || attr == "" {
		return false
	}
	return strings.IndexFunc(attr, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) < 0
}

// member: a public attribute of an allowed class may be named, as a bound method of an instance is,
// but not called.
func (t *tables) member(module, name string) entry {
	class, attrs, ok := strings.Cut(name, ".")
	if !ok {
		return entry{}
	}
	module, class = t.modern(module, class)
	if _, exact := t.allowed(module, class); !exact && t.byPackage(module, class).verdict != allowed {
		return entry{}
	}
	for _, part := range strings.Split(attrs, ".") {
		if strings.HasPrefix(part, "__") && part != "__new__" && part != "__init__" {
			return entry{}
		}
	}
	if attrs == "__new__" {
		return entry{verdict: allowed, uses: mayCall, check: "reconstruct"}
	}
	return entry{verdict: allowed}
}

// quiet tells whether a name that is on no list is a function of a library that is, and speaks of no file, program or
// address. Models hold such functions (metrics, kernels); only to name one does nothing, and a call of it is reported.
func (t *tables) quiet(g *global) bool {
	if p := t.of(g.module); g.computed || t.stdlib[root(g.module)] || len(p.allow) == 0 || looksLikeClass(g.name) || strings.Contains(g.name, ".") {
		return false
	}
	for word := range strings.FieldsFuncSeq(g.module+"_"+g.name, func(r rune) bool { return r == '_' || r == '.' }) {
		if loud[strings.ToLower(word)] || t.leaf(word) {
			return false
		}
	}
	return true
}

// loud are words of names that are worth a look.
var loud = wordSet(`backdoor call check cli cmd code command compile config convert copy ctypes decode delegate delete deserialize download dump dumps
	eval evaluate exec execute fetch file files from hub import input install io link load loader loads main memmap move open parse path pickle
	popen process read remote remove rename request reverse run runner save script server setup shell socket source spawn subprocess system temp
	tempfile test testing tests unlink unpickle upload url urls write`)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// evaluates tells whether to read or set an attribute of a class's instance runs what its state says.
func (t *tables) evaluates(class *global, attribute string) bool {
	return strings.Contains(t.properties[root(class.module)], " "+attribute+" ")
}

// leaf tells whether a method of this name is dangerous whatever object it belongs to.
func (t *tables) leaf(name string) bool {
	return t.leaves[name[strings.LastIndexByte(name, '.')+1:]] != ""
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
	parts := strings.Split(name, ".")
	if id := t.dangerIn(module, name); id != "" && len(parts) == 1 {
		return id
	}
	for i, part := range parts {
		if introspective[part] {
			return rule.PickleIntrospection
		}
		alias, rest := strings.TrimLeft(part, "_"), strings.Join(parts[i+1:], ".")
		if rest == "" && !aliases[alias] {
			continue
		}
		if id := t.dangerIn(alias, rest); id != "" {
			return id
		}
	}
	if id := t.dangerIn(module, name); id != "" {
		return id
	}
	return t.leaves[parts[len(parts)-1]]
}

// aliases are modules that others import under their own name, or the same with underscores before
// it, so that a bare attribute of that name is the module.
var aliases = map[string]bool{
	"os": true, "sys": true, "subprocess": true, "builtins": true, "importlib": true, "socket": true, "shutil": true, "posix": true, "nt": true,
	"ctypes": true, "pickle": true, "marshal": true, "runpy": true, "pty": true, "tempfile": true, "threading": true, "multiprocessing": true, "urllib": true,
}

// dangerIn looks one module up; the empty name is the module itself, dangerous where all of it is.
func (t *tables) dangerIn(module, name string) rule.ID {
	if name == "" {
		name = "*module*"
	}
	return t.line(module, name).rule
}

// line is the first line of dangerous.txt that means the name.
func (t *tables) line(module, name string) danger {
	p := t.of(module)
	for _, d := range p.dangers[module] {
		if d.matches(name) {
			return d
		}
	}
	for at := module; at != ""; {
		for _, d := range p.trees[at] {
			if d.matches(name) {
				return d
			}
		}
		i := strings.LastIndexByte(at, '.')
		if i < 0 {
			break
		}
		at = at[:i]
	}
	return danger{}
}

// coarse tells whether a name is only dangerous because all of its package is, and names a class: an
// instance made without __init__ is then no worse than one of any class that nobody knows. Of the standard
// library every class was looked at.
func (t *tables) coarse(module, name string) bool {
	if t.stdlib[root(module)] || strings.Contains(name, ".") || !looksLikeClass(name) {
		return false
	}
	names := t.line(module, name).names
	return len(names) == 1 && names[0] == "*"
}

// introspective attributes lead from any object to the interpreter's insides.
var introspective = map[string]bool{
	"__globals__": true, "__builtins__": true, "__subclasses__": true, "__import__": true, "__loader__": true, "__spec__": true, "__getattribute__": true,
	"__code__": true, "__closure__": true, "__mro__": true, "__bases__": true, "__base__": true, "__dict__": true, "__reduce__": true, "__reduce_ex__": true,
	"__self__": true, "__func__": true, "__wrapped__": true, "__init_subclass__": true, "__setattr__": true, "__delattr__": true,
}
