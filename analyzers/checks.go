package analyzers

import (
	"slices"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// pyCheck looks at nodes of one kind for something that is wrong in itself, without being a load.
type pyCheck func(l *linker, n node) (Diagnostic, bool)

// pyChecks are the checks of each kind of node.
func pyChecks() [256][]pyCheck {
	return [256][]pyCheck{
		pyparse.Call:            {checkSafeGlobals, checkSwitches, checkTransport, checkEnvironmentCall},
		pyparse.Assignment:      {checkReplaced, checkEnvironment},
		pyparse.String:          {checkToken},
		pyparse.ClassDefinition: {checkUnpickler},
		pyparse.Identifier:      {checkReference},
		pyparse.Attribute:       {checkReference},
	}
}

func diagnostic(id rule.ID, s *Summary, n node, message string) (Diagnostic, bool) {
	return Diagnostic{Rule: id, Span: s.span(n), Message: message}, true
}

// gadgets are callables that let a checkpoint do anything, once torch's unpickler may call them.
var gadgets = []string{"getattr", "setattr", "eval", "exec", "compile", "__import__", "open", "input", "breakpoint", "globals", "vars", "os", "posix", "nt", "subprocess", "sys", "shutil",
	"importlib", "runpy", "code", "codeop", "pty", "socket", "ctypes", "pickle", "_pickle", "dill", "cloudpickle", "marshal", "types.FunctionType", "types.CodeType", "functools.partial",
	"functools.reduce", "operator.attrgetter", "operator.methodcaller", "operator.itemgetter", "operator.call", "torch.load", "torch.hub.load", "torch.jit.load", "webbrowser", "multiprocessing", "asyncio", "timeit",
	"cProfile", "pdb", "bdb", "pip", "venv", "zipimport", "pkgutil", "pydoc", "doctest", "tempfile", "pathlib.Path.write_bytes", "pathlib.Path.write_text", "urllib", "requests", "http", "ftplib", "smtplib"}

// gadget says whether a qualified name is one of them or lies below one.
func gadget(name string) bool {
	name = strings.TrimPrefix(name, "builtins.")
	return slices.ContainsFunc(gadgets, func(g string) bool { return name == g || strings.HasPrefix(name, g+".") })
}

// checkSafeGlobals finds gadgets on the list of what weights_only=True lets through.
func checkSafeGlobals(l *linker, n node) (Diagnostic, bool) {
	s := l.s
	callee := s.field(n, pyparse.FieldFunction)
	switch s.lastName(callee) {
	case "add_safe_globals", "safe_globals":
	default:
		return Diagnostic{}, false
	}
	list := s.positional(n, 0)
	if list < 0 {
		list = s.keyword(n, "safe_globals")
	}
	if list < 0 {
		return Diagnostic{}, false
	}
	for i := list; i < node(s.tree.Nodes[list].Next); i++ {
		if k := s.kind(i); k != pyparse.Identifier && k != pyparse.Attribute || s.kind(s.parent[i]) == pyparse.Attribute {
			continue
		}
		for _, name := range s.names(i) {
			if gadget(name) {
				return diagnostic(rule.SafeGlobalsGadget, s, i, "`"+s.code(i)+"` on torch's safe list lets a checkpoint run code in spite of weights_only=True")
			}
		}
	}
	return Diagnostic{}, false
}

// checkSwitches finds calls that switch unsafe deserialisation on.
func checkSwitches(l *linker, n node) (Diagnostic, bool) {
	s := l.s
	callee := s.field(n, pyparse.FieldFunction)
	switch {
	case s.lastName(callee) == "enable_unsafe_deserialization":
		return diagnostic(rule.UnsafeDeserializationEnabled, s, callee, "every Keras model that this process loads from here on may run code")
	case s.hasTrue(n, "allow_dangerous_deserialization"):
		return diagnostic(rule.UnsafeDeserializationEnabled, s, callee, "`"+snippet(s.code(callee))+"` with allow_dangerous_deserialization=True unpickles the file")
	}
	return Diagnostic{}, false
}

// hasTrue says whether a call has name=True.
func (s *Summary) hasTrue(call node, name string) bool {
	return s.kind(s.keyword(call, name)) == pyparse.True
}

// fetchers are the calls whose address is judged by checkTransport.
var fetchers = []string{"requests.get", "requests.request", "requests.Session().get", "urllib.request.urlretrieve", "urllib.request.urlopen", "httpx.get", "httpx.stream", "torch.hub.download_url_to_file",
	"torch.hub.load_state_dict_from_url", "torch.utils.model_zoo.load_url", "tensorflow.keras.utils.get_file", "keras.utils.get_file", "wget.download", "gdown.download"}

// lastOfFetchers are the last parts of their names.
var lastOfFetchers = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, name := range fetchers {
		out[lastPart(name)] = true
	}
	return out
})

