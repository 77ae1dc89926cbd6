package pickle

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/internal/rule"
)

//go:embed traced.txt
var tracedText string

// tracedNames are the dotted names that a traced program may use.
var tracedNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for line := range strings.Lines(tracedText) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		for _, w := range words[1:] {
			names[words[0]+"."+w] = true
		}
	}
	return names
})

// Bounds of what is judged; beyond them a program is executed text like any.
const (
	maxTraced       = 1 << 20 // bytes of a program
	maxTracedTokens = 1000    // of a line: some looks go along it
	maxPrograms     = 16      // in one stream
)

// traced judges torch.fx's reduce_graph_module(body, imports): it executes the text of imports and body["_code"],
// and then runs the function that this defines with stand-ins for tensors. It tells whether that text is what a
// trace makes: names of the known functions, assignments and calls. Any other is executed code like any.
// Source: torch/fx/graph_module.py (1.13, 2.6).
func (m *machine) traced(id int, g *global) bool {
	if g.module != "torch.fx.graph_module" || g.name != "reduce_graph_module" || m.programs >= maxPrograms || !m.torchOnly() {
		return false
	}
	m.programs++
	vs, all := m.args(id)
	if !all || len(vs) != 2 || vs[0].kind() != kDict {
		return false
	}
	imports, ok := m.text(vs[1], maxTraced)
	if !ok || !m.plainBody(vs[0], imports) {
		return false
	}
	m.accuse(rule.PickleTracedProgram, m.calls[id].off, g.String(), "would execute the text of a program that torch.fx traced, and run it with stand-ins for tensors: it uses torch's functions only")
	return true
}

// plainBody looks at what of a GraphModule's attributes decides what is executed, and by which class.
func (m *machine) plainBody(v value, imports string) bool {
	body, all := m.elements(v)
	if !all || len(body)%2 != 0 {
		return false
	}
	programs := 0
	for i := 0; i < len(body); i += 2 {
		key, ok := m.text(body[i], maxName)
		switch v := body[i+1]; key {
		case "_code", "code":
			var code string
			code, ok = m.text(v, maxTraced)
			ok = ok && plainProgram(m.load, imports+code)
			programs++
		case "_tracer_cls":
			ok = ok && m.plainTracer(v)
		case "_tracer_extras":
			items, all := m.elements(v)
			ok = ok && (v.kind() == kNone || v.kind() == kDict && all && len(items) == 0)
		}
		if !ok {
			return false
		}
	}
	return programs > 0
}

// torchOnly: nothing that the stream made so far is of a library whose objects' methods reach files or hosts, as a
// path's do: the program may call any method of what it finds in itself.
func (m *machine) torchOnly() bool {
	for i := range m.globals {
		switch g := &m.globals[i]; root(g.module) {
		case "torch", "torchvision", "timm", "collections", "builtins", "__builtin__", "numpy", "operator", "_operator", "math", "_codecs":
		default:
			return false
		}
	}
	return true
}

// plainTracer: the class by which the program is run is torch's own.
func (m *machine) plainTracer(v value) bool {
	if v.kind() == kNone {
		return true
	}
	g := m.asGlobal(v)
	if g == nil || g.module != "torch.fx._symbolic_trace" || g.name != "Tracer" {
		return false
	}
	g.reported = true
	return true
}

// program is a traced program's text while it is judged.
type program struct {
	load    *tables
	tokens  []token
	imports map[string]string // local name -> dotted path
	values  map[string]bool   // arguments and what was assigned
}

// plainProgram tells whether a text only imports known modules and names, and defines one function of assignments
// and calls of known functions, of the model's own parts and of tensors' methods.
func plainProgram(load *tables, text string) bool {
	tokens, ok := lex(text)
	p := &program{load: load, imports: map[string]string{}, values: map[string]bool{"self": true}}
	for ok && len(tokens) > 0 {
		end := 0
		for !tokens[end].is(endOfLine) {
			end++
		}
		p.tokens = tokens[:end+1]
		ok = end <= maxTracedTokens && p.line()
		tokens = tokens[end+1:]
	}
	return ok
}

