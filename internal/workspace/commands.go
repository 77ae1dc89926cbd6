package workspace

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// Bounds of the search for command lines: the files that are looked through, their bytes, each one's, and what is kept.
const (
	maxTexts       = 2000
	maxTextEntries = 20_000
	maxTextBytes   = 16 << 20
	maxCommands    = 4096
	maxOptions     = 256
	maxGiven       = 512 // bytes of a value
)

// command is one command line that runs a Python program.
type command struct {
	file    string   // the text that it stands in
	tail    []string // what is known of the program's path, the folders last but one and so on
	module  bool     // it is a module's name, which may be a package's too
	cd      string   // the folder that the text changed to before; empty for none
	options [][2]string
}

// CommandLines implements analyzers.Workspace.
func (v view) CommandLines(from *analyzers.Summary) []analyzers.Module {
	script := v.pathOf(from)
	if found, ok := v.given[script]; ok {
		return found
	}
	commands := v.commands()[stem(script)]
	if src := from.Source(); bytes.Contains(src, []byte(filepath.Base(script))) {
		own := strings.ReplaceAll(string(src), "\n#", "\n") // comments say how a program is run, too
		commands = slices.Concat(commandsOf(script, own, &shell{}), commands)
	}
	v.given[script] = v.linesFor(script, commands)
	return v.given[script]
}

// linesFor are the options that command lines give to the program at a path, a dictionary for each text that has some.
func (w *Workspace) linesFor(script string, commands []command) []analyzers.Module {
	if len(commands) == 0 {
		return nil
	}
	alike := w.alike(script)
	byFile := map[string]map[string][]string{}
	for _, c := range commands {
		if w.runs(c, alike) != script {
			continue
		}
		options := byFile[c.file]
		if options == nil {
			options = map[string][]string{}
			byFile[c.file] = options
		}
		for _, o := range c.options {
			if !slices.Contains(options[o[0]], o[1]) && len(options[o[0]]) < maxSites {
				options[o[0]] = append(options[o[0]], o[1])
			}
		}
	}
	files := slices.SortedFunc(maps.Keys(byFile), func(a, b string) int {
		return cmp.Or(common(b, script)-common(a, script), strings.Compare(a, b))
	})
	var out []analyzers.Module
	for _, file := range files[:min(len(files), maxSites)] {
		var b strings.Builder
		b.WriteByte('{')
		for _, name := range slices.Sorted(maps.Keys(byFile[file])) {
			b.WriteString(strconv.Quote(name) + ": [")
			for _, value := range byFile[file][name] {
				b.WriteString(strconv.Quote(value) + ", ")
			}
			b.WriteString("], ")
		}
		b.WriteByte('}')
		out = append(out, analyzers.Module{Summary: analyzers.Summarise([]byte(b.String()), w.Grammar()), Dir: filepath.ToSlash(file)})
	}
	return out
}

// stem is what a program's file is called, without its ending; for __main__.py what its package is.
func stem(script string) string {
	name := strings.TrimSuffix(filepath.Base(script), ".py")
	if name == "__main__" {
		return filepath.Base(filepath.Dir(script))
	}
	return name
}

// alike are the sources that have the name of the one at a path.
func (w *Workspace) alike(script string) []string {
	name := stem(script)
	w.mu.Lock()
	defer w.mu.Unlock()
	out := []string{script}
	for f := range w.files {
		if strings.Contains(f, name) && stem(f) == name && f != script {
			out = append(out, f)
		}
	}
	return out
}

// runs is the one of some files that a command line runs; empty where that is none, or could be several.
func (w *Workspace) runs(c command, files []string) string {
	var fit []string
	tail := filepath.Join(c.tail...)
	for _, f := range files {
		if c.names(f, tail) {
			fit = append(fit, f)
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0]
	case len(fit) == 0:
		return ""
	case slices.Contains(fit, c.file): // a source that says how it is run
		return c.file
	}
	for dir := filepath.Dir(c.file); ; dir = filepath.Dir(dir) {
		for _, base := range []string{filepath.Join(dir, c.cd), dir} {
			if i := slices.IndexFunc(fit, func(f string) bool { return c.is(f, filepath.Join(base, tail)) }); i >= 0 {
				return fit[i]
			}
		}
		if filepath.Dir(dir) == dir || slices.Contains(w.roots, dir) {
			return ""
		}
	}
}

// is says whether a file is what a command line calls by a whole path.
func (c command) is(file, whole string) bool {
	if !c.module {
		return file == whole
	}
	return file == whole+".py" || file == filepath.Join(whole, "__main__.py")
}

// names says whether a command line's words for the program end a file's path.
func (c command) names(file, tail string) bool {
	ends := func(end string) bool { return strings.HasSuffix(file, string(filepath.Separator)+end) }
	if c.module {
		return ends(tail+".py") || ends(filepath.Join(tail, "__main__.py"))
	}
	return ends(tail)
}

// listCommands finds the command lines that the workspace's scripts and documents have, by the stem of what they run.
func (w *Workspace) listCommands() map[string][]command {
	out := map[string][]command{}
	left, kept := maxTextBytes, 0
	l := lister{seen: map[string]bool{}, want: isText, left: maxTextEntries}
	for _, root := range w.roots {
		l.folder(root, 0, l.outer(root))
	}
	for _, file := range l.files[:min(len(l.files), maxTexts)] {
		text, err := w.read(file)
		if left -= len(text); left < 0 {
			break
		}
		if err != nil || len(text) > maxConfig {
			continue
		}
		for _, c := range commandsOf(file, string(text), dialect(file)) {
			if kept++; kept > maxCommands {
				return out
			}
			name := strings.TrimSuffix(c.tail[len(c.tail)-1], ".py")
			out[name] = append(out[name], c)
		}
	}
	return out
}

