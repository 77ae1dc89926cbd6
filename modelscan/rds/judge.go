package rds

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// maxSymbols bounds what references are read with: R numbers symbols and environments as they come.
const maxSymbols = 1 << 20

// remember keeps the name of the item that was numbered last; "" for one that is no symbol.
func (r *reader) remember(name string) {
	if len(r.symbolNames) < maxSymbols {
		r.symbolNames = append(r.symbolNames, name)
	}
}

// symbols gives a reference the name of its symbol.
func (r *reader) symbols(v value, n int64) value {
	if n >= 1 && n <= int64(len(r.symbolNames)) {
		if v.text = r.symbolNames[n-1]; v.text != "" {
			v.kind = symbol
		}
	}
	return v
}

// reaching are functions of R and its common packages that start programs, evaluate text, load native code, or reach
// files and hosts of the caller's choice. A function of a model has no business with them.
var reaching = map[string]bool{
	"system": true, "system2": true, "shell": true, "shell.exec": true, "pipe": true, "fifo": true, "socketConnection": true, "serverSocket": true,
	"download.file": true, "url": true, "source": true, "sys.source": true, "dyn.load": true, "library.dynam": true, "install.packages": true,
	"unlink": true, "file.remove": true, "file.rename": true, "file.copy": true, "file.append": true, "writeLines": true, "writeBin": true, "sink": true,
	"reg.finalizer": true, "addTaskCallback": true, "makeActiveBinding": true, "Sys.setenv": true, "Sys.chmod": true, "browseURL": true,
	"processx::run": true, "processx::process": true, "sys::exec_wait": true, "sys::exec_background": true, "callr::r": true, "callr::rscript": true,
	"reticulate::py_run_string": true, "reticulate::py_eval": true, "reticulate::source_python": true, "curl::curl_download": true, "curl::curl_fetch_memory": true,
	"httr::GET": true, "httr::POST": true, "Rcpp::sourceCpp": true, "Rcpp::cppFunction": true, "inline::cfunction": true, "V8::v8": true,
}

// byName are functions that call what a text names.
var byName = map[string]bool{"do.call": true, "get": true, "get0": true, "match.fun": true, "mget": true, "getFromNamespace": true, "getExportedValue": true, "Reduce": true, "lapply": true, "sapply": true, "Map": true}

// judgeCall tells of a call that reaches outside.
func (r *reader) judgeCall(off int64, parts []string, text string, lazy bool) {
	switch bad := reaches(function(parts[0]), parts[1:], text); {
	case bad && lazy:
		r.tell(rule.RPromise, off, text, "R would call %s when someone looks at the object", text)
	case bad:
		r.tell(rule.RCode, off, text, "a function or call in the file would call %s when it is called", text)
	}
}

// reaches judges a call by its function, and by its arguments where the function calls what they say.
func reaches(name string, arguments []string, text string) bool {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "base::"), "utils::")
	switch {
	case byName[name]:
		return slices.ContainsFunc(arguments, func(argument string) bool {
			if _, value, named := strings.Cut(argument, " = "); named {
				argument = value
			}
			return reaching[strings.Trim(argument, `"`)]
		})
	case name == "eval", name == "evalq", name == "eval.parent":
		return containsAny(text, "parse(", "str2lang(", "str2expression(")
	case name == ".Internal", name == ".External", name == ".External2":
		return containsAny(text, "system(", "dyn.load(")
	}
	return reaching[name]
}

func containsAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}

// function is the name of what is called: "base::system" for `::`(base, system).
func function(text string) string {
	for _, op := range [...]string{"::(", ":::("} {
		if inner, ok := strings.CutPrefix(text, op); ok {
			pkg, name, _ := strings.Cut(strings.TrimSuffix(inner, ")"), ", ")
			return strings.Trim(pkg, `"`) + "::" + strings.Trim(name, `"`)
		}
	}
	return strings.Trim(text, `"`)
}

// plainClasses of vectors that R itself makes anew out of what the file holds.
var plainClasses = map[string]bool{
	"compact_intseq": true, "compact_realseq": true, "deferred_string": true, "wrap_integer": true, "wrap_logical": true, "wrap_real": true,
	"wrap_complex": true, "wrap_raw": true, "wrap_string": true, "wrap_list": true,
}

// judgeClass tells of a vector that a class makes anew. info is "class package type".
func (r *reader) judgeClass(off int64, info string) {
	parts := strings.Fields(info)
	if len(parts) < 2 || parts[1] != "base" || !plainClasses[parts[0]] {
		r.tell(rule.RForeignVector, off, info, "the vector is made by the class %q while the file is read, out of a state in the file", info)
	}
}