func (p *program) line() bool {
	words := make([]string, len(p.tokens)-1)
	for i := range words {
		words[i] = p.tokens[i].text
	}
	switch text := strings.Join(words, " "); {
	case words[0] == "import" || words[0] == "from":
		return !p.tokens[0].indented && p.imported(strings.ReplaceAll(text, " . ", "."))
	case text == "NoneType = type ( None )":
		p.values["NoneType"] = true
		return true
	case words[0] == "def":
		return !p.tokens[0].indented && p.header()
	case !p.tokens[0].indented: // wrap("name") tells the tracer of a function; nothing else stands outside
		name := strings.TrimSuffix(strings.ReplaceAll(strings.Join(words[:max(len(words)-3, 0)], ""), " ", ""), "(")
		root, rest, _ := strings.Cut(name, ".")
		full := strings.TrimSuffix(p.imports[root]+"."+rest, ".")
		return len(words) >= 4 && (full == "torch.fx.wrap" || full == "torch.fx._symbolic_trace.wrap") && p.statement()
	}
	return p.statement()
}

// libraries are modules that a program may import as a whole; what it uses of them is looked up.
var libraries = map[string]bool{"torch": true, "operator": true, "_operator": true, "math": true, "builtins": true, "typing": true}

// imported takes "import a.b as c" and "from a.b import c as d".
func (p *program) imported(text string) bool {
	words := strings.Fields(text)
	alias := words[len(words)-1]
	if n := len(words); n >= 4 && words[n-2] == "as" {
		words = words[:n-2]
	}
	switch {
	case len(words) == 2 && words[0] == "import" && libraries[root(words[1])]:
		if alias == words[1] { // the name of the package is bound
			alias = root(alias)
			words[1] = alias
		}
		return p.bind(alias, words[1])
	case len(words) == 4 && words[2] == "import" && knownTraced(words[1]+"."+words[3]):
		return p.bind(alias, words[1]+"."+words[3])
	}
	return false
}

// bind takes an import that stands before the function and gives a name no second meaning.
func (p *program) bind(alias, path string) bool {
	was, known := p.imports[alias]
	p.imports[alias] = path
	return !p.values["return"] && !p.values[alias] && (!known || was == path)
}

// header takes the line of def: its arguments are values, its annotations and defaults are looked at as any text.
func (p *program) header() bool {
	if len(p.tokens) < 4 || !p.tokens[1].isName() || p.values["return"] {
		return false
	}
	p.values["return"] = true // one function
	for i := 3; i < len(p.tokens); i++ {
		before := p.tokens[i-1]
		if p.tokens[i].isName() && (before.is("(") || before.is(",") || before.is("*")) && !p.assign(p.tokens[i].text) {
			return false
		}
	}
	p.tokens = p.tokens[2:]
	return p.statement()
}

// words that a generated statement may have besides names.
var tracedWords = map[string]bool{"return": true, "None": true, "True": true, "False": true, "not": true, "and": true, "or": true, "is": true, "in": true, "if": true, "else": true, "pass": true, "Ellipsis": true}

// statement looks at every name on a line.
func (p *program) statement() bool {
	for i := 0; i < len(p.tokens); {
		t := p.tokens[i]
		switch {
		case t.isString() && strings.Contains(t.text, "__"):
			return false
		case !t.isName() || tracedWords[t.text]:
			i++
			continue
		}
		end := i + 1
		for end+1 < len(p.tokens) && p.tokens[end].is(".") && p.tokens[end+1].isName() {
			end += 2
		}
		if !p.chain(i, end) {
			return false
		}
		i = end
	}
	return true
}

