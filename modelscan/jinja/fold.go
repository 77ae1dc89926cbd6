package jinja

import (
	"slices"
	"strconv"
	"strings"
)

// value is a constant: a string, or a list of strings.
type value struct {
	s    string
	list []string // not nil for a list
}

// maxFolded bounds a folded string and a folded list: names are short.
const maxFolded = 4096

func text(s string) (value, bool) { return value{s: s}, len(s) <= maxFolded }

// fold computes a constant expression. Templates that hide a name build it from pieces.
func (j *judge) fold(e *expr) (value, bool) {
	if j.folds++; j.folds > maxFolds {
		return value{}, false
	}
	switch e.op {
	case opString:
		return text(e.text)
	case opNumber:
		return value{s: e.text}, true
	case opName:
		return j.lookup(e.text)
	case opAttr:
		return j.lookup(path(e))
	case opList:
		return j.foldList(e)
	case opBinary:
		return j.foldBinary(e)
	case opIndex:
		return j.foldIndex(e)
	case opFilter:
		return j.foldMethod(e.text, e.args[0], e.args[1:])
	case opCall:
		return j.foldCall(e)
	}
	return value{}, false
}

func (j *judge) lookup(variable string) (value, bool) {
	v, ok := j.constants[variable]
	return v, ok && variable != ""
}

func (j *judge) foldList(e *expr) (value, bool) {
	v := value{list: []string{}}
	for i, item := range e.args {
		if e.text == "{" && i%2 == 1 { // a dict iterates over its keys
			continue
		}
		part, ok := j.fold(item)
		if !ok || part.list != nil || len(v.list) > maxFolded {
			return value{}, false
		}
		v.list = append(v.list, part.s)
	}
	return v, true
}

func (j *judge) foldBinary(e *expr) (value, bool) {
	a, ok := j.fold(e.args[0])
	b, also := j.fold(e.args[1])
	if !ok || !also {
		return value{}, false
	}
	switch {
	case e.text == "%":
		return text(format(a.s, append(slices.Clone(b.list), b.s)))
	case (e.text == "+" || e.text == "~") && a.list == nil && b.list == nil:
		return text(a.s + b.s)
	case e.text == "+":
		return value{list: append(slices.Clone(a.list), b.list...)}, len(a.list)+len(b.list) <= maxFolded
	case e.text == "*":
		if _, err := strconv.Atoi(a.s); err == nil {
			a, b = b, a
		}
		n, err := strconv.Atoi(b.s)
		if err != nil || n < 0 || n*max(len(a.s), 1) > maxFolded {
			return value{}, false
		}
		return text(strings.Repeat(a.s, n))
	}
	return value{}, false
}

func (j *judge) foldIndex(e *expr) (value, bool) {
	base, ok := j.fold(e.args[0])
	if !ok {
		return value{}, false
	}
	if by := e.args[1]; by.op == opSlice {
		if len(by.args) == 3 && by.args[0].op == opNone && by.args[1].op == opNone && by.args[2].op == opUnary {
			return reversed(base), true
		}
		return value{}, false
	}
	at, ok := j.fold(e.args[1])
	n, err := strconv.Atoi(at.s)
	items := base.list
	if items == nil {
		items = strings.Split(base.s, "")
	}
	if !ok || err != nil || n >= len(items) {
		return value{}, false
	}
	return text(items[n])
}

func reversed(v value) value {
	if v.list != nil {
		list := slices.Clone(v.list)
		slices.Reverse(list)
		return value{list: list}
	}
	runes := []rune(v.s)
	slices.Reverse(runes)
	return value{s: string(runes)}
}

// foldCall knows a string's methods, macros without arguments, and dict(a=…, b=…), whose keys are names.
func (j *judge) foldCall(e *expr) (value, bool) {
	callee, args := e.args[0], e.args[1:]
	switch {
	case callee.op == opAttr:
		if callee.text == "join" && len(args) == 1 { // sep.join(list)
			return j.foldMethod("join", args[0], []*expr{callee.args[0]})
		}
		return j.foldMethod(callee.text, callee.args[0], args)
	case callee.op == opName && callee.text == "dict":
		v := value{list: []string{}}
		for _, a := range args {
			if a.op == opKeyword {
				v.list = append(v.list, a.text)
			}
		}
		return v, true
	case callee.op == opName && (callee.text == "str" || callee.text == "string") && len(args) == 1:
		return j.fold(args[0])
	case callee.op == opName:
		return j.lookup(callee.text)
	}
	return value{}, false
}

// foldMethod applies a filter or method of the same name to a constant.
func (j *judge) foldMethod(method string, on *expr, args []*expr) (value, bool) {
	v, ok := j.fold(on)
	if !ok {
		return value{}, false
	}
	var folded []string
	for _, a := range args {
		if a.op == opKeyword {
			a = a.args[0]
		}
		f, ok := j.fold(a)
		if !ok {
			return value{}, false
		}
		folded = append(folded, append(f.list, f.s)...)
	}
	return apply(method, v, folded)
}

func apply(method string, v value, args []string) (value, bool) {
	switch {
	case method == "join":
		separator := ""
		if len(args) > 0 {
			separator = args[0]
		}
		items := v.list
		if items == nil {
			items = strings.Split(v.s, "")
		}
		return text(strings.Join(items, separator))
	case method == "first" && len(v.list) > 0:
		return text(v.list[0])
	case method == "last" && len(v.list) > 0:
		return text(v.list[len(v.list)-1])
	case method == "reverse":
		return reversed(v), true
	case method == "list", method == "string", method == "safe", method == "trim", method == "strip", method == "keys", method == "e", method == "escape":
		return v, true
	case method == "lower", method == "casefold", method == "swapcase":
		return text(strings.ToLower(v.s))
	case method == "replace" && len(args) >= 2:
		return text(strings.ReplaceAll(v.s, args[0], args[1]))
	case method == "format":
		return text(format(v.s, args))
	}
	return value{}, false
}

// format fills %s, %c and {} in order: enough to see a name come about.
func format(pattern string, args []string) string {
	var b strings.Builder
	for i := 0; i < len(pattern) && b.Len() <= maxFolded; i++ {
		two := pattern[i:min(i+2, len(pattern))]
		if two != "%s" && two != "%c" && two != "{}" || len(args) == 0 {
			b.WriteByte(pattern[i])
			continue
		}
		arg := args[0]
		args = args[1:]
		if n, err := strconv.Atoi(arg); two == "%c" && err == nil {
			arg = string(rune(n))
		}
		b.WriteString(arg)
		i++
	}
	return b.String()
}
