package pickle

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// hooked are the attributes that the unpickler itself looks up on an instance and calls, and the one that makes
// it an instance of something else.
var hooked = map[string]bool{"__setstate__": true, "append": true, "extend": true, "add": true, "__reduce__": true, "__reduce_ex__": true, "__class__": true}

// maxHookText is enough for the longest of these, however it is escaped.
const maxHookText = 160

// evaluated are the attributes whose text a library's own __setstate__ runs as Python.
var evaluated = map[string]struct {
	library string
	judge   func(t *tables, text string) evidence
}{
	// scipy/stats/_distn_infrastructure.py, rv_generic._attach_argparser_methods: exec
	"_parse_arg_template": {"scipy", judgeTemplate},
	// statsmodels/base/data.py, ModelData.__setstate__: patsy or formulaic evaluates the terms
	"formula": {"statsmodels", judgeFormula},
}

// judgeState looks for a state that plants a callable where the next opcode would call it, and for
// text that the class would run.
func (m *machine) judgeState(op *Op, g *global, subject string, state value) {
	vs, all := m.elements(state)
	if state.kind() == kTuple {
		m.judgeHalves(op, g, subject, vs)
		return
	}
	library := ""
	if g != nil {
		library = root(g.module)
	}
	risky := library == "scipy" || library == "statsmodels"
	if state.kind() == kInst && risky {
		m.judgeMapping(op, g, subject, state)
	}
	if state.kind() != kDict || !risky && !m.matters(state) {
		return
	}
	m.judgeWrapped(op, g, vs)
	if !all {
		m.judgeCut(op, subject, state, risky)
	}
	for i := 0; i+1 < len(vs); i += 2 {
		m.judgeAttribute(op, subject, library, vs[i], vs[i+1])
	}
}

// judgeHalves looks at a state in parts: attributes, and what is set one by one.
func (m *machine) judgeHalves(op *Op, g *global, subject string, parts []value) {
	for i, part := range parts {
		if part.kind() == kDict || part.kind() == kInst {
			m.judgeState(op, g, subject, part)
		}
		if i == 1 && len(parts) == 2 {
			m.judgeSlots(op, g, part)
		}
	}
}

// judgeSlots looks at the second half of a state, which is set attribute by attribute: that runs the setters of properties.
func (m *machine) judgeSlots(op *Op, g *global, slots value) {
	vs, _ := m.elements(slots)
	for i := 0; g != nil && i+1 < len(vs); i += 2 {
		if name, _ := m.text(vs[i], maxName); m.load.evaluates(g, name) {
			m.accuse(rule.PickleUnknownCall, op.Pos, g.String(), fmt.Sprintf("would set the property %s of an instance of %s, which runs what it is given", clean(name), g))
		}
	}
}

// judgeCut judges a dictionary of which not all is kept.
func (m *machine) judgeCut(op *Op, subject string, state value, risky bool) {
	switch c := m.containers.at(int(state.index())); {
	case c.n < maxItems:
		m.missed = true // the others were dropped to save memory
	case risky, c.flags&cutHook != 0:
		m.accuse(rule.PickleUnknownCall, op.Pos, subject, "gives "+subject+" a state too large to be judged")
	}
}

// judgeMapping looks at a state that is no dict of the pickle's but an instance of a class like OrderedDict, which
// becomes the attributes all the same: what it was given is not kept here. (A Bunch is its own __dict__.)
func (m *machine) judgeMapping(op *Op, g *global, subject string, state value) {
	if c := m.globals[state.index()]; c.entry.uses&acceptsDict != 0 && g.entry.uses&acceptsDict == 0 {
		m.accuse(rule.PickleUnknownCall, op.Pos, subject, fmt.Sprintf("gives %s a state that is an instance of %s and no plain dictionary", clean(subject), &c))
	}
}

// judgeAttribute looks at one attribute of a state.
func (m *machine) judgeAttribute(op *Op, subject, library string, name, v value) {
	key, _ := m.text(name, maxHookText)
	if m.hooks(name) && m.plantable(v) {
		m.accuse(rule.PicklePatches, op.Pos, subject, fmt.Sprintf("would plant %s as %s of an instance of %s, for the unpickler to call", m.render(v), clean(m.render(name)), clean(subject)))
	}
	if e, ok := evaluated[key]; ok && e.library == library {
		m.judgeEvaluated(op, subject, key, v, e.judge)
	}
}