// chain judges a.b.c, tokens i to end.
func (p *program) chain(i, end int) bool {
	var parts []string
	for ; i < end; i += 2 {
		parts = append(parts, p.tokens[i].text)
	}
	at := end - 2*len(parts) + 1
	if at > 0 && p.tokens[at-1].is(".") { // of what a call or an index gave
		return p.members(parts)
	}
	if p.tokens[end].is("=") && !p.tokens[end+1].is("=") {
		if named := p.depth(end) > 0; !named {
			return len(parts) == 1 && p.assign(parts[0]) // an attribute would be changed for everybody
		} else if len(parts) == 1 {
			return p.members(parts) // the name of an argument
		}
	}
	return p.use(parts, end)
}

// use judges a name that is no definition, and ends before token end.
func (p *program) use(parts []string, end int) bool {
	path, imported := p.imports[parts[0]]
	switch {
	case imported:
		full := strings.Join(append([]string{path}, parts[1:]...), ".")
		return knownTraced(full) && (full != "builtins.getattr" || p.constantAttribute(end))
	case p.values[parts[0]]:
		return p.members(parts[1:])
	case len(parts) == 1 && tracedNames()["builtins."+parts[0]]:
		return parts[0] != "getattr" || p.constantAttribute(end)
	}
	return false
}

// assign makes a name a value. Names of imports and of builtins keep their meaning, as the generator's do.
func (p *program) assign(name string) bool {
	p.values[name] = true
	return p.imports[name] == "" && !tracedNames()["builtins."+name] && !tracedWords[name] && p.members([]string{name})
}

// depth of parentheses at token i.
func (p *program) depth(i int) (depth int) {
	for _, t := range p.tokens[:i] {
		switch t.text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			depth--
		}
	}
	return depth
}

// changing are methods of modules, tensors and compiled parts that write files, or take functions apart.
var changing = words(`save save_to_buffer _save_for_lite_interpreter _save_to_buffer_for_lite_interpreter save_for_lite_interpreter to_folder tofile dump dumps _write_file _set_from_file
	from_file from_buffer numpy print_readable compile recompile apply map_ apply_ load load_state_dict format format_map`)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

// members are attributes of a value, by whatever way it was come by.
func (p *program) members(names []string) bool {
	for _, n := range names {
		if strings.HasPrefix(n, "__") || introspective[n] || changing[n] || p.load.leaf(n) {
			return false
		}
	}
	return true
}

// constantAttribute: getattr(…, "name"), whose last argument is one string, at the parenthesis after token end-1.
func (p *program) constantAttribute(end int) bool {
	if !p.tokens[end].is("(") {
		return false // handed on, to be called with whatever
	}
	for i, depth := end, 0; i < len(p.tokens); i++ {
		switch p.tokens[i].text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth--; depth == 0 {
				name := p.tokens[i-1]
				return name.isString() && p.tokens[i-2].is(",") && p.members(strings.Split(strings.Trim(name.text, `'"`), "."))
			}
		}
	}
	return false
}

// knownTraced tells whether a dotted name reaches nothing but tensors.
func knownTraced(full string) bool {
	full = strings.Replace(full, "torch._VF.", "torch.", 1)
	if tracedNames()[full] || libraries[full] {
		return tracedNames()[full]
	}
	module, name := full, ""
	if i := strings.LastIndexByte(full, '.'); i >= 0 {
		module, name = full[:i], full[i+1:]
	}
	switch module {
	case "torch._C._nn", "torch._C._fft", "torch._C._linalg", "torch._C._special", "torch._C._sparse", "torch._C._nested":
		return !strings.HasPrefix(name, "__") // modules of functions alone
	}
	rest, ok := strings.CutPrefix(full, "torch.ops.aten.")
	parts := strings.Split(rest, ".")
	return ok && len(parts) <= 2 && !strings.Contains(rest, "__") && !strings.Contains(parts[0], "file") && parts[0] != "save" && parts[0] != "load"
}
