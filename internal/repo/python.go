package repo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// python is source that comes with a model. Whoever loads the model with trust_remote_code=True imports
// it, so that what stands outside of functions runs then. That much is read here: imports, calls at
// import level, and functions that are called there. It is no analysis of the program.
var python = &modelscan.Format{Name: "python", Inert: true, Scan: func(_ context.Context, p *modelscan.Pass) error {
	text, err := p.Bytes(0, p.Size, maxText)
	if err != nil {
		return err
	}
	m := readModule(string(text))
	loaded := imported().MatchString(strings.ToLower(p.Name))
	acts := m.atImport()
	for _, e := range acts {
		id := rule.PythonImportEffect
		if !loaded {
			id = rule.PythonScriptEffect
		}
		report(p, modelscan.Finding{Rule: id, Offset: int64(e.off), Subject: e.call, Message: fmt.Sprintf("line %d calls %s when the module is imported", e.line, e.call)})
	}
	if e, ok := m.later(); ok && loaded && len(acts) == 0 {
		report(p, modelscan.Finding{Rule: rule.PythonMethodEffect, Offset: int64(e.off), Subject: e.call, Message: fmt.Sprintf("line %d calls %s in a function of the model's code", e.line, e.call)})
	}
	return nil
}}

// readModule notes what a file does.
func readModule(text string) *module {
	m := &module{imports: map[string]string{}, does: map[string]effect{}, calls: map[string][]string{}}
	for _, l := range logicalLines(text) {
		m.line(l)
	}
	return m
}

// imported are names that loaders import: transformers' and diffusers' custom code, torch.hub, handlers of endpoints.
var imported = pattern.Lazy(`^(.*/)?((modeling|configuration|tokenization|processing|image_processing|feature_extraction|video_processing|generation|custom|pipeline)\w*|hubconf|handler|model|__init__|predict)\.py$`)

// effect is a call that reaches outside the process.
type effect struct {
	call      string
	off, line int
}

// module is what is known of a file so far.
type module struct {
	imports map[string]string   // local name -> dotted path
	stars   []string            // modules of which all names were imported
	does    map[string]effect   // by function, "" for import level: the first effect
	calls   map[string][]string // by function: local names it calls
	scopes  []scope
	found   []effect
}

// scope is an open block; def is the function's name, "" for other blocks.
type scope struct {
	indent int
	def    string
}

var (
	importLine = pattern.Lazy(`^import\s+(.+)$`)
	fromLine   = pattern.Lazy(`^from\s+([\w.]+)\s+import\s+\(?(.+?)\)?$`)
	asName     = pattern.Lazy(`^([\w.]+)(?:\s+as\s+(\w+))?$`)
	defLine    = pattern.Lazy(`^(?:async\s+)?def\s+(\w+)`)
	importCall = pattern.Lazy(`__import__\s*\(\s*["']([\w.]+)["']`)
	mainLine   = pattern.Lazy(`^if\s+__name__\s*==`)
	called     = pattern.Lazy(`([A-Za-z_]\w*(?:\s*\.\s*\w+)*)\s*\(`)
	dotted     = pattern.Lazy(`[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)+`)
	identifier = pattern.Lazy(`[A-Za-z_]\w*`)
	alias      = pattern.Lazy(`^([A-Za-z_]\w*)\s*(?::\s*[\w.]+\s*)?=\s*([A-Za-z_][\w.]*)$`)
	aliasOf    = pattern.Lazy(`^([A-Za-z_]\w*)\s*=\s*(?:__import__|(?:importlib\.)?import_module)\s*\(\s*["']([\w.]+)["']\s*\)$`)
	dynamic    = pattern.Lazy(`(?:__import__|import_module)\s*\(\s*["'](os|posix|subprocess|pty|socket|ctypes|builtins|urllib\.request)["']\s*\)\s*\.\s*(\w+)\s*\(|` +
		`getattr\s*\(\s*(?:os|subprocess|builtins|__builtins__)\s*,[^)]*\)\s*\(|` +
		// attributes of what is imported under whatever name, and modules and functions out of the interpreter's tables
		`getattr\s*\(\s*(?:__import__|(?:importlib\.)?import_module)\s*\(|` +
		`\bsys\.modules\s*\[\s*["'](?:os|posix|subprocess|pty|socket|ctypes|builtins|shutil)["']\s*\]|` +
		`\b(?:builtins\.__dict__|__builtins__(?:\.__dict__)?)\s*\[|\b(?:globals|locals|vars)\s*\(\s*\)\s*\[\s*["']__builtins__["']\s*\]|\bvars\s*\(\s*(?:os|subprocess|builtins|__builtins__)\s*\)`)
	// writes opens a file to change it.
	writes = pattern.Lazy(`(?:^|[^\w.])open\s*\([^()]*,\s*(?:mode\s*=\s*)?["'][rbt]*[wax+]`)
)