// hooks tells whether a key of a state names such an attribute, or may: an instance of a class of text
// (numpy.str_) is a name as good as text.
func (m *machine) hooks(key value) bool {
	switch key.kind() {
	case kStr:
		name, _ := m.text(key, maxHookText)
		return hooked[name]
	case kInst, kCall, kExt, kPersist, kUnknown, kMissing:
		return true
	}
	return false
}

// judgeSetstate looks for a __setstate__ among the keys and values that an instance is given as items, or its class in
// a dictionary: where items are attributes too (EasyDict), the next BUILD calls it.
func (m *machine) judgeSetstate(op *Op, g *global, vs []value) {
	for i := 0; i+1 < len(vs); i += 2 {
		if vs[i].kind() != kStr || !m.plantable(vs[i+1]) {
			continue
		}
		if name, _ := m.text(vs[i], maxHookText); name == "__setstate__" {
			m.accuse(rule.PicklePatches, op.Pos, g.String(), fmt.Sprintf("would give %s an item __setstate__ that the unpickler may call: %s", g, m.render(vs[i+1])))
		}
	}
}

// judgeGiven is judgeSetstate of the dictionaries, and of the pairs in lists, among a call's arguments.
func (m *machine) judgeGiven(op *Op, g *global, args value) {
	if !m.matters(args) {
		return
	}
	vs, _ := m.elements(args)
	for _, v := range vs {
		switch items, _ := m.elements(v); {
		case !m.matters(v):
		case v.kind() == kDict:
			m.judgeSetstate(op, g, items)
		default:
			for _, item := range items {
				if pair, _ := m.elements(item); len(pair) == 2 {
					m.judgeSetstate(op, g, pair)
				}
			}
		}
	}
}

// plantable tells whether the unpickler could call v: it is no plain data.
func (m *machine) plantable(v value) bool {
	switch v.kind() {
	case kGlobal, kCall, kInst, kExt, kPersist, kUnknown, kMissing:
		return true
	}
	return false
}

func (m *machine) judgeEvaluated(op *Op, subject, key string, v value, judge func(*tables, string) evidence) {
	if v.kind() == kNone {
		return
	}
	text, ok := m.text(v, maxEvidenceText)
	e := judge(m.load, text)
	message := fmt.Sprintf("%s would run its state's %s as Python on load: %s", subject, key, m.render(v))
	switch {
	case !ok, e == codeOrShell:
		m.accuse(rule.PickleCodeExecution, op.Pos, subject, message)
	case e == pathOrURL:
		m.accuse(rule.PickleUnknownCall, op.Pos, subject, message)
	}
}

// template is a line of scipy's parse_arg_template with its names filled in: nothing in it can call.
var template = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(def _parse_args(_rvs|_stats)?\([\w ,=.'-]*\):|    return self\._argcheck_rvs\([\w ,=.-]*\)|    return \([\w ,]*\)[\w ,.-]*|\s*)$`)
})

func judgeTemplate(_ *tables, text string) evidence {
	for line := range strings.SplitSeq(text, "\n") {
		if !template().MatchString(line) {
			return codeOrShell
		}
	}
	return noEvidence
}

var formulaCalls = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([\w.\]\)"']+)\s*\(`) })

// harmlessTerms are the functions that formulas call: patsy's builtins and arithmetic of numpy.
const harmlessTerms = " C I Q bs cr cc te center standardize scale poly Treatment Sum Helmert Poly Diff ns log log10 log2 log1p exp expm1 sqrt abs pow power square sin cos tan round float int str bool min max minimum maximum diff where clip sign floor ceil "

// judgeFormula: the terms of a formula are Python expressions.
func judgeFormula(t *tables, text string) evidence {
	if strings.Contains(text, "__") || weighText(text) == codeOrShell {
		return codeOrShell
	}
	for _, call := range formulaCalls().FindAllStringSubmatch(text, -1) {
		name := strings.TrimPrefix(strings.TrimPrefix(call[1], "np."), "numpy.")
		if name == "open" || t.leaf(name) {
			return codeOrShell
		}
		if !strings.Contains(harmlessTerms, " "+name+" ") && strings.Trim(name, `)]"'`) != "" {
			return pathOrURL
		}
	}
	return noEvidence
}