// isText says whether a file of that name may tell how programs are run.
func isText(name string) bool {
	lower := strings.ToLower(name)
	switch filepath.Ext(lower) {
	case ".sh", ".bash", ".zsh", ".ksh", ".slurm", ".sbatch", ".mk", ".yml", ".yaml", ".md", ".markdown", ".rst", ".dockerfile", ".just":
		return true
	}
	switch lower {
	case "makefile", "gnumakefile", "justfile", "procfile", "containerfile", "pkg-info", "metadata", "readme", "readme.txt":
		return true
	}
	return strings.HasPrefix(lower, "dockerfile")
}

// dialect is how a file of that name writes command lines.
func dialect(file string) *shell {
	lower := strings.ToLower(filepath.Base(file))
	switch filepath.Ext(lower) {
	case ".md", ".markdown", ".rst", ".txt":
		return &shell{comments: true}
	}
	return &shell{comments: true, make: strings.Contains(lower, "makefile") || strings.HasSuffix(lower, ".mk")}
}

// commandsOf are the command lines of a text that run Python programs and give them options.
func commandsOf(file, text string, sh *shell) []command {
	if !strings.Contains(text, ".py") && !strings.Contains(text, "-m ") && !strings.Contains(text, "--module ") {
		return nil
	}
	var out []command
	cd := ""
	take := func(words []string) {
		if words[0] == "cd" && len(words) == 2 {
			if cd = words[1]; strings.Contains(cd, unknownPart) {
				cd = ""
			}
			return
		}
		if c, ok := commandOf(words); ok && len(out) < maxCommands {
			c.file, c.cd = file, cd
			out = append(out, c)
		}
	}
	sh.commandsIn(text, func(words []string) {
		take(words)
		for _, w := range words { // bash -c "python a.py --model b"
			if strings.Contains(w, ".py ") {
				take(strings.Fields(w))
			}
		}
	})
	for _, list := range execForm().FindAllString(text, maxCommands) {
		var words []string
		if json.Unmarshal([]byte(list), &words) == nil && len(words) > 0 {
			take(words)
		}
	}
	return out
}

// execForm is a command line as a JSON list, as Docker has it.
var execForm = pattern.Lazy(`\[\s*"[^\]\n]*"\s*\]`)

// commandOf makes a command of the words of one, if these run a Python program with options.
func commandOf(words []string) (command, bool) {
	launched := false
	for i, w := range words {
		if i > 0 && (words[i-1] == "-m" || words[i-1] == "--module") && launched {
			if c, ok := (command{tail: strings.Split(w, "."), module: true}).with(words[i+1:]); ok && moduleName().MatchString(w) && !launches(w) {
				return c, true
			}
			continue
		}
		if strings.HasSuffix(w, ".py") && (launched || i == 0) {
			tail, ok := scriptTail(w)
			c, some := command{tail: tail}.with(words[i+1:])
			return c, ok && some
		}
		launched = launched || isLauncher(w)
	}
	return command{}, false
}

var moduleName = pattern.Lazy(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`)

// launches says whether a module is one that runs another program.
func launches(module string) bool {
	first, _, _ := strings.Cut(module, ".")
	return slices.Contains([]string{"torch", "accelerate", "deepspeed", "paddle", "coverage", "cProfile", "pdb", "debugpy"}, first)
}

// isLauncher says whether a word may be the program that runs a Python source.
func isLauncher(word string) bool {
	if strings.Contains(word, unknownPart) {
		return true // $PYTHON
	}
	name := path.Base(strings.TrimLeft(word, "!$%>@-+"))
	return strings.HasPrefix(name, "python") || slices.Contains([]string{"accelerate", "torchrun", "deepspeed", "ipython", "uv", "streamlit", "colossalai", "mpirun", "horovodrun", "srun", "pypy3", "coverage", "gradio", "chainlit"}, name)
}

// scriptTail are the parts of a program's path that are known.
func scriptTail(word string) ([]string, bool) {
	if i := strings.LastIndex(word, unknownPart); i >= 0 {
		rest, ok := strings.CutPrefix(word[i+len(unknownPart):], "/")
		if !ok {
			return nil, false
		}
		word = rest
	}
	parts := strings.Split(path.Clean("/" + strings.TrimPrefix(word, "./"))[1:], "/")
	return parts, parts[len(parts)-1] != ".py"
}

var optionName = pattern.Lazy(`^--?([A-Za-z][\w-]*)$`)

// with is the command with the options among the words behind the program that have literal values; false without any.
// Three dots, and what stands in braces or brackets, is what a document leaves to its reader.
func (c command) with(words []string) (command, bool) {
	for i, w := range words {
		name, value, joined := strings.Cut(w, "=")
		m := optionName().FindStringSubmatch(name)
		if m == nil || len(c.options) == maxOptions {
			continue
		}
		if !joined && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
			value = words[i+1]
		}
		if value != "" && len(value) <= maxGiven && strings.Trim(value, ".…") != "" && !strings.ContainsAny(value, unknownPart+"{}<>[]") {
			c.options = append(c.options, [2]string{strings.ReplaceAll(m[1], "-", "_"), value})
		}
	}
	return c, len(c.options) > 0
}