// actors are modules that nobody imports under a computed name but to act.
var actors = set(`os posix nt pty sys builtins importlib shutil socket ctypes pickle marshal dill cloudpickle runpy webbrowser pip code urllib requests httpx commands`)

// effects by dotted path; "*" takes every function of the module.
var effects = set(`os.system os.popen os.execl os.execle os.execlp os.execv os.execve os.execvp os.execvpe os.spawnl os.spawnv os.spawnlp os.spawnvp os.posix_spawn os.startfile os.fork os.remove os.unlink
	posix.system pty.spawn subprocess.* commands.getoutput shutil.rmtree builtins.exec builtins.eval builtins.__import__ exec eval __import__
	urllib.request.urlopen urllib.request.urlretrieve urllib.urlopen requests.get requests.post requests.put requests.request httpx.get httpx.post socket.socket socket.create_connection
	asyncio.create_subprocess_shell asyncio.create_subprocess_exec asyncio.subprocess.create_subprocess_shell asyncio.subprocess.create_subprocess_exec
	ctypes.CDLL ctypes.cdll.LoadLibrary pickle.loads pickle.load marshal.loads dill.loads cloudpickle.loads runpy.run_path runpy.run_module webbrowser.open pip.main torch.hub.load code.interact`)

func (m *module) line(l logical) {
	for len(m.scopes) > 0 && l.indent <= m.scopes[len(m.scopes)-1].indent {
		m.scopes = m.scopes[:len(m.scopes)-1]
	}
	l.code = strings.TrimPrefix(l.code, "@") // what a decorator names is called
	in := ""
	for _, s := range m.scopes {
		if s.def != "" {
			in = s.def
			break
		}
	}
	for statement := range strings.SplitSeq(l.code, ";") {
		m.statement(strings.TrimSpace(statement), in, l)
	}
}

func (m *module) statement(code, in string, l logical) {
	if m.imported(code) {
		return
	}
	if d := defLine().FindStringSubmatch(code); d != nil {
		m.scopes = append(m.scopes, scope{l.indent, d[1]})
		head, body, _ := strings.Cut(code, "):")
		if in == "" { // defaults are computed now
			for parameter := range strings.SplitSeq(head, ",") {
				if _, value, ok := strings.Cut(parameter, "="); ok {
					m.references(value, l)
				}
			}
			m.calling(strings.TrimPrefix(head, d[0]), "", l)
		}
		code, in = body, d[1]
	} else if mainLine().MatchString(code) {
		m.scopes = append(m.scopes, scope{l.indent, "__main__"})
		in = "__main__"
	}
	if i := strings.Index(code, "lambda"); i >= 0 {
		code = code[:i]
	}
	m.calling(code, in, l)
	if in == "" {
		m.references(code, l)
	}
	if c := dynamic().FindString(l.raw); c != "" {
		m.effect(in, effect{strings.TrimSuffix(c, "("), l.off, l.line})
	}
	if in == "" && writes().MatchString(l.raw) {
		m.effect(in, effect{"open for writing", l.off, l.line})
	}
}

// references at import level: what is handed on, as an argument, a default or a decorator, is there to be called.
func (m *module) references(code string, l logical) {
	if strings.HasPrefix(code, "except") {
		return
	}
	if code = withoutAnnotation(code); code == "" {
		return
	}
	if a := alias().FindStringSubmatch(code); a != nil {
		m.imports[a[1]] = m.full(a[2])
	}
	if a := aliasOf().FindStringSubmatch(l.raw); a != nil {
		m.imports[a[1]] = a[2]
	}
	for _, name := range dotted().FindAllString(code, -1) {
		if full := m.full(strings.Join(strings.Fields(name), "")); functions[full] {
			m.effect("", effect{full, l.off, l.line})
		}
	}
	for _, name := range identifier().FindAllString(code, -1) { // from os import system
		if full, ok := m.imports[name]; ok && functions[full] && strings.Contains(full, ".") {
			m.effect("", effect{full, l.off, l.line})
		}
	}
}

// withoutAnnotation is what a statement evaluates: the value behind an annotated name, the body of a block in one line.
func withoutAnnotation(code string) string {
	variable, rest, ok := strings.Cut(code, ":")
	if !ok || identifier().FindString(variable) != variable {
		return code
	}
	if _, value, ok := strings.Cut(rest, "="); ok {
		return variable + "=" + strings.TrimSpace(value)
	}
	if variable == "else" || variable == "try" || variable == "finally" {
		return rest
	}
	return ""
}

