package jinja

import (
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// walk judges e and what it is made of. called says that e is what a call calls.
func (j *judge) walk(e *expr, called bool) {
	if v, ok := j.fold(e); ok && v.list == nil && e.op != opName && e.op != opAttr {
		j.constant(e, v.s)
	}
	switch e.op {
	case opName:
		j.name(e, called)
	case opAttr:
		j.attribute(e, e.text, called)
	case opIndex:
		j.index(e, called)
	case opFilter:
		j.filter(e, called)
	case opKeyword:
		j.special(e)
	}
	for i, a := range e.args {
		j.walk(a, e.op == opCall && i == 0)
	}
}

func (j *judge) name(e *expr, called bool) {
	j.special(e)
	if functions[e.text] && !called || e.text == "lipsum" {
		j.tell(rule.TemplateDynamicNames, e, e.text, "uses the function "+e.text+" as a value")
	}
}

// special judges a name between double underscores.
func (j *judge) special(e *expr) {
	if dunder.MatchString(e.text) {
		j.escape(e, e.text)
	}
}

// constant judges a string that the template holds or builds.
func (j *judge) constant(e *expr, s string) {
	for part := range strings.SplitSeq(s, ".") { // map(attribute='a.b.c') walks
		if special.MatchString(part) {
			j.escape(e, part)
		}
	}
	if formatEscape.MatchString(s) {
		j.tell(rule.TemplateSandboxEscape, e, s, "formats with "+s+", which reads private attributes")
	}
}

// attribute judges reaching for a name of an object, however it is written.
func (j *judge) attribute(e *expr, attribute string, called bool) {
	switch {
	case dunder.MatchString(attribute), internals[attribute]:
		j.escape(e, attribute)
	case called && gadgets[attribute]:
		j.tell(rule.TemplateSandboxEscape, e, attribute, "calls "+attribute)
	}
}

func (j *judge) index(e *expr, called bool) {
	by := e.args[1]
	if v, ok := j.fold(by); ok {
		j.attribute(e, v.s, called)
		return
	}
	// A literal is indexed by a number, or by a name somebody wants to hide.
	if base := e.args[0]; (base.op == opString || base.op == opNumber || base.op == opList && len(base.args) == 0) && by.op != opSlice && by.op != opNumber && by.op != opUnary {
		j.tell(rule.TemplateDynamicNames, e, "[…]", "reads an attribute of a literal under a computed name")
	}
}

// attributeFilters take the name of an attribute, here or as attribute=….
var attributeFilters = wordSet(`attr map selectattr rejectattr groupby sort sum unique min max`)

func (j *judge) filter(e *expr, called bool) {
	if !attributeFilters[e.text] || len(e.args) < 2 {
		return
	}
	by := e.args[1]
	if by.op == opKeyword {
		by = by.args[0]
	}
	v, ok := j.fold(by)
	for part := range strings.SplitSeq(v.s, ".") {
		j.attribute(e, part, called)
	}
	if !ok && e.text == "attr" {
		j.tell(rule.TemplateDynamicNames, e, "attr", "reads an attribute under a computed name")
	}
}
