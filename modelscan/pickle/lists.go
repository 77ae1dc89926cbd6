package pickle

import (
	"cmp"
	"embed"
	"fmt"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/internal/rule"
)

//go:embed lists/*.txt
var lists embed.FS

// verdict on a name. The zero verdict is: nobody knows it.
type verdict uint8

const (
	unknown verdict = iota
	allowed
	dangerous
)

// What may be done with an allowed name, one bit each.
const (
	mayCall     = 1 << iota // call it with any arguments
	mayNew                  // make an instance without __init__ and BUILD it
	acceptsDict             // SETITEM(S) on its instances
	acceptsList             // APPEND(S) on its instances
	acceptsSet              // ADDITEMS on its instances
	sized                   // its ints say how large it becomes
	lazy                    // it is small and gives as many elements as its arguments say, or without end
)

// entry is what the lists say about a name. A check, where there is one, decides by the arguments.
type entry struct {
	verdict verdict
	uses    uint8
	check   string
	rule    rule.ID // of a dangerous name
}

// plain entries may be called whatever the arguments, and nothing about the call need be kept.
func (e entry) plain() bool {
	return e.verdict == allowed && e.uses&(mayCall|lazy) == mayCall && e.check == ""
}

// danger is one line of dangerous.txt. A module ending in ".*" matches its submodules too, a name
// ending in "*" every name with that prefix; a dotted name also matches what hangs below it.
type danger struct {
	rule  rule.ID
	names []string
}

type tables struct {
	allow      map[string][]*line   // by module
	moved      map[string][]*line   // by top-level package: its classes' modules differ from version to version
	patterns   map[string][]pattern // by top-level package
	prefixes   map[string]entry     // allowed top-level packages with all below: "__torch__"
	dangers    map[string][]danger
	trees      map[string][]danger // modules with all their submodules
	leaves     map[string]rule.ID  // names that are dangerous wherever they come from
	oldModules map[string]string
	oldNames   map[string]string
	stdlib     map[string]bool
}

// line is one line of an allow list. Its names are only searched when they are asked for: building
// a map of them all would cost more than most scans.
type line struct {
	entry entry
	names string // each with a space before and after it
}

func (l *line) has(name string) bool {
	return !strings.Contains(name, " ") && strings.Contains(l.names, " "+name+" ")
}

// pattern allows names by their beginning.
type pattern struct {
	prefix string
	entry  entry
}

var load = sync.OnceValue(func() *tables {
	t := &tables{
		allow: map[string][]*line{}, moved: map[string][]*line{}, patterns: map[string][]pattern{}, prefixes: map[string]entry{},
		dangers: map[string][]danger{}, trees: map[string][]danger{}, leaves: map[string]rule.ID{},
		oldModules: map[string]string{}, oldNames: map[string]string{}, stdlib: map[string]bool{},
	}
	files, err := lists.ReadDir("lists")
	if err != nil {
		panic(err) // embedded: cannot happen in a binary that was built
	}
	for _, f := range files {
		text, err := lists.ReadFile("lists/" + f.Name())
		if err != nil {
			panic(err)
		}
		parse := map[string]func(string) error{"python2.txt": t.parseOld, "dangerous.txt": t.parseDanger, "stdlib.txt": t.parseStdlib}[f.Name()]
		if parse == nil {
			parse = t.parseAllow
		}
		for i, line := range strings.Split(string(text), "\n") {
			if line == "" || line[0] == '#' {
				continue
			}
			if err := parse(line); err != nil {
				panic(fmt.Sprintf("lists/%s:%d: %v", f.Name(), i+1, err)) // a test reads them all
			}
		}
	}
	return t
})

func (t *tables) parseOld(line string) error {
	switch f := strings.Fields(line); len(f) {
	case 2:
		t.oldModules[f[0]] = f[1]
	case 4:
		t.oldNames[f[0]+"\n"+f[1]] = f[2] + "\n" + f[3]
	default:
		return fmt.Errorf("%q: want 2 or 4 fields", line)
	}
	return nil
}

