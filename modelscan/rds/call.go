package rds

import (
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// cells reads a chain of cells: a list, a call, a function, a promise.
func (r *reader) cells(flags int64, at place) (value, error) {
	kind := flags & 0xff
	start := r.off - 4
	if kind == promise {
		return r.promise(flags, start, at)
	}
	if kind == closure {
		return value{kind: closure}, r.closure(flags, at)
	}
	var out []string
	for {
		var err error
		if out, err = r.cell(flags, at, out); err != nil {
			return value{}, err
		}
		// What follows is read here where it goes on in the same way: a list may be long.
		flags = r.int()
		if t := flags & 0xff; r.w.Err != nil || t != pairlist && t != language {
			break
		}
		if err := r.ctx.Err(); err != nil {
			return value{}, err
		}
	}
	if r.w.Err != nil {
		return value{}, r.w.Err
	}
	rest, err := r.typed(flags, at.in())
	if rest.text != "" {
		out = add(out, "", rest.text)
	}
	v := value{kind: kind, text: strings.Join(out, " ")}
	if kind == language && err == nil {
		v.text = render(out)
		r.judgeCall(start, out, v.text, at.lazy)
	} else if len(v.text) > maxText {
		v.text = v.text[:maxText]
	}
	return v, err
}

// cell reads one and adds what it holds to what comes before it.
func (r *reader) cell(flags int64, at place, before []string) ([]string, error) {
	next := at.in()
	if at.frame && flags&activeBinding != 0 {
		next.lazy = true // a function that runs whenever the variable is looked at
	}
	tag, err := r.head(flags, next)
	if err != nil {
		return nil, err
	}
	next.frame = at.frame // a promise in it is an argument
	car, err := r.item(next)
	return add(before, tag, car.text), err
}

// maxArguments are remembered of a call.
const maxArguments = 8

func add(out []string, tag, text string) []string {
	if len(out) > maxArguments {
		return out
	}
	if tag != "" {
		text = tag + " = " + text
	}
	return append(out, text)
}

// render writes a call as R would.
func render(parts []string) string {
	text := parts[0] + "(" + strings.Join(parts[1:], ", ") + ")"
	if len(text) > maxText {
		return text[:maxText] + "…"
	}
	return text
}

// head reads the attributes and the tag that a cell may have.
func (r *reader) head(flags int64, at place) (tag string, err error) {
	if flags&hasAttributes != 0 {
		if _, err = r.item(at); err != nil {
			return "", err
		}
	}
	if flags&hasTag != 0 {
		v, err := r.item(at)
		return v.text, err
	}
	return "", nil
}

// closure: attributes, environment, arguments and their defaults, body.
func (r *reader) closure(flags int64, at place) error {
	if _, err := r.head(flags, at.in()); err != nil {
		return err
	}
	if _, err := r.item(at.in()); err != nil {
		return err
	}
	_, err := r.item(at.in())
	return err
}

// promise: attributes, environment, value, expression. One without a value is evaluated when it is looked at. In the
// variables of an environment R itself leaves such promises: arguments that a function never used.
func (r *reader) promise(flags, start int64, at place) (value, error) {
	if _, err := r.head(flags, at.in()); err != nil {
		return value{}, err
	}
	v, err := r.item(at.in())
	if err != nil {
		return value{}, err
	}
	next := at.in()
	next.lazy = v.kind == unbound
	expr, err := r.item(next)
	if err == nil && next.lazy && !at.frame && (expr.kind == language || expr.kind == bytecode) {
		r.tell(rule.RPromise, start, expr.text, "R before 4.4 evaluates the promise %s when the object is looked at", expr.text)
	}
	return value{kind: promise, text: expr.text}, err
}

// bytecode: instructions, then constants, among them the calls that they were made from.
func (r *reader) bytecode(at place) error {
	if at.depth > maxDepth {
		return errDepth
	}
	if _, err := r.item(at.in()); err != nil {
		return err
	}
	for n := r.int(); n > 0; n-- {
		var err error
		switch kind := r.int(); kind {
		case bytecode:
			err = r.bytecode(at.in())
		case language, pairlist, repDef, repRef, attrLang, attrList:
			_, err = r.shared(kind, at.in())
		default:
			_, err = r.item(at.in())
		}
		if err != nil || r.w.Err != nil {
			return r.failed(err)
		}
	}
	return r.w.Err
}

func (r *reader) failed(err error) error {
	if r.w.Err != nil {
		return r.w.Err
	}
	return err
}

// shared is a call or list among the constants of bytecode, whose parts may be met before.
func (r *reader) shared(kind int64, at place) (value, error) {
	start := r.off - 4
	if at.depth > maxDepth {
		return value{}, errDepth
	}
	switch kind {
	case repRef:
		r.int()
		return value{kind: repRef}, r.w.Err
	case repDef:
		r.int()
		kind = r.int()
	case language, pairlist, attrLang, attrList:
	default:
		return r.item(at)
	}
	if kind == attrLang || kind == attrList {
		if _, err := r.item(at.in()); err != nil {
			return value{}, err
		}
	}
	if _, err := r.item(at.in()); err != nil { // the tag
		return value{}, err
	}
	out, err := r.halves(at)
	if err != nil {
		return value{}, err
	}
	v := value{kind: kind, text: strings.Join(out, ", ")}
	if kind == language || kind == attrLang {
		v.kind, v.text = language, render(out)
		r.judgeCall(start, out, v.text, at.lazy)
	}
	return v, nil
}

// halves reads the two parts of a cell among the constants of bytecode.
func (r *reader) halves(at place) (out []string, err error) {
	for range 2 {
		next := r.int()
		if r.w.Err != nil {
			return nil, r.w.Err
		}
		v, err := r.shared(next, at.in())
		if err != nil {
			return nil, err
		}
		if v.text != "" || len(out) == 0 {
			out = add(out, "", v.text)
		}
	}
	return out, nil
}

func (r *reader) tell(id rule.ID, off int64, subject, format string, args ...any) {
	if key := string(id) + subject; len(r.told) < maxTold && !r.told[key] {
		r.told[key] = true
		r.p.Emit.Finding(modelscan.Finding{Rule: id, Path: r.p.Name, Offset: off, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

// maxTold findings are enough.
const maxTold = 50
