package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// call evaluates what a call returns: a path function, a method of a string or a path, a download, a
// function of the workspace.
func (e *evaluator) call(fr *frame, n node) value {
	s := fr.s
	callee := s.field(n, pyparse.FieldFunction)
	names := s.names(callee)
	for _, name := range names {
		if f := pathFunction(name); f != nil {
			return f(e, fr, n)
		}
	}
	last := s.lastName(callee)
	if f := downloadFunction(last); f != nil {
		return f(e, fr, n)
	}
	if s.kind(callee) == pyparse.Attribute {
		if f := pathMethod(last); f != nil {
			return f(e, fr, n, s.field(callee, pyparse.FieldObject))
		}
	}
	if v, ok := e.returned(fr, n, callee); ok {
		return v
	}
	if places, why, ok := e.through(fr, n); ok {
		return e.valueOf(places, why)
	}
	if strings.HasPrefix(last, "from_") {
		return unknown("it is the object that `" + snippet(s.code(callee)) + "(…)` makes, and no file")
	}
	return unknown("the result of `" + snippet(s.code(callee)) + "(…)` is not known")
}

type callFunc func(e *evaluator, fr *frame, n node) value

// pathFunction finds the functions, by qualified name, whose result follows from their arguments.
func pathFunction(name string) callFunc {
	switch name {
	case "os.path.join", "posixpath.join", "ntpath.join", "batchgenerators.utilities.file_and_folder_operations.join":
		return joinArgs
	case "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath", "pathlib.WindowsPath", "upath.UPath":
		return joinArgs
	case "str", "os.fspath", "os.path.abspath", "os.path.realpath", "os.path.normpath", "os.path.expanduser", "os.path.expandvars",
		"os.path.normcase", "typer.Option", "typer.Argument", "io.BytesIO", "BytesIO", "io.BufferedReader", "typing.cast", "tqdm.tqdm",
		"hydra.utils.to_absolute_path", "hydra.utils.get_original_cwd":
		return firstArg
	case "io.open", "open", "gzip.open", "bz2.open", "lzma.open", "zstandard.open", "smart_open.open", "fsspec.open", "urllib.request.urlopen", "requests.get",
		"xopen.xopen", "builtins.open":
		return func(e *evaluator, fr *frame, n node) value { return firstArg(e, fr, n).contents() }
	case "os.path.dirname":
		return func(e *evaluator, fr *frame, n node) value { return firstArg(e, fr, n).each(dirname) }
	case "os.path.basename":
		return func(e *evaluator, fr *frame, n node) value { return firstArg(e, fr, n).each(basename) }
	case "os.environ.get", "os.getenv", "os.environ.setdefault", "os.environ.pop":
		return environment
	case "tempfile.mkdtemp", "tempfile.mkstemp", "tempfile.gettempdir", "tempfile.TemporaryDirectory", "tempfile.NamedTemporaryFile", "tempfile.TemporaryFile":
		return func(*evaluator, *frame, node) value {
			return unknown("it is a temporary file or folder of the program's own")
		}
	case "os.getcwd", "pathlib.Path.cwd", "Path.cwd":
		return func(*evaluator, *frame, node) value { return text(".") }
	case "pathlib.Path.home":
		return func(*evaluator, *frame, node) value { return text("~") }
	case "glob.glob", "glob.iglob":
		return globbed
	}
	return nil
}

// joinArgs is os.path.join and Path: the parts one after the other.
func joinArgs(e *evaluator, fr *frame, n node) value {
	out := value{alts: []alt{{kind: ref.Path, sure: ref.Exact}}}
	any := false
	for c := range fr.s.children(fr.s.field(n, pyparse.FieldArguments)) {
		switch fr.s.kind(c) {
		case pyparse.KeywordArgument, pyparse.DictionarySplat:
			continue
		case pyparse.ListSplat:
			out = join(out, unknown("`"+snippet(fr.s.code(c))+"` is not known"))
		default:
			v := e.eval(fr, c)
			if v.why == "" && len(v.alts) == 0 {
				v.why = "`" + snippet(fr.s.code(c)) + "` is not known"
			}
			out = join(out, v)
		}
		any = true
	}
	if !any {
		return text(".")
	}
	return out
}

