package analyzers

import (
	"bytes"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// broken says whether the parser had to repair the source inside n: nothing is rewritten there.
func (s *Summary) broken(n node) bool {
	for i := uint32(n); i < s.tree.Nodes[n].Next; i++ {
		if at := s.tree.Nodes[i]; at.Kind == pyparse.Error || at.Missing() {
			return true
		}
	}
	return false
}

// throughCall says whether the callee is, or may be, what some other call gave back, such as a
// functools.partial: that one may hold arguments of its own, which a new callee would lose.
func (c *Call) throughCall() bool {
	s, f := c.s, c.s.field(c.n, pyparse.FieldFunction)
	if s.kind(f) != pyparse.Identifier {
		return s.kind(f) != pyparse.Attribute
	}
	reach, _ := s.reaching(s.code(f), f, s.scope[f])
	return slices.ContainsFunc(reach, func(i int32) bool {
		value := s.binds[i].value
		return value != none && s.kind(value) == pyparse.Call
	})
}

// stLoadKeywords are torch.load's arguments that st.load takes too, with the same meaning.
var stLoadKeywords = []string{"map_location", "weights_only", "mmap"}

// fixStLoad rewrites a torch.load to st.load, which builds the same tensors without running pickle.
// There is none where an argument has no counterpart.
func (c *Call) fixStLoad() (Fix, bool) {
	s := c.s
	args := s.field(c.n, pyparse.FieldArguments)
	if s.broken(c.n) || s.kind(args) != pyparse.ArgumentList || c.throughCall() {
		return Fix{}, false
	}
	var edits []Edit
	i := 0
	for a := range s.children(args) {
		switch s.kind(a) {
		case pyparse.KeywordArgument:
			name := s.field(a, pyparse.FieldName)
			if s.code(name) == "f" {
				edits = append(edits, Edit{Span{s.span(name).Start, s.span(s.field(a, pyparse.FieldValue)).Start}, ""})
			} else if !slices.Contains(stLoadKeywords, s.code(name)) {
				return Fix{}, false
			}
			if i == 0 && s.code(name) != "f" {
				return Fix{}, false // the file is not first: leave the order to its author
			}
		case pyparse.ListSplat, pyparse.DictionarySplat:
			return Fix{}, false
		default:
			if i > 1 {
				return Fix{}, false
			}
			if i == 1 {
				at := s.span(a).Start
				edits = append(edits, Edit{Span{at, at}, "map_location="})
			}
		}
		i++
	}
	name, imports, ok := c.l.importing("secure_torch", "st", c.n)
	if !ok || i == 0 {
		return Fix{}, false
	}
	edits = append(imports, append([]Edit{{s.span(s.field(c.n, pyparse.FieldFunction)), name + ".load"}}, edits...)...)
	return Fix{Title: "Load with " + name + ".load, which runs no code from the file", Edits: edits}, true
}

// importing finds the name that module goes by where use stands, or makes the edit that imports it as
// alias (under its own name, if alias is taken).
func (l *linker) importing(module, alias string, use node) (string, []Edit, bool) {
	s := l.s
	for _, i := range l.bindings().imports {
		b := &s.binds[i]
		if b.dotted != module || s.inBranch(b.at) {
			continue
		}
		name := s.code(b.at)
		if reach, in := s.reaching(name, use, s.scope[use]); len(reach) == 1 && in == 0 && &s.binds[reach[0]] == b {
			return strings.Clone(name), nil, true
		}
	}
	statement := "import " + module + " as " + alias
	if l.bindings().names[alias] || l.mentions(alias) {
		if l.bindings().names[module] {
			return "", nil, false
		}
		alias, statement = module, "import "+module
	}
	at, before, after, ok := s.importPlace(use)
	if !ok {
		return "", nil, false
	}
	return alias, []Edit{{Span{at, at}, before + statement + after}}, true
}

// mentions says whether a source uses a name: one that it does not bind may come from a star import.
func (l *linker) mentions(name string) bool {
	b, s := l.bindings(), l.s
	found, ok := b.mentioned[name]
	for i := 0; !ok && !found && i < len(s.tree.Nodes); i++ {
		n := s.tree.Nodes[i]
		found = n.Kind == pyparse.Identifier && n.Field != pyparse.FieldAttribute && s.code(node(i)) == name
	}
	b.mentioned[name] = found
	return found
}

func (s *Summary) inBranch(n node) bool {
	for p := n; p >= 0; p = s.parent[p] {
		if s.conditional(p) {
			return true
		}
	}
	return false
}

// bindings is what a file binds, for the fixes that add an import.
type bindings struct {
	imports   []int32         // at the top of the file
	names     map[string]bool // anywhere
	mentioned map[string]bool // of the names that were looked for: whether the file uses them
}

func (l *linker) bindings() *bindings {
	if l.bound != nil {
		return l.bound
	}
	s := l.s
	l.bound = &bindings{names: map[string]bool{}, mentioned: map[string]bool{}}
	for i := range s.binds {
		b := &s.binds[i]
		l.bound.names[s.code(b.at)] = true
		if b.kind == bindImport && s.scope[b.at] == 0 {
			l.bound.imports = append(l.bound.imports, int32(i))
		}
	}
	return l.bound
}

// importPlace is where a new import goes: behind the first run of imports at the top of the file,
// else behind its docstring, else before its first statement.
func (s *Summary) importPlace(use node) (at int, before, after string, ok bool) {
	nl := s.newline()
	first, last := s.imported()
	useAt := s.span(use).Start
	if last >= 0 {
		end := s.lineEnd(s.span(last).End)
		if end <= useAt && s.aloneOnLine(last) {
			if end == len(s.src) && !bytes.HasSuffix(s.src, []byte("\n")) && !bytes.HasSuffix(s.src, []byte("\r")) {
				return end, nl, "", true
			}
			return end, "", nl, true
		}
		if s.kind(first) == pyparse.FutureImportStatement || s.docstring(first) {
			return 0, "", "", false
		}
	}
	if first < 0 {
		return 0, "", "", false
	}
	start := s.span(first).Start
	if line := bytes.LastIndexAny(s.src[:start], "\r\n") + 1; len(bytes.TrimSpace(s.src[line:start])) == 0 {
		start = line
	}
	return start, "", nl, start <= useAt
}

// imported are the first statement of a source, and the last of the docstring and the imports that it begins
// with; none where it begins with neither.
func (s *Summary) imported() (first, last node) {
	first, last = none, none
	for st := range s.children(0) {
		k := s.kind(st)
		isImport := k == pyparse.ImportStatement || k == pyparse.ImportFromStatement || k == pyparse.FutureImportStatement
		if !isImport && (first >= 0 || !s.docstring(st)) {
			if first < 0 {
				first = st
			}
			return first, last
		}
		if first < 0 {
			first = st
		}
		last = st
	}
	return first, last
}

// docstring says whether a statement is nothing but a string, in brackets or in parts too.
func (s *Summary) docstring(st node) bool {
	if s.kind(st) != pyparse.ExpressionStatement {
		return false
	}
	value := s.child(st, 0)
	for range 8 {
		if s.kind(value) != pyparse.ParenthesizedExpression {
			break
		}
		value = s.child(value, 0)
	}
	return s.kind(value) == pyparse.String || s.kind(value) == pyparse.ConcatenatedString
}

// aloneOnLine says whether nothing but a comment follows a statement on its last line.
func (s *Summary) aloneOnLine(st node) bool {
	end := s.span(st).End
	rest := bytes.TrimSpace(s.src[end:s.lineEnd(end)])
	return len(rest) == 0 || rest[0] == '#'
}

// lineEnd is the offset behind the line break that ends the line of at.
func (s *Summary) lineEnd(at int) int {
	i := bytes.IndexAny(s.src[at:], "\r\n")
	switch {
	case i < 0:
		return len(s.src)
	case bytes.HasPrefix(s.src[at+i:], []byte("\r\n")):
		return at + i + 2
	}
	return at + i + 1
}

func (s *Summary) newline() string {
	i := bytes.IndexAny(s.src, "\r\n")
	switch {
	case i < 0 || s.src[i] == '\n':
		return "\n"
	case bytes.HasPrefix(s.src[i:], []byte("\r\n")):
		return "\r\n"
	}
	return "\r"
}

// fixAddKeyword adds an argument to the call, or changes the one of that name.
func (c *Call) fixAddKeyword(name, value string, safe bool) (Fix, bool) {
	s := c.s
	fix := Fix{Title: "Add " + name + "=" + value, Safe: safe}
	args := s.field(c.n, pyparse.FieldArguments)
	if s.broken(c.n) || s.kind(args) != pyparse.ArgumentList {
		return fix, false
	}
	if v := c.Keyword(name); v >= 0 {
		fix.Title = "Set " + name + "=" + value
		fix.Edits = []Edit{{s.span(v), value}}
		return fix, true
	}
	last := none
	for a := range s.children(args) {
		last = a
	}
	if last < 0 {
		at := s.span(args).End - 1
		fix.Edits = []Edit{{Span{at, at}, name + "=" + value}}
		return fix, true
	}
	sep := ", "
	if indent, alone := s.startsLine(last); alone {
		sep = "," + s.newline() + indent
	}
	end := s.span(last).End
	fix.Edits = []Edit{{Span{end, end}, sep + name + "=" + value}}
	return fix, true
}

// startsLine says whether only white space stands before n on its line, and which.
func (s *Summary) startsLine(n node) (string, bool) {
	start := s.span(n).Start
	indent := string(s.src[bytes.LastIndexAny(s.src[:start], "\r\n")+1 : start])
	return indent, strings.TrimSpace(indent) == ""
}

// Apply makes edits, which must be in order and apart, in a copy of src.
func Apply(src []byte, edits []Edit) []byte {
	var out []byte
	at := 0
	for _, e := range edits {
		if e.Span.Start < at || e.Span.End > len(src) || e.Span.End < e.Span.Start {
			return bytes.Clone(src)
		}
		out = append(append(out, src[at:e.Span.Start]...), e.New...)
		at = e.Span.End
	}
	return append(out, src[at:]...)
}