func (t *tables) parseStdlib(line string) error {
	for _, name := range strings.Fields(line) {
		t.stdlib[name] = true
	}
	return nil
}

var uses = map[string]uint8{"call": mayCall | mayNew, "new": mayNew, "dict": acceptsDict, "list": acceptsList, "set": acceptsSet, "sized": sized, "lazy": lazy, "ref": 0}

// parseAllow reads "call,dict collections: OrderedDict Counter", "check=reconstruct sklearn.*: __pyx_unpickle_*"
// (names by their beginning, anywhere in the package) and "moved sklearn scipy" (packages whose listed
// classes may stand in any of their modules).
func (t *tables) parseAllow(text string) error {
	head, names, ok := strings.Cut(text, ":")
	how, module, ok2 := strings.Cut(head, " ")
	if how == "moved" {
		for _, root := range strings.Fields(module) {
			t.moved[root] = []*line{}
		}
		return nil
	}
	if !ok || !ok2 {
		return fmt.Errorf("%q: want USES MODULE: NAMES", text)
	}
	e := entry{verdict: allowed}
	for _, word := range strings.Split(how, ",") {
		bits, ok := uses[word]
		if name, isCheck := strings.CutPrefix(word, "check="); isCheck && checkNamed(name) != nil {
			e.check, bits, ok = name, mayCall, true
		}
		if !ok {
			return fmt.Errorf("%q: no use is called %q", text, word)
		}
		e.uses |= bits
	}
	t.addAllowed(module, names, e)
	return nil
}

func (t *tables) addAllowed(module, names string, e entry) {
	if root, tree := strings.CutSuffix(module, ".*"); tree {
		for _, name := range strings.Fields(names) {
			t.patterns[root] = append(t.patterns[root], pattern{prefix: strings.TrimSuffix(name, "*"), entry: e})
		}
		return
	}
	if strings.TrimSpace(names) == "*" {
		t.prefixes[module] = e
		return
	}
	l := &line{entry: e, names: names + " "}
	t.allow[module] = append(t.allow[module], l)
	if top := root(module); t.moved[top] != nil && e.uses&mayNew != 0 && e.check == "" {
		t.moved[top] = append(t.moved[top], l)
	}
}

// allowed adds up what the lines about one name say.
func (t *tables) allowed(module, name string) (entry, bool) {
	var e entry
	for _, l := range t.allow[module] {
		if l.has(name) {
			e.verdict = allowed
			e.uses |= l.entry.uses
			e.check = cmp.Or(e.check, l.entry.check)
		}
	}
	return e, e.verdict == allowed
}

// parseDanger reads "ST201 os: system exec*", "ST203 socket.*: *" or "ST201 *: Popen".
func (t *tables) parseDanger(line string) error {
	head, names, ok := strings.Cut(line, ":")
	id, module, ok2 := strings.Cut(head, " ")
	if _, known := rule.Get(rule.ID(id)); !ok || !ok2 || !known {
		return fmt.Errorf("%q: want RULE MODULE: NAMES", line)
	}
	d := danger{rule: rule.ID(id), names: strings.Fields(names)}
	switch base, tree := strings.CutSuffix(module, ".*"); {
	case module == "*":
		for _, name := range d.names {
			t.leaves[name] = d.rule
		}
	case tree:
		t.trees[base] = append(t.trees[base], d)
	default:
		t.dangers[module] = append(t.dangers[module], d)
	}
	return nil
}

// matches tells whether a line of dangerous.txt means the qualified name.
func (d danger) matches(name string) bool {
	for _, pattern := range d.names {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasPrefix(name, prefix) {
			return true
		}
		if rest, ok := strings.CutPrefix(name, pattern); ok && (rest == "" || rest[0] == '.') {
			return true
		}
	}
	return false
}