// firstArg passes its first argument on.
func firstArg(e *evaluator, fr *frame, n node) value {
	s := fr.s
	callee := s.code(s.field(n, pyparse.FieldFunction))
	arg := s.positional(n, 0)
	if strings.HasSuffix(callee, "cast") {
		arg = s.positional(n, 1)
	}
	for _, k := range []string{"file", "url", "default", "name", "filename", "urlpath"} {
		if arg < 0 {
			arg = s.keyword(n, k)
		}
	}
	if arg < 0 {
		return unknown("`" + snippet(s.code(n)) + "` names no file")
	}
	v := e.eval(fr, arg)
	if strings.HasSuffix(callee, "BytesIO") && len(v.alts) == 0 {
		return unknown("it is read from memory")
	}
	return v
}

// environment is a variable's default.
func environment(e *evaluator, fr *frame, n node) value {
	def := fr.s.positional(n, 1)
	if def < 0 {
		def = fr.s.keyword(n, "default")
	}
	name := snippet(fr.s.code(fr.s.positional(n, 0)))
	why := "it is the environment variable " + name
	if def < 0 {
		return unknown(why)
	}
	v := e.eval(fr, def).atMost(ref.Default)
	if v.why == "" {
		v.why = why + " where that is set"
	}
	return v
}

// globbed is a pattern: what it matches is found later.
func globbed(e *evaluator, fr *frame, n node) value {
	v := firstArg(e, fr, n)
	return v.each(starsToHoles).atMost(ref.Guess)
}

func starsToHoles(p string) string {
	return strings.NewReplacer("**/", hole+"/", "*", hole, "?", hole).Replace(p)
}

type methodFunc func(e *evaluator, fr *frame, n, object node) value

// pathMethod finds the methods of strings and paths whose result follows from the object.
func pathMethod(name string) methodFunc {
	switch name {
	case "joinpath":
		return func(e *evaluator, fr *frame, n, object node) value {
			return join(e.eval(fr, object), joinArgs(e, fr, n))
		}
	case "resolve", "absolute", "expanduser", "as_posix", "strip", "encode", "__str__", "__fspath__":
		return func(e *evaluator, fr *frame, _, object node) value { return e.eval(fr, object) }
	case "open", "read", "read_bytes", "read_text":
		return func(e *evaluator, fr *frame, _, object node) value { return e.eval(fr, object).contents() }
	case "rstrip", "removesuffix", "lstrip", "removeprefix", "replace":
		return stringMethod
	case "lower", "casefold":
		return func(e *evaluator, fr *frame, _, object node) value { return e.eval(fr, object).each(strings.ToLower) }
	case "with_suffix":
		return withPart(func(p, part string) string { stem, _ := splitExt(p); return stem + part })
	case "with_name":
		return withPart(func(p, part string) string {
			dir, _ := splitPath(p)
			return strings.TrimPrefix(strings.TrimSuffix(dir, "/")+"/"+part, map[bool]string{true: "/"}[dir == ""])
		})
	case "format":
		return format
	case "join":
		return joined
	case "glob", "rglob":
		return func(e *evaluator, fr *frame, n, object node) value {
			return join(e.eval(fr, object), firstArg(e, fr, n).each(starsToHoles)).atMost(ref.Guess)
		}
	}
	return nil
}

// joined is separator.join([parts]).
func joined(e *evaluator, fr *frame, n, object node) value {
	s := fr.s
	list := s.positional(n, 0)
	lists, _ := e.places(fr, list)
	if list < 0 || len(lists) != 1 {
		return unknown("`" + snippet(s.code(n)) + "` is joined when it runs")
	}
	items, ok := e.items(lists[0])
	if !ok {
		return unknown("`" + snippet(s.code(n)) + "` is joined when it runs")
	}
	sep, out := e.eval(fr, object), text("")
	for i, it := range items {
		if i > 0 {
			out = concat(out, sep)
		}
		out = concat(out, e.eval(lists[0].fr, it))
	}
	return out
}

func withPart(f func(p, part string) string) methodFunc {
	return func(e *evaluator, fr *frame, n, object node) value {
		return cross(e.eval(fr, object), firstArg(e, fr, n).parts(), func(x, y alt) alt {
			if x.text == "" { // Python refuses it: there is another value
				x.text = hole
			}
			x.text = f(x.text, y.text)
			return x
		})
	}
}

