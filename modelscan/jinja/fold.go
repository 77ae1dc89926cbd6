package jinja

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
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
		return j.foldMethod(e.text, e.args[0], e.args[1:], true)
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
		args := b.list
		if args == nil {
			args = []string{b.s}
		}
		return percent(a.s, args)
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
	items := base.list
	if items == nil {
		items = strings.Split(base.s, "")
	}
	if by := e.args[1]; by.op == opSlice {
		items, ok = j.slice(items, by.args)
		if base.list == nil {
			return value{s: strings.Join(items, "")}, ok
		}
		return value{list: items}, ok
	}
	n, ok := j.integer(e.args[1])
	if n < 0 {
		n += len(items)
	}
	if !ok || n < 0 || n >= len(items) {
		return value{}, false
	}
	return text(items[n])
}

// integer folds a number, which may have a sign.
func (j *judge) integer(e *expr) (int, bool) {
	sign := 1
	for e.op == opUnary && (e.text == "-" || e.text == "+") {
		if e.text == "-" {
			sign = -sign
		}
		e = e.args[0]
	}
	v, ok := j.fold(e)
	n, err := strconv.Atoi(v.s)
	return sign * n, ok && v.list == nil && err == nil
}

// slice takes items[a:b:c] as Python does.
func (j *judge) slice(items []string, parts []*expr) ([]string, bool) {
	step, ok := 1, true
	if len(parts) == 3 && !absent(parts[2]) {
		step, ok = j.integer(parts[2])
	}
	if !ok || step == 0 || len(parts) < 2 {
		return nil, false
	}
	first, last := 0, len(items) // where an index is cut off
	from, to := first, last
	if step < 0 {
		first, last = -1, len(items)-1
		from, to = last, first
	}
	for i, bound := range []*int{&from, &to} {
		if absent(parts[i]) {
			continue
		}
		n, ok := j.integer(parts[i])
		if !ok {
			return nil, false
		}
		if n < 0 {
			n += len(items)
		}
		*bound = max(first, min(n, last))
	}
	out := []string{}
	for i := from; (to-i)*step > 0; i += step {
		out = append(out, items[i])
	}
	return out, true
}

// absent tells whether a part of a slice is left out.
func absent(e *expr) bool {
	return e.op == opNone || e.op == opName && strings.EqualFold(e.text, "none")
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
			return j.foldMethod("join", args[0], []*expr{callee.args[0]}, false)
		}
		return j.foldMethod(callee.text, callee.args[0], args, false)
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
func (j *judge) foldMethod(method string, on *expr, args []*expr, filter bool) (value, bool) {
	v, ok := j.fold(on)
	if !ok {
		return value{}, false
	}
	var folded []string
	named := map[string]string{}
	for _, a := range args {
		keyword := ""
		if a.op == opKeyword {
			keyword, a = a.text, a.args[0]
		}
		f, ok := j.fold(a)
		if !ok {
			return value{}, false
		}
		if keyword != "" {
			named[keyword] = f.s
		}
		folded = append(folded, append(f.list, f.s)...)
	}
	switch {
	case method == "format" && filter:
		return percent(v.s, folded)
	case method == "format":
		return braces(v.s, folded, named)
	}
	return apply(method, v, folded)
}

func apply(method string, v value, args []string) (value, bool) {
	switch method {
	case "join":
		items := v.list
		if items == nil {
			items = strings.Split(v.s, "")
		}
		return text(strings.Join(items, strings.Join(args[:min(1, len(args))], "")))
	case "reverse":
		return reversed(v), true
	case "list", "string", "safe", "keys", "e", "escape", "forceescape":
		return v, true
	}
	if v.list == nil {
		return applyText(method, v.s, args)
	}
	switch {
	case method == "first" && len(v.list) > 0:
		return text(v.list[0])
	case method == "last" && len(v.list) > 0:
		return text(v.list[len(v.list)-1])
	}
	return value{}, false
}

// applyText applies a filter or method to a string.
func applyText(method, s string, args []string) (value, bool) {
	switch {
	case method == "trim" || method == "strip":
		return text(strings.Trim(s, strings.Join(args, "")+" \t\r\n"))
	case method == "replace" && len(args) >= 2:
		return text(strings.ReplaceAll(s, args[0], args[1]))
	case method == "split" && len(args) == 0:
		return value{list: strings.Fields(s)}, true
	case method == "split":
		return value{list: strings.Split(s, args[0])}, true
	}
	return cased(method, s)
}

// cased applies a filter or method that changes letters.
func cased(method, s string) (value, bool) {
	switch method {
	case "lower", "casefold":
		return text(strings.ToLower(s))
	case "upper":
		return text(strings.ToUpper(s))
	case "capitalize":
		return text(strings.ToUpper(s[:min(1, len(s))]) + strings.ToLower(s[min(1, len(s)):]))
	case "swapcase":
		return text(strings.Map(func(r rune) rune {
			if unicode.IsUpper(r) {
				return unicode.ToLower(r)
			}
			return unicode.ToUpper(r)
		}, s))
	}
	return value{}, false
}

// percent fills %s, %c, %d and %x in order, as Python's % and Jinja's filter "format" do.
func percent(pattern string, args []string) (value, bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' || i+1 == len(pattern) {
			b.WriteByte(pattern[i])
			continue
		}
		i++
		if pattern[i] == '%' {
			b.WriteByte('%')
			continue
		}
		if len(args) == 0 || !strings.ContainsRune("scdrxa", rune(pattern[i])) || b.Len() > maxFolded {
			return value{}, false
		}
		b.WriteString(converted(pattern[i], args[0]))
		args = args[1:]
	}
	return text(b.String())
}

func converted(how byte, arg string) string {
	n, err := strconv.Atoi(arg)
	switch {
	case err != nil:
	case how == 'c':
		return string(rune(n))
	case how == 'x':
		return strconv.FormatInt(int64(n), 16)
	}
	return arg
}

// braces fills {}, {0} and {name} as str.format does; named holds the keyword arguments.
func braces(pattern string, args []string, named map[string]string) (value, bool) {
	var b strings.Builder
	next := 0
	for pattern != "" {
		open := strings.IndexAny(pattern, "{}")
		if open < 0 {
			b.WriteString(pattern)
			break
		}
		b.WriteString(pattern[:open])
		if strings.HasPrefix(pattern[open:], "{{") || strings.HasPrefix(pattern[open:], "}}") {
			b.WriteByte(pattern[open])
			pattern = pattern[open+2:]
			continue
		}
		stop := strings.IndexByte(pattern[open:], '}')
		if stop < 1 {
			return value{}, false
		}
		field, conversion, _ := strings.Cut(pattern[open+1:open+stop], ":")
		field, _, _ = strings.Cut(field, "!")
		pattern = pattern[open+stop+1:]
		arg, ok := named[field]
		if n, err := strconv.Atoi(field); err == nil || field == "" {
			if field == "" {
				n, next = next, next+1
			}
			if ok = n >= 0 && n < len(args); ok {
				arg = args[n]
			}
		}
		if !ok || b.Len() > maxFolded {
			return value{}, false
		}
		if conversion == "c" || conversion == "x" {
			arg = converted(conversion[0], arg)
		}
		b.WriteString(arg)
	}
	return text(b.String())
}
