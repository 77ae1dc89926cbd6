package pickle

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// hooked are the attributes that the unpickler itself looks up on an instance and calls.
var hooked = map[string]bool{"__setstate__": true, "append": true, "extend": true, "add": true, "__reduce__": true, "__reduce_ex__": true}

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
		for _, part := range vs {
			if part.kind() == kDict {
				m.judgeState(op, g, subject, part)
			}
		}
		return
	}
	library := ""
	if g != nil {
		library = root(g.module)
	}
	risky := library == "scipy" || library == "statsmodels"
	if state.kind() != kDict || !risky && !m.matters(state) {
		return
	}
	if risky && !all {
		m.accuse(rule.PickleUnknownCall, op.Pos, subject, "gives "+subject+" a state too large to be judged")
	}
	for i := 0; i+1 < len(vs); i += 2 {
		key, _ := m.text(vs[i], 32)
		m.judgeAttribute(op, subject, library, key, vs[i+1])
	}
}

// judgeAttribute looks at one attribute of a state.
func (m *machine) judgeAttribute(op *Op, subject, library, key string, v value) {
	if hooked[key] && (v.kind() == kGlobal || v.kind() == kCall) {
		m.accuse(rule.PicklePatches, op.Pos, subject, fmt.Sprintf("would plant %s as %s of an instance of %s, for the unpickler to call", m.render(v), key, clean(subject)))
	}
	if e, ok := evaluated[key]; ok && e.library == library {
		m.judgeEvaluated(op, subject, key, v, e.judge)
	}
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