// stringMethod is replace and the strip family, with literal arguments.
func stringMethod(e *evaluator, fr *frame, n, object node) value {
	s := fr.s
	v := e.eval(fr, object)
	a, ok := s.literal(s.positional(n, 0))
	b, ok2 := s.literal(s.positional(n, 1))
	switch s.lastName(s.field(n, pyparse.FieldFunction)) {
	case "replace":
		if ok && ok2 {
			return v.each(func(t string) string { return strings.ReplaceAll(t, a, b) })
		}
	case "rstrip":
		return v.each(func(t string) string { return strings.TrimRight(t, a+map[bool]string{false: " \t\n"}[ok]) })
	case "lstrip":
		return v.each(func(t string) string { return strings.TrimLeft(t, a+map[bool]string{false: " \t\n"}[ok]) })
	case "removesuffix":
		if ok {
			return v.each(func(t string) string { return strings.TrimSuffix(t, a) })
		}
	case "removeprefix":
		if ok {
			return v.each(func(t string) string { return strings.TrimPrefix(t, a) })
		}
	}
	return unknown("`" + snippet(s.code(n)) + "` is computed")
}

// format is str.format with plain {} {0} {name} fields.
func format(e *evaluator, fr *frame, n, object node) value {
	out := value{}
	for _, f := range e.eval(fr, object).parts().alts {
		out = out.or(e.formatted(fr, n, f))
	}
	return out
}

func (e *evaluator) formatted(fr *frame, n node, f alt) value {
	s := fr.s
	v, rest, next := value{alts: []alt{{kind: ref.Path, sure: f.sure}}}, strings.NewReplacer("{{", "\x02", "}}", "\x03").Replace(f.text), 0
	for {
		before, after, ok := strings.Cut(rest, "{")
		v = concat(v, value{alts: []alt{{kind: ref.Path, text: strings.NewReplacer("\x02", "{", "\x03", "}").Replace(before), sure: f.sure}}})
		field, tail, closed := strings.Cut(after, "}")
		if !ok || !closed {
			return v
		}
		var arg node
		switch {
		case field == "":
			arg = s.positional(n, next)
			next++
		case len(field) == 1 && field[0] >= '0' && field[0] <= '9':
			arg = s.positional(n, int(field[0]-'0'))
		default:
			arg = s.keyword(n, field)
		}
		if arg < 0 {
			v = concat(v, unknown("`{"+snippet(field)+"}` is formatted when it runs"))
		} else {
			v = concat(v, e.eval(fr, arg))
		}
		rest = tail
	}
}

// pathAttribute is .parent, .name, .stem, .suffix of a path, and .content of a response.
func (e *evaluator) pathAttribute(fr *frame, n node) (value, bool) {
	var f func(string) string
	switch fr.s.code(fr.s.field(n, pyparse.FieldAttribute)) { // isPathAttribute has the same
	case "parent":
		f = dirname
	case "name":
		f = basename
	case "stem":
		f = func(p string) string { stem, _ := splitExt(basename(p)); return stem }
	case "suffix":
		f = func(p string) string { _, ext := splitExt(p); return ext }
	case "content", "raw", "text":
		f = func(p string) string { return p }
	default:
		return value{}, false
	}
	v := e.eval(fr, fr.s.field(n, pyparse.FieldObject))
	return v.each(f), len(v.alts) > 0
}

func isPathAttribute(name string) bool {
	switch name {
	case "parent", "name", "stem", "suffix", "content", "raw", "text":
		return true
	}
	return false
}

// returned evaluates what a function of the workspace returns, with the arguments of this call.
func (e *evaluator) returned(fr *frame, n, callee node) (value, bool) {
	defs, _ := e.places(fr, callee)
	out, any := value{}, false
	for _, d := range defs {
		s := d.fr.s
		in, ok := s.opened[d.n]
		if !ok || !s.isFunction(d.n) {
			continue
		}
		fr := e.bound(d.fr, d.n, place{fr, n, ref.Exact})
		if s.kind(d.n) == pyparse.Lambda {
			out, any = out.or(e.eval(fr, s.field(d.n, pyparse.FieldBody)).atMost(d.sure)), true
			continue
		}
		for r := d.n; r < node(s.tree.Nodes[d.n].Next); r++ {
			if s.kind(r) != pyparse.ReturnStatement || s.scope[r] != in || s.child(r, 0) < 0 || !e.reached(fr, r) {
				continue
			}
			v := e.eval(fr, s.child(r, 0))
			if any {
				v = v.atMost(ref.Guess)
			}
			out = out.or(v.atMost(d.sure))
			any = true
		}
	}
	if len(out.alts) > 1 {
		out = out.atMost(ref.Guess)
	}
	return out, any
}