// full is the dotted path behind a name, as far as imports tell.
func (m *module) full(name string) string {
	root, rest, dotted := strings.Cut(name, ".")
	path, ok := m.imports[root]
	switch {
	case ok && dotted:
		return path + "." + rest
	case ok:
		return path
	}
	return name
}

// functions start processes or run code, so that a reference to one at import level, or a call of one anywhere in
// code that a loader imports, is worth a look.
var functions = set(`os.system os.popen os.execl os.execle os.execlp os.execv os.execve os.execvp os.execvpe os.spawnl os.spawnv os.spawnlp os.spawnvp os.posix_spawn os.startfile os.fork os.dup2 posix.system pty.spawn
	subprocess.run subprocess.call subprocess.Popen subprocess.check_call subprocess.check_output subprocess.getoutput subprocess.getstatusoutput commands.getoutput
	asyncio.create_subprocess_shell asyncio.create_subprocess_exec builtins.exec builtins.eval exec marshal.loads runpy.run_path runpy.run_module pip.main code.interact ctypes.CDLL shutil.rmtree`)

// later is an effect of a function that the import does not call: whoever makes or runs the model may.
func (m *module) later() (effect, bool) {
	for _, name := range slices.Sorted(maps.Keys(m.does)) {
		if e := m.does[name]; name != "__main__" && functions[e.call] {
			return e, true
		}
	}
	return effect{}, false
}

// calling notes every call in a piece of code.
func (m *module) calling(code, in string, l logical) {
	for _, c := range called().FindAllStringSubmatch(code, -1) {
		if c[1] == "__import__" && plainImport(l.raw) {
			continue
		}
		m.call(strings.Join(strings.Fields(c[1]), ""), in, l)
	}
}

// plainImport tells whether every __import__ of a line names a module that does nothing by itself.
func plainImport(raw string) bool {
	named := importCall().FindAllStringSubmatch(raw, -1)
	for _, n := range named {
		root, _, _ := strings.Cut(n[1], ".")
		if effects[root+".*"] || actors[root] {
			return false
		}
	}
	return len(named) > 0 && len(named) == strings.Count(raw, "__import__")
}

func (m *module) imported(code string) bool {
	if i := importLine().FindStringSubmatch(code); i != nil {
		for part := range strings.SplitSeq(i[1], ",") {
			if n := asName().FindStringSubmatch(strings.TrimSpace(part)); n != nil && n[2] != "" {
				m.imports[n[2]] = n[1]
			} else if n != nil {
				root, _, _ := strings.Cut(n[1], ".")
				m.imports[root] = root
			}
		}
		return true
	}
	f := fromLine().FindStringSubmatch(code)
	if f == nil {
		return false
	}
	if strings.TrimSpace(f[2]) == "*" {
		m.stars = append(m.stars, f[1])
	}
	for part := range strings.SplitSeq(f[2], ",") {
		if n := asName().FindStringSubmatch(strings.TrimSpace(part)); n != nil {
			local := n[1]
			if n[2] != "" {
				local = n[2]
			}
			m.imports[local] = f[1] + "." + n[1]
		}
	}
	return true
}

func (m *module) call(name, in string, l logical) {
	root, _, dotted := strings.Cut(name, ".")
	full := m.full(name)
	if _, ok := m.imports[root]; !ok && dotted {
		return // a method of something that is not a module
	}
	for _, star := range m.stars {
		if !dotted && effects[star+"."+name] {
			full = star + "." + name
		}
	}
	parent := full[:max(strings.LastIndexByte(full, '.'), 0)]
	if effects[full] || effects[parent+".*"] {
		m.effect(in, effect{full, l.off, l.line})
		return
	}
	m.calls[in] = append(m.calls[in], name)
}

func (m *module) effect(in string, e effect) {
	if in == "" {
		m.found = append(m.found, e)
	} else if _, known := m.does[in]; !known {
		m.does[in] = e
	}
}

// atImport returns what happens at import level, also through the module's own functions.
func (m *module) atImport() []effect {
	seen := map[string]bool{}
	todo := m.calls[""]
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[name] {
			continue
		}
		seen[name] = true
		if e, ok := m.does[name]; ok {
			m.found = append(m.found, e)
		}
		todo = append(todo, m.calls[name]...)
	}
	const most = 20
	return m.found[:min(len(m.found), most)]
}
