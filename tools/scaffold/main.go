// Command scaffold begins what CONTRIBUTING.md walks through, and says what is left to do. Run in tools:
//
//	scaffold rule ST193 example-load "title in the words of a finding"
//	scaffold loader kerasLoaders example.load filepath
//	scaffold format NAME MAGIC
//	scaffold editor NAME settings.json
//
// It writes files that are not there yet and adds lines to lists; it never changes what is there.
package main

import (
	"bytes"
	"embed"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

func main() {
	log.SetFlags(0)
	log.SetPrefix("scaffold: ")
	said, err := run("..", os.Args[1:])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(said)
}

// words are what each kind of thing is told.
var words = map[string]struct {
	count int
	usage string
	begin func(t *tree, args []string) (next string)
}{
	"rule":   {3, "rule ID NAME TITLE", (*tree).rule},
	"loader": {3, "loader LIST FUNCTION PARAMETER", (*tree).loader},
	"format": {2, "format NAME MAGIC", (*tree).format},
	"editor": {2, "editor NAME FILE", (*tree).editor},
}

func run(root string, args []string) (string, error) {
	if len(args) == 0 || words[args[0]].begin == nil {
		return "", fmt.Errorf("what: rule, loader, format or editor?")
	}
	w := words[args[0]]
	if len(args)-1 != w.count {
		return "", fmt.Errorf("usage: %s", w.usage)
	}
	t := &tree{root: root}
	next := w.begin(t, args[1:])
	if t.err != nil {
		return "", t.err
	}
	return strings.Join(t.touched, "\n") + "\n\nNext:\n" + next, nil
}

// A tree is the repository's. After the first error nothing more is done.
type tree struct {
	root    string
	touched []string
	err     error
}

func (t *tree) path(name string) string { return filepath.Join(t.root, filepath.FromSlash(name)) }

// create writes a file from a template. One that is there stays as it is, and is an error.
func (t *tree) create(name, from string, values any) {
	if t.err != nil {
		return
	}
	var text bytes.Buffer
	made, err := template.ParseFS(templates, "templates/"+from)
	if err == nil {
		err = made.Execute(&text, values)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(t.path(name)), 0o755)
	}
	if err != nil {
		t.err = err
		return
	}
	f, err := os.OpenFile(t.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		t.err = err
		return
	}
	_, err = f.Write(text.Bytes())
	if closed := f.Close(); err == nil {
		err = closed
	}
	t.err = err
	t.touched = append(t.touched, "new      "+name)
}