// modelEndings are the endings of file names that make a download one of a model.
var modelEndings = []string{".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib", ".onnx", ".h5", ".hdf5", ".keras", ".safetensors", ".gguf", ".npz", ".npy", ".nemo", ".tflite", ".pb", ".mar", ".ot", ".tar", ".zip"}

// checkTransport finds models that are fetched over plain HTTP, or without looking at certificates.
func checkTransport(l *linker, n node) (Diagnostic, bool) {
	s := l.s
	callee := s.field(n, pyparse.FieldFunction)
	last := s.lastName(callee)
	if !lastOfFetchers()[last] && last != "load_file_from_url" {
		return Diagnostic{}, false
	}
	names := s.names(callee)
	if last != "load_file_from_url" && !slices.ContainsFunc(names, func(name string) bool { return slices.Contains(fetchers, name) }) {
		return Diagnostic{}, false
	}
	c := &Call{s: s, n: n, l: l}
	for _, a := range c.Eval(c.Arg(Arg{0, []string{"url", "origin"}})).alts {
		scheme, rest, ok := strings.Cut(a.text, "://")
		host, path, _ := strings.Cut(rest, "/")
		if !ok || !modelFile(path) {
			continue
		}
		if scheme == "http" && !loopback(host) {
			return diagnostic(rule.InsecureTransport, s, callee, "the model comes over http://"+snippet(host)+": anyone on the way can replace it")
		}
		if s.kind(s.keyword(n, "verify")) == pyparse.False {
			return diagnostic(rule.InsecureTransport, s, callee, "verify=False: the model's server is not checked, anyone on the way can replace it")
		}
	}
	return Diagnostic{}, false
}

func modelFile(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	_, ext := splitExt(strings.ToLower(path))
	return slices.Contains(modelEndings, ext)
}

func loopback(host string) bool {
	name, _, _ := strings.Cut(host, ":")
	return name == "localhost" || strings.HasPrefix(name, "127.") || host == "[::1]" || strings.HasPrefix(host, "[::1]:")
}

// checkToken finds access tokens of the hub in strings.
func checkToken(l *linker, n node) (Diagnostic, bool) {
	s := l.s
	at := s.tree.Nodes[n]
	text := s.text[at.Start:at.End]
	for _, prefix := range []string{"hf_", "api_org_"} {
		i := strings.Index(text, prefix)
		if i < 0 {
			continue
		}
		token := text[i+len(prefix):]
		if end := strings.IndexFunc(token, func(r rune) bool { return !alnum(r) }); end >= 0 {
			token = token[:end]
		}
		if len(token) >= 30 && len(token) <= 40 && randomLooking(token) {
			return diagnostic(rule.HubTokenInSource, s, n, "an access token of Hugging Face stands in the source: revoke it and read it from the environment")
		}
	}
	return Diagnostic{}, false
}

func alnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// randomLooking is false of placeholders: a token has both cases and many different characters.
func randomLooking(t string) bool {
	seen := map[rune]bool{}
	for _, r := range t {
		seen[r] = true
	}
	return len(seen) >= 12 && t != strings.ToLower(t) && t != strings.ToUpper(t)
}
