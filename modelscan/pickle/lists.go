package pickle

import (
	"cmp"
	"embed"
	"fmt"
	"io"
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
	reads                   // it takes its arguments apart, which runs methods of theirs
	armed                   // methods of its instances call what the instance holds
	walks                   // it takes what stands in its arguments apart as well
	shared                  // it gives an object that the loading program has already
)

// entry is what the lists say about a name. A check, where there is one, decides by the arguments.
type entry struct {
	verdict verdict
	uses    uint16
	check   string
	rule    rule.ID // of a dangerous name
	coarse  bool    // dangerous like everything in its package, which is no part of Python, and a class by its name
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

// tables are the lists. What they say of a top-level package is parsed when a stream first names something
// in it: to parse them all costs more than most scans.
type tables struct {
	packages   map[string]*listed
	moved      map[string]bool    // top-level packages whose modules differ from version to version
	leaves     map[string]rule.ID // names that are dangerous wherever they come from
	oldModules map[string]string
	oldNames   map[string]string
	stdlib     map[string]bool
	properties map[string]string // by top-level package: attributes whose reading or setting runs what the instance's state says, each with a space before and after it
}

// listed is what the lists say of one top-level package.
type listed struct {
	sync.Once
	allowText, dangerText []string // runs of lines, as they stand in the lists

	allow    map[string][]*line // by module
	moved    []*line            // lines without a check, of a package in tables.moved
	patterns []pattern
	classes  []string            // modules below which any class may be made without __init__
	all      entry               // allows the package with all below: "__torch__"
	dangers  map[string][]danger // by module
	trees    map[string][]danger // modules with all their submodules
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

var load = sync.OnceValue(readLists)

// readLists finds where the lists speak of which package.
func readLists() *tables {
	t := &tables{
		packages: map[string]*listed{}, moved: map[string]bool{}, leaves: map[string]rule.ID{},
		oldModules: map[string]string{}, oldNames: map[string]string{}, stdlib: map[string]bool{}, properties: map[string]string{},
	}
	files, err := lists.ReadDir("lists")
	if err != nil {
		panic(err) // embedded: cannot happen in a binary that was built
	}
	for _, f := range files {
		switch text := readList("lists/" + f.Name()); f.Name() {
		case "python2.txt":
			t.each(text, t.parseOld)
		case "stdlib.txt":
			t.each(text, t.parseStdlib)
		case "properties.txt":
			t.each(text, t.parseProperties)
		case "dangerous.txt":
			t.file(text, func(p *listed) *[]string { return &p.dangerText })
		default:
			t.file(text, func(p *listed) *[]string { return &p.allowText })
		}
	}
	return t
}

// readList returns a list's text, copied once: every worker that sees a pickle pays for it.
func readList(name string) string {
	f, err := lists.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		panic(err)
	}
	var text strings.Builder
	text.Grow(int(info.Size()))
	if _, err := io.CopyBuffer(&text, f, make([]byte, 8<<10)); err != nil {
		panic(err)
	}
	return text.String()
}

// each parses the lines of a text that say something. A test reads every line, so none fails in a binary.
func (t *tables) each(text string, parse func(string) error) {
	for line := range strings.Lines(text) {
		if line[0] == '#' || line[0] == '\n' {
			continue
		}
		if err := parse(strings.TrimSuffix(line, "\n")); err != nil {
			panic(fmt.Sprintf("lists: %v", err))
		}
	}
}

// file sorts the lines of a text by the package that they speak of.
func (t *tables) file(text string, part func(*listed) *[]string) {
	last, start, end := "", 0, 0
	flush := func() {
		if last != "" && end > start {
			t.add(last, text[start:end], part)
		}
		start = end
	}
	for line := range strings.Lines(text) {
		top, _, ok := topOf(line)
		if !ok || top != last {
			flush()
			last = top
		}
		end += len(line)
	}
	flush()
}

// topOf is the top-level package of the module that a line is about; ok is false for a comment. "moved" lines
// and the lines on any module have packages of their own, by those names.
func topOf(line string) (top, module string, ok bool) {
	if line[0] == '#' || line[0] == '\n' {
		return "", "", false
	}
	how, rest, _ := strings.Cut(line, " ")
	if how == "moved" {
		return how, "", true
	}
	module, _, _ = strings.Cut(rest, ":")
	return root(module), module, true
}

func (t *tables) add(top, lines string, part func(*listed) *[]string) {
	switch top {
	case "moved":
		for _, name := range strings.Fields(lines)[1:] {
			t.moved[name] = true
		}
	case "*":
		t.each(lines, t.parseLeaves)
	default:
		p := t.packages[top]
		if p == nil {
			p = new(listed)
			t.packages[top] = p
		}
		texts := part(p)
		*texts = append(*texts, lines)
	}
}

// of is what the lists say of the top-level package that a module is in.
func (t *tables) of(module string) *listed {
	top := root(module)
	p := t.packages[top]
	if p == nil {
		return &listed{}
	}
	p.Do(func() {
		p.allow, p.dangers, p.trees = map[string][]*line{}, map[string][]danger{}, map[string][]danger{}
		for _, text := range p.allowText {
			t.each(text, p.parseAllow)
		}
		for _, text := range p.dangerText {
			t.each(text, p.parseDanger)
		}
		if !t.moved[top] {
			p.moved = nil
		}
	})
	return p
}

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

// parseProperties reads "sktime: _plexfun".
func (t *tables) parseProperties(line string) error {
	top, names, ok := strings.Cut(line, ":")
	if !ok || strings.Contains(top, " ") {
		return fmt.Errorf("%q: want PACKAGE: NAMES", line)
	}
	t.properties[top] += names + " "
	return nil
}

var uses = map[string]uint16{"call": mayCall | mayNew, "new": mayNew, "dict": acceptsDict, "list": acceptsList, "set": acceptsSet, "sized": sized, "lazy": lazy, "reads": reads, "armed": armed, "walks": reads | walks, "shared": shared, "ref": 0}

// parseAllow reads "call,dict collections: OrderedDict Counter" and "check=reconstruct sklearn.*: __pyx_unpickle_*"
// (names by their beginning, anywhere in the package); "new timm.models.*: *" is any class below a module. "moved sklearn scipy" names packages whose listed names
// may stand in any of their modules, but not be called there.
func (p *listed) parseAllow(text string) error {
	head, names, ok := strings.Cut(text, ":")
	how, module, ok2 := strings.Cut(head, " ")
	if !ok || !ok2 {
		return fmt.Errorf("%q: want USES MODULE: NAMES", text)
	}
	e := entry{verdict: allowed}
	for word := range strings.SplitSeq(how, ",") {
		bits, ok := uses[word]
		if name, isCheck := strings.CutPrefix(word, "check="); isCheck && checkNamed(name) != nil {
			e.check, bits, ok = name, mayCall, true
		}
		if !ok {
			return fmt.Errorf("%q: no use is called %q", text, word)
		}
		e.uses |= bits
	}
	p.addAllowed(module, names, e)
	return nil
}

func (p *listed) addAllowed(module, names string, e entry) {
	if base, tree := strings.CutSuffix(module, ".*"); tree {
		if strings.TrimSpace(names) == "*" {
			p.classes = append(p.classes, base+".")
			return
		}
		for _, name := range strings.Fields(names) {
			p.patterns = append(p.patterns, pattern{prefix: strings.TrimSuffix(name, "*"), entry: e})
		}
		return
	}
	if strings.TrimSpace(names) == "*" {
		p.all = e
		return
	}
	l := &line{entry: e, names: names + " "}
	p.allow[module] = append(p.allow[module], l)
	if e.check == "" {
		p.moved = append(p.moved, l)
	}
}

// allowed adds up what the lines about one name say.
func (t *tables) allowed(module, name string) (entry, bool) {
	var e entry
	for _, l := range t.of(module).allow[module] {
		if l.has(name) {
			e.verdict = allowed
			e.uses |= l.entry.uses
			e.check = cmp.Or(e.check, l.entry.check)
		}
	}
	return e, e.verdict == allowed
}

// dangerLine reads "ST201 os: system exec*".
func dangerLine(line string) (module string, d danger, err error) {
	head, names, ok := strings.Cut(line, ":")
	id, module, ok2 := strings.Cut(head, " ")
	if _, known := rule.Get(rule.ID(id)); !ok || !ok2 || !known {
		return "", danger{}, fmt.Errorf("%q: want RULE MODULE: NAMES", line)
	}
	return module, danger{rule: rule.ID(id), names: strings.Fields(names)}, nil
}

// parseLeaves reads "ST201 *: Popen".
func (t *tables) parseLeaves(line string) error {
	_, d, err := dangerLine(line)
	for _, name := range d.names {
		t.leaves[name] = d.rule
	}
	return err
}

// parseDanger reads "ST201 os: system exec*" and "ST203 socket.*: *".
func (p *listed) parseDanger(line string) error {
	module, d, err := dangerLine(line)
	if base, tree := strings.CutSuffix(module, ".*"); tree {
		p.trees[base] = append(p.trees[base], d)
	} else {
		p.dangers[module] = append(p.dangers[module], d)
	}
	return err
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