// insert puts a line into a file, before or behind the first line in which mark stands.
func (t *tree) insert(name, mark, line string, behind bool) {
	if t.err != nil {
		return
	}
	text, err := os.ReadFile(t.path(name))
	if err != nil {
		t.err = err
		return
	}
	at := bytes.Index(text, []byte(mark))
	if at < 0 {
		t.err = fmt.Errorf("%s has no %q", name, mark)
		return
	}
	at = bytes.LastIndexByte(text[:at], '\n') + 1
	if behind {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	t.err = os.WriteFile(t.path(name), bytes.Join([][]byte{text[:at], []byte(line), text[at:]}, nil), 0o644)
	t.touched = append(t.touched, "changed  "+name)
}

// enter puts text into a line, behind the first place where mark stands.
func (t *tree) enter(name, mark, text string) {
	if t.err != nil {
		return
	}
	all, err := os.ReadFile(t.path(name))
	if err != nil {
		t.err = err
		return
	}
	before, after, ok := strings.Cut(string(all), mark)
	if !ok {
		t.err = fmt.Errorf("%s has no %q", name, mark)
		return
	}
	t.err = os.WriteFile(t.path(name), []byte(before+mark+text+after), 0o644)
	t.touched = append(t.touched, "changed  "+name)
}

// changelog adds a line to what is not released yet.
func (t *tree) changelog(line string) {
	t.insert("CHANGELOG.md", "## Unreleased", "\n- "+line+"\n", true)
}

// valid refuses words that would not be names.
func (t *tree) valid(what, word, pattern string) {
	if t.err == nil && !regexp.MustCompile(`^(`+pattern+`)$`).MatchString(word) {
		t.err = fmt.Errorf("%s: want %s, not %q", what, pattern, word)
	}
}

func (t *tree) rule(args []string) string {
	id, name, title := args[0], args[1], args[2]
	t.valid("the id", id, `ST[1-9]\d\d`)
	t.valid("the name", name, `[a-z]+(-[a-z]+)+`)
	t.create("internal/rule/catalog/"+id+".md", "rule.md", struct {
		ID, Name, Title string
		Source          bool
	}{id, name, title, strings.HasPrefix(id, "ST1")})
	t.changelog(id + ": " + title + ".")
	next := "  write the page; make generate; "
	if strings.HasPrefix(id, "ST1") {
		return next + "go test ./analyzers -run Pages fails until a Judge or a check in analyzers says " + id + "\n"
	}
	return next + "put a recipe into testdata of the format that is to say it, which fails until it does\n"
}

// lists are the files of the loaders' lists.
var lists = map[string]string{
	"torchLoaders": "torch.go", "pickleLoaders": "pickle.go", "transformersLoaders": "transformers.go", "numpyLoaders": "frameworks.go", "kerasLoaders": "frameworks.go",
	"runtimeLoaders": "frameworks.go", "speechLoaders": "frameworks.go", "otherLoaders": "otherloaders.go",
}

func (t *tree) loader(args []string) string {
	list, function, parameter := args[0], args[1], args[2]
	t.valid("the function", function, `[A-Za-z_]\w*(\.[A-Za-z_]\w*)+`)
	t.valid("the parameter", parameter, `[A-Za-z_]\w*`)
	if t.err == nil && lists[list] == "" {
		t.err = fmt.Errorf("no list of loaders is called %s", list)
	}
	module, _, _ := strings.Cut(function, ".")
	t.insert("analyzers/testdata/loaders.md", "```python", "```python\nimport "+module+"\n"+function+"(\"model.bin\")  # error: ST108\n```\n\n", false)
	t.insert("analyzers/"+lists[list], "var "+list+" = ", fmt.Sprintf("\t{Func: %q, Arg: Arg{0, []string{%q}}, Judge: unpickles},\n", function, parameter), true)
	t.changelog("`" + function + "` is known as a loader.")
	return "  say in loaders.md what is to be reported of a call, and in analyzers/" + lists[list] + " by which Judge; go test ./analyzers\n"
}

func (t *tree) format(args []string) string {
	values := struct{ Name, Magic string }{args[0], args[1]}
	t.valid("the name", values.Name, `[a-z][a-z0-9]+`)
	if t.err == nil && values.Magic == "" {
		t.err = fmt.Errorf("the bytes that it begins with are empty")
	}
	dir := "modelscan/" + values.Name + "/"
	t.create(dir+values.Name+".go", "format.go.txt", values)
	t.create(dir+values.Name+"_test.go", "format_test.go.txt", values)
	t.create(dir+"fuzz_test.go", "fuzz_test.go.txt", values)
	t.create(dir+"testdata/unread.txtar", "recipe.txtar", values)
	t.insert("modelscan/formats/formats.go", "modelscan/zip\"", "\t\"github.com/secure-torch/secure-torch/modelscan/"+values.Name+"\"\n", false)
	t.insert("modelscan/formats/formats.go", "\t\texecutable.Format,", "\t\t"+values.Name+".Format,\n", false)
	t.insert("docs/formats.md", "| `skops` |", "| `"+values.Name+"` | its first bytes | nothing yet | all of it |\n", true)
	t.changelog(values.Name + " files are recognised.")
	return "  gofmt -w modelscan/formats; move the line in docs/formats.md to its like; write the recipes, then the reader: go test ./modelscan/" + values.Name + " ./modelscan/formats\n"
}

func (t *tree) editor(args []string) string {
	name, file := args[0], args[1]
	t.valid("the name", name, `[a-z][a-z0-9-]+`)
	t.valid("the file", file, `[\w.-]+\.(json|toml)`)
	language := strings.TrimPrefix(filepath.Ext(file), ".")
	t.create("editors/"+name+"/"+file, "settings."+language, nil)
	t.insert("editors/gen/pages.go", "var pages = ", fmt.Sprintf("\t{name: %q, title: %q, language: %q, file: %q, install: \"Nothing else.\", where: \"In `%s`.\", works: expected, tested: untested},\n", name, name, language, name+"/"+file, file), true)
	t.enter("editors/others_test.go", "for _, file := range []string{", fmt.Sprintf("%q, ", name+"/"+file))
	t.changelog("Settings for " + name + ".")
	return "  write the settings; make generate; go test ./editors; a session of a user in editors/others_test.go, where the editor runs here\n"
}
