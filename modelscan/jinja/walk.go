package jinja

import (
	"fmt"
	"math"
	"slices"
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
	case opCall:
		j.call(e)
	case opKeyword:
		j.special(e)
	}
	j.repeats(e)
	for i, a := range e.args {
		j.walk(a, e.op == opCall && i == 0 || a.op == opName && asks(e, i))
	}
}

// asks tells whether e only asks if its i-th part is there.
func asks(e *expr, i int) bool {
	return e.op == opTest && i == 0 || e.op == opUnary && e.text == "not" || e.op == opTernary && i == 1
}

// maxRange is jinja2.sandbox.MAX_RANGE: its range refuses more.
const maxRange = 100_000

// call judges what is called: a name of the renderer, a macro, a method under its name. What the template
// has computed is nothing it needs to call.
func (j *judge) call(e *expr) {
	callee := e.args[0]
	switch {
	case callee.op == opIndex && callee.args[1].op != opSlice:
		if _, ok := j.fold(callee.args[1]); !ok {
			j.tell(rule.TemplateDynamicNames, callee, "[…]()", "calls what it reads under a computed name")
		}
	case callee.op == opName && j.computed[callee.text]:
		j.tell(rule.TemplateDynamicNames, callee, callee.text, "calls the value "+callee.text+" that it has computed")
	case callee.op == opName && callee.text == "range":
		for _, a := range e.args[1:] {
			if n, ok := j.number(a); ok && n > maxRange {
				j.tell(rule.TemplateExhausts, e, "range", fmt.Sprintf("counts to %d, which keeps its renderer busy", n))
			}
		}
	}
}

// maxRepeated is more than any template repeats a text, in times.
const maxRepeated = 10_000_000

// repeats judges a text or list that is multiplied: the sandbox does not bound how large that grows.
func (j *judge) repeats(e *expr) {
	if e.op != opBinary || e.text != "*" {
		return
	}
	for i, side := range e.args {
		n, ok := j.number(side)
		if _, also := j.number(e.args[1-i]); ok && !also && n > maxRepeated {
			j.tell(rule.TemplateExhausts, e, "*", fmt.Sprintf("repeats a value %d times, which takes its renderer's memory", n))
		}
	}
}

// number folds arithmetic on natural numbers, as far as a loop's length may be written by it.
func (j *judge) number(e *expr) (int, bool) {
	if e.op != opBinary {
		return j.integer(e)
	}
	a, ok := j.number(e.args[0])
	b, also := j.number(e.args[1])
	if !ok || !also || a < 0 || b < 0 {
		return 0, false
	}
	switch e.text {
	case "+":
		return min(a, math.MaxInt32) + min(b, math.MaxInt32), true
	case "*":
		return min(a, math.MaxInt32) * min(b, math.MaxInt32), true
	case "**":
		return int(min(math.Pow(float64(a), float64(b)), math.MaxInt32)), true
	}
	return 0, false
}

func (j *judge) name(e *expr, called bool) {
	j.special(e)
	if functions[e.text] && !called || e.text == "lipsum" {
		j.tell(rule.TemplateDynamicNames, e, e.text, "uses the function "+e.text+" as a value")
	}
}

// special judges a name between double underscores.
func (j *judge) special(e *expr) {
	if dunder().MatchString(e.text) {
		j.escape(e, e.text)
	}
}

// constant judges a string that the template holds or builds.
func (j *judge) constant(e *expr, s string) {
	for part := range strings.SplitSeq(s, ".") { // map(attribute='a.b.c') walks
		if special().MatchString(part) {
			j.escape(e, part)
		}
	}
	j.markup(s)
	if formatEscape().MatchString(s) {
		j.tell(rule.TemplateSandboxEscape, e, s, "formats with "+s+", which reads private attributes")
	}
}

// attribute judges reaching for a name of an object, however it is written.
func (j *judge) attribute(e *expr, attribute string, called bool) {
	switch {
	case dunder().MatchString(attribute), internals[attribute]:
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
	if v.s == "attr" && len(e.args) > 2 && slices.Contains([]string{"map", "select", "reject"}, e.text) { // map('attr', name)
		v, ok = j.fold(e.args[2])
		by = e.args[2]
	}
	for part := range strings.SplitSeq(v.s, ".") {
		j.attribute(e, part, called)
	}
	if !ok && (e.text == "attr" || by != e.args[1]) {
		j.tell(rule.TemplateDynamicNames, e, "attr", "reads an attribute under a computed name")
	}
}
