package analyzers

import (
	"slices"
	"sort"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// Workspace is what Link may ask about the files around the one it links. A nil Workspace knows nothing.
type Workspace interface {
	// Module finds a module by its dotted name as written in from ("pkg.mod", ".mod").
	Module(from *Summary, dotted string) (Module, bool)
	// Callers finds calls, in other files, of what from defines at its top (or, for a method, in a
	// class) under the given name.
	Callers(from *Summary, name string, method bool) []Site
	// Subclasses finds the classes, in other files, that derive from one that from defines at its top; a Site's Call is the
	// class there.
	Subclasses(from *Summary, class string) []Site
	// Targets finds the dictionaries in the workspace's YAML files that hold the arguments of a class that from defines at
	// its top (see Summary.Targets), the nearest first; a Site's Call is the dictionary.
	Targets(from *Summary, class string) []Site
	// Config finds a YAML or JSON file, as a dictionary in Python: beside the source that is linked, or where the
	// program or from may have it.
	Config(from *Summary, path string, beside bool) (Module, bool)
	// Compose is Config with what the file's Hydra defaults list names put into it.
	Compose(from *Summary, path string, beside bool) (Module, bool)
	// Settings finds the YAML files below the workspace's folders that have a value of that name at their top, a.b for b in
	// what a names there, the nearest first; none when there are too many to mean anything.
	Settings(from *Summary, key string) []Module
	// CommandLines finds what command lines, in the workspace's scripts and documents and in from itself, give to the options
	// of the program that from is: for each such file a dictionary from the options' names to lists of values. A Module's
	// Dir is that file, the nearest first.
	CommandLines(from *Summary) []Module
	// PassesOn says whether a file of the workspace may have a loader of a library under a name, for others to import.
	PassesOn(name string) bool
	// Version is what the project asks of a package's version.
	Version(pkg string) Constraint
}

// Module is another file of the workspace.
type Module struct {
	Summary *Summary
	Dir     string // its folder, as a path to be resolved
}

// Site is one call in another file.
type Site struct {
	Module
	Call int32 // one of Summary.Callees
}

// Callee is one call in a file and the qualified names that what it calls may have.
type Callee struct {
	Call  int32
	Names []string
}

// Callees are the calls of something whose name ends in the given part.
func (s *Summary) Callees(name string) []Callee {
	var out []Callee
	for _, c := range s.callsOf(name) {
		out = append(out, Callee{c, s.names(s.field(c, pyparse.FieldFunction))})
	}
	return out
}

// Options of Link.
type Options struct {
	Workspace Workspace
	// Sinks are functions of the user's own that load models, as in "mylib.load_checkpoint".
	Sinks []*Loader
}

// Link finds the calls that load models and what they load.
func Link(s *Summary, o Options) *Linked {
	l := &linker{s: s, o: o, index: builtin()}
	if len(o.Sinks) > 0 {
		l.index = indexed(append(allLoaders(), o.Sinks...))
	}
	l.aliases, l.unpicklers = l.namesOfLoaders(), s.unpicklerNames()
	out := &Linked{Calls: []LoadCall{}, Diagnostics: []Diagnostic{}}
	checks := pyChecks()
	for i, n := range s.tree.Nodes {
		if n.Kind == pyparse.Call {
			if c, ok := l.call(node(i)); ok {
				out.Calls = append(out.Calls, c)
			}
		}
		for _, check := range checks[n.Kind%256] {
			if d, ok := check(l, node(i)); ok {
				out.Diagnostics = append(out.Diagnostics, d)
			}
		}
	}
	sort.SliceStable(out.Calls, func(i, j int) bool { return out.Calls[i].Span.Start < out.Calls[j].Span.Start })
	return out
}

type linker struct {
	s     *Summary
	o     Options
	index index

	aliases    map[string]bool // names that loaders go by
	unpicklers map[string]bool // names of classes that derive from an Unpickler
	bound      *bindings       // once a fix has asked
}

// call decides whether the call at n loads something.
func (l *linker) call(n node) (LoadCall, bool) {
	s := l.s
	callee := s.field(n, pyparse.FieldFunction)
	loader, name := l.match(callee)
	if loader == nil {
		return LoadCall{}, false
	}
	c := &Call{s: s, n: n, fn: callee, name: name, l: l}
	c.part = c.partOf()
	c.arg = c.Arg(loader.Arg)
	if loader.When != nil && !loader.When(c) || loader.Takes == TakesBytes && c.copies() {
		return LoadCall{}, false
	}
	j := Judgement{}
	if loader.Judge != nil {
		j = loader.Judge(c)
	}
	refs, why := c.refs(loader)
	return LoadCall{Loader: loader.Func, Span: s.span(n), FuncSpan: s.span(callee), Rule: j.Rule, Message: j.Message, Guarded: j.Guarded, Refuses: loader.Refuses,
		Fixes: j.Fixes, Pin: j.Pin, Refs: refs, Why: why, Code: c.pipelineFiles(refs), Options: c.options(loader)}, true
}

// match finds the loader that a callee names, and the name it goes by.
func (l *linker) match(callee node) (*Loader, string) {
	if loader, name := l.matchName(callee); loader != nil {
		return loader, name
	}
	if loader := l.unpickler(callee); loader != nil {
		return loader, loader.Func
	}
	return nil, ""
}

func (l *linker) matchName(callee node) (*Loader, string) {
	s := l.s
	kind := s.kind(callee)
	if kind == pyparse.Subscript {
		if loader, name := l.matchEntry(callee); loader != nil {
			return loader, name
		}
	}
	last := s.lastName(callee)
	if last == "" && kind != pyparse.Call && kind != pyparse.ParenthesizedExpression && kind != pyparse.Subscript {
		return nil, ""
	}
	if kind == pyparse.Attribute && len(l.index[last]) == 0 && !l.passedOn(last) {
		return nil, ""
	}
	names := s.names(callee)
	if loader, name := l.matchNames(names, kind == pyparse.Attribute); loader != nil {
		return loader, name
	}
	if !l.passedOn(s.code(s.root(callee))) && !slices.ContainsFunc(names, func(name string) bool { return l.passedOn(lastPart(name)) }) {
		return nil, ""
	}
	return l.matchNames(l.elsewhereNames(names), false)
}

// passedOn says whether a file of the workspace may have a loader under a name for others to import.
func (l *linker) passedOn(name string) bool {
	return name != "" && l.o.Workspace != nil && l.o.Workspace.PassesOn(name)
}

// root is the name that an expression such as a.b.c begins with; none where it begins with no name.
func (s *Summary) root(n node) node {
	for s.kind(n) == pyparse.Attribute {
		n = s.field(n, pyparse.FieldObject)
	}
	if s.kind(n) != pyparse.Identifier {
		return none
	}
	return n
}

func (l *linker) matchNames(names []string, attribute bool) (*Loader, string) {
	for _, name := range names {
		for _, loader := range l.index[lastPart(strings.TrimSuffix(name, "@"))] {
			if loader.matches(name, attribute || isMethod(name)) {
				return loader, name
			}
		}
	}
	return nil, ""
}

// isMethod says whether a qualified name, load for what `load = AutoModel.from_pretrained` binds, is that of a class's method.
func isMethod(name string) bool {
	parts := strings.Split(name, ".")
	if len(parts) < 2 {
		return false
	}
	class := parts[len(parts)-2]
	return class == "?" || strings.HasSuffix(class, "()") || strings.HasSuffix(class, "@") || class != "" && class[0] >= 'A' && class[0] <= 'Z'
}

// matchEntry finds the loader that an entry of a dictionary of functions is: registry["name"].
func (l *linker) matchEntry(callee node) (*Loader, string) {
	for _, name := range l.s.names(l.s.field(callee, pyparse.FieldValue)) {
		name += "[]"
		for _, loader := range l.index[lastPart(name)] {
			if loader.matches(name, false) {
				return loader, name
			}
		}
	}
	return nil, ""
}

func (l *Loader) matches(name string, attribute bool) bool {
	last := lastPart(name)
	return name == l.Func || slices.Contains(l.Also, name) || attribute && l.Method != "" && last == l.Method || l.Suffix != "" && last == l.Suffix
}

// refs evaluates the argument that names what is loaded.
func (c *Call) refs(l *Loader) ([]ref.Ref, string) {
	if l.Takes == TakesNothing {
		return nil, "it does not name a file"
	}
	if l.Takes == TakesTimm {
		return c.timmRefs()
	}
	arg := c.arg
	if arg < 0 {
		if v := c.unpacked(l.Arg); len(v.alts) > 0 {
			return c.named(v, l.Takes)
		}
		if c.HasSplat() {
			return nil, "its arguments are unpacked from `" + snippet(c.splat()) + "`"
		}
		return nil, "no argument names a file"
	}
	if l.Fetches {
		arg = c.n
	}
	v := c.Eval(arg)
	out, why := c.named(v, l.Takes)
	if l.Takes == TakesGitHub {
		out = append(out, c.hubWeights()...)
	}
	if len(out) == 0 && why == "" {
		why = "`" + snippet(c.s.code(arg)) + "` cannot be told from the source"
	}
	return out, why
}

// named are the references that a value makes in the place of what a loader takes.
func (c *Call) named(v value, takes Takes) ([]ref.Ref, string) {
	revision := ""
	switch takes {
	case TakesGitHub:
		if source := c.Keyword("source"); source >= 0 && c.Eval(source).has("local") {
			takes = TakesFile
		}
	case TakesHub, TakesHubOrPath, TakesDataset, TakesMetric:
		revision = c.onlyText("revision")
	}
	out := []ref.Ref{}
	why := v.why
	for _, a := range v.alts {
		r, w := refOf(a, takes)
		if w != "" {
			if why == "" {
				why = w
			}
			continue
		}
		if r.Kind == ref.Hub && r.Revision == "" {
			r.Revision = revision
		}
		if site := c.site(); site != "" && r.Kind == ref.Hub && c.Bool(c.Keyword("from_hf_hub")) != Yes {
			r = ref.Ref{Kind: ref.URL, Value: site + r.Value, Sure: r.Sure}
		}
		if !slices.Contains(out, r) {
			r.Value, r.File, r.Revision = strings.Clone(r.Value), strings.Clone(r.File), strings.Clone(r.Revision)
			out = append(out, r)
		}
	}
	return out, why
}

// refOf makes a Ref of one alternative.
func refOf(a alt, takes Takes) (ref.Ref, string) {
	r := ref.Ref{Kind: a.kind, Value: a.text, File: a.file, Revision: a.revision, Type: a.repo, Sure: a.sure}
	if a.kind == ref.Hub {
		return hubRef(r)
	}
	if takes == TakesBytes && !a.read {
		return r, "it is read from memory"
	}
	if strings.HasPrefix(r.Value, fromSource) {
		r.RelativeToSource = true
		r.Value = strings.TrimPrefix(strings.TrimPrefix(r.Value, fromSource), "/")
	}
	if strings.Contains(r.Value, fromSource) || strings.Contains(r.Value, sourceFile+"/") {
		return r, "it is built of two absolute paths"
	}
	if scheme, _, ok := strings.Cut(r.Value, "://"); ok && !strings.ContainsAny(scheme, hole+"/") {
		if strings.Contains(r.Value, hole) {
			return r, "only a part of the URL is known"
		}
		r.Kind = ref.URL
		return r, ""
	}
	if strings.Contains(r.Value, hole) {
		return partOf(r, takes)
	}
	if r, why, ok := named(r, takes); ok {
		return r, why
	}
	if r.Value == "" && !r.RelativeToSource {
		return r, "it is the empty string"
	}
	r.Value = ref.Clean(r.Value)
	return r, ""
}

// partOf is a reference of which parts are not known.
func partOf(r ref.Ref, takes Takes) (ref.Ref, string) {
	switch takes {
	case TakesHub, TakesHubOrPath, TakesDataset:
		if isPartOfHubID(r.Value) {
			return r, "only a part of the repository's name is known"
		}
	}
	return globOf(r)
}

// named is a reference to what a loader knows by name: a repository, a format of its own.
func named(r ref.Ref, takes Takes) (ref.Ref, string, bool) {
	if r.RelativeToSource {
		return r, "", false
	}
	switch takes {
	case TakesHub, TakesHubOrPath, TakesDataset:
		if takes == TakesDataset && slices.Contains(packaged, r.Value) {
			return r, "it is a format that the library reads itself", true
		}
		if isHubID(r.Value) && (takes != TakesHubOrPath || !isFolder(r.Value)) {
			r.Kind = ref.Hub
			if takes == TakesDataset {
				r.Type = ref.Datasets
			}
			return r, "", true
		}
	case TakesMetric:
		return metricRef(r)
	case TakesPackage:
		if hubWord(r.Value) && !strings.ContainsAny(r.Value, ".-") {
			return r, "it is the name of an installed package", true
		}
	case TakesGitHub:
		return gitHubRef(r)
	}
	return r, "", false
}

// gitHubRef is a repository that torch.hub takes from GitHub.
func gitHubRef(r ref.Ref) (ref.Ref, string, bool) {
	repo, branch, pinned := strings.Cut(r.Value, ":")
	if !strings.Contains(repo, "/") || !isHubID(repo) {
		return r, "", false
	}
	r.Kind, r.Value = ref.URL, "https://github.com/"+repo
	if pinned {
		r.Value += "/tree/" + branch
	}
	return r, "", true
}

// metricRef is the space on the hub that evaluate.load takes a metric's script from.
func metricRef(r ref.Ref) (ref.Ref, string, bool) {
	if !isHubID(r.Value) || strings.HasSuffix(r.Value, ".py") {
		return r, "", false
	}
	if !strings.Contains(r.Value, "/") {
		r.Value = "evaluate-metric/" + r.Value
	}
	r.Kind, r.Type = ref.Hub, ref.Spaces
	return r, "", true
}

// isFolder says whether a text of two words is by its looks a folder on this machine, and not a repository: nobody is
// called "checkpoints" on the hub. A loader that takes both looks for the folder first anyway.
func isFolder(t string) bool {
	owner, name, ok := strings.Cut(t, "/")
	if !ok {
		return false
	}
	switch strings.ToLower(owner) {
	case "checkpoint", "checkpoints", "ckpt", "ckpts", "weights", "model", "models", "saved_model", "saved_models", "pretrained", "pretrained_model", "pretrained_models",
		"pretrained_weights", "output", "outputs", "out", "result", "results", "runs", "logs", "tmp", "data", "cache", ".", "..":
		return true
	}
	return isModelFile(name)
}

// isPartOfHubID says whether a text with holes is by its looks a repository's: its owner is known and is no folder's name.
func isPartOfHubID(t string) bool {
	owner, name, two := strings.Cut(t, "/")
	return two && hubWord(owner) && hubWord(strings.ReplaceAll(name, hole, "x")) && !isFolder(owner+"/"+strings.ReplaceAll(name, hole, "x"))
}

// packaged are the formats that datasets.load_dataset takes in place of a repository.
var packaged = []string{"csv", "json", "parquet", "arrow", "text", "pandas", "sql", "xml", "webdataset", "imagefolder", "audiofolder", "videofolder", "pdffolder", "cache", "spark", "generator"}

// hubRef is a file of a repository, whose name may have unknown parts.
func hubRef(r ref.Ref) (ref.Ref, string) {
	if strings.Contains(r.Value, hole) {
		return r, "only a part of the repository's name is known"
	}
	r.File = strings.ReplaceAll(r.File, hole, "*")
	return r, ""
}

// globOf makes a pattern of a path with unknown parts; it must have a known word in it.
func globOf(r ref.Ref) (ref.Ref, string) {
	if !telling(r.Value) {
		return r, "only a part of the path is known"
	}
	r.Kind = ref.Glob
	v := strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`).Replace(r.Value)
	if rest, ok := strings.CutPrefix(v, hole+"/"); ok {
		v = "**/" + rest
	}
	r.Value = ref.Clean(strings.ReplaceAll(v, hole, "*"))
	return r, ""
}

// telling says whether a path with holes still narrows the files down: a literal word of two letters
// or more in its base name besides the extension, or an extension and a literal folder.
func telling(p string) bool {
	stem, ext := splitExt(basename(p))
	if hasWord(basename(stem)) {
		return true
	}
	dir, _ := splitPath(p)
	return (ext != "" && !strings.Contains(ext, hole) && hasWord(dir)) || hasWord(basename(dir))
}

func hasWord(p string) bool {
	for _, part := range strings.FieldsFunc(p, func(r rune) bool { return r == 0 || r == '/' }) {
		if len(strings.Trim(part, "._-~ \x01")) >= 2 {
			return true
		}
	}
	return false
}
