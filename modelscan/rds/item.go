package rds

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Types of items (Rinternals.h, and serialize.c for those from 238 on).
const (
	symbol, pairlist, closure, environment, promise, language, special, builtin, char = 1, 2, 3, 4, 5, 6, 7, 8, 9

	logical, integer, double, complexes, texts, dots, list, expression, bytecode, pointer, weakref, raw, s4 = 10, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25

	altrep, attrList, attrLang, baseEnv, emptyEnv, repRef, repDef, genericRef, classRef, persistent, packageEnv, namespace = 238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249

	baseNamespace, missing, unbound, globalEnv, null, reference = 250, 251, 252, 253, 254, 255
)

// Bits of an item's flags.
const (
	hasAttributes = 1 << 9
	hasTag        = 1 << 10
	activeBinding = 1 << (12 + 15)
)

// maxDepth of items in items: R itself stops at a few thousand.
const maxDepth = 3000

var (
	errType  = errors.New("no type of R's serialization")
	errDepth = fmt.Errorf("nested deeper than %d: %w", maxDepth, modelscan.ErrLimit)
)

// place is where an item stands.
type place struct {
	depth int
	frame bool // in the variables of an environment, where unevaluated arguments of functions end up
	lazy  bool // in what is evaluated when someone looks at it
}

func (at place) in() place { return place{depth: at.depth + 1, lazy: at.lazy} }

// value is what is remembered of an item: its type, and how R would write it.
type value struct {
	kind int64
	text string
}

// item reads one.
func (r *reader) item(at place) (value, error) {
	flags := r.int()
	if err := r.ctx.Err(); err != nil {
		return value{}, err
	}
	switch {
	case r.w.Err != nil:
		return value{}, r.w.Err
	case at.depth > maxDepth:
		return value{}, errDepth
	}
	return r.typed(flags, at)
}

func (r *reader) typed(flags int64, at place) (value, error) {
	v := value{kind: flags & 0xff}
	var err error
	switch v.kind {
	case null, globalEnv, unbound, missing, baseNamespace, baseEnv, emptyEnv:
		return v, nil
	case reference:
		n := flags >> 8
		if n == 0 {
			n = r.int()
		}
		if r.w.Err == nil && (n < 1 || n > r.refs) {
			err = fmt.Errorf("reference to item %d of %d: %w", n, r.refs, errType)
		}
		return r.symbols(v, n), err
	case symbol:
		v, err = r.item(at.in())
		r.refs++
		v.kind = symbol
		r.remember(v.text)
		return v, err
	case namespace, packageEnv, persistent:
		return v, r.names(at)
	case environment:
		return v, r.environment(at)
	case pairlist, language, closure, promise, dots:
		return r.cells(flags, at)
	case altrep:
		return v, r.altrep(at)
	}
	if v.text, err = r.vector(v.kind, at); err == nil && flags&hasAttributes != 0 {
		_, err = r.item(at.in())
	}
	return v, err
}

// vector reads what an item without parts of its own holds.
func (r *reader) vector(kind int64, at place) (string, error) {
	switch kind {
	case special, builtin:
		return r.text(r.int()), r.w.Err
	case char:
		n := r.int()
		if n == -1 {
			return "NA", r.w.Err
		}
		return r.text(n), r.w.Err
	case logical, integer:
		return r.numbers(4)
	case double:
		return r.numbers(8)
	case complexes:
		return r.numbers(16)
	case raw:
		return "", r.raw()
	case texts, list, expression:
		return r.items(kind, at)
	case bytecode:
		r.int() // how many parts are shared
		return "", r.bytecode(at)
	case pointer:
		r.refs++
		r.remember("")
		if _, err := r.item(at.in()); err != nil {
			return "", err
		}
		_, err := r.item(at.in())
		return "", err
	case weakref:
		r.refs++
		r.remember("")
		return "", r.w.Err
	case s4:
		return "", nil
	}
	return "", fmt.Errorf("%d: %w", kind, errType)
}

func (r *reader) numbers(width int64) (string, error) {
	n := r.length()
	if r.w.Err == nil && (n < 0 || n > (r.w.Len()-r.off)/width) {
		return "", fmt.Errorf("%d numbers: %w", n, io.ErrUnexpectedEOF)
	}
	switch {
	case n == 1 && width == 4:
		return strconv.FormatInt(r.int(), 10), r.w.Err
	case n == 1 && width == 8:
		high, low := uint64(r.int()), uint64(r.int())
		return strconv.FormatFloat(math.Float64frombits(high<<32|low&math.MaxUint32), 'g', -1, 64), r.w.Err
	}
	r.skip(n * width)
	return "…", r.w.Err
}

// maxRaws vectors of bytes are looked into: XGBoost and others keep a model of their own in one.
const (
	maxRaws = 64
	minRaw  = 16
)

func (r *reader) raw() error {
	n := r.length()
	at := r.off
	r.skip(n)
	if r.w.Err == nil && n >= minRaw && r.raws < maxRaws {
		r.raws++
		r.p.Emit.Descend(r.ctx, r.p.Member(fmt.Sprintf("raw@%#x", at), io.NewSectionReader(r.p.R, at, n), n))
	}
	return r.w.Err
}

// items reads a vector of texts or other items, and returns the text of one that has just one.
func (r *reader) items(kind int64, at place) (string, error) {
	n := r.length()
	if n < 0 {
		return "", fmt.Errorf("%d items: %w", n, errType)
	}
	last := ""
	for range n {
		v, err := r.item(at.in())
		if err != nil {
			return "", err
		}
		last = v.text
	}
	if n == 1 && kind == texts {
		return strconv.Quote(last), nil
	}
	return "…", nil
}

// names of a package or namespace, which R loads when it is installed.
func (r *reader) names(at place) error {
	r.int()
	r.refs++
	r.remember("")
	n := r.int()
	for range n {
		if _, err := r.item(at.in()); err != nil {
			return err
		}
	}
	return r.w.Err
}

// environment: who encloses it, its variables as a list, as a table of lists, its attributes.
func (r *reader) environment(at place) error {
	r.int() // locked
	r.refs++
	r.remember("")
	for part := range 4 {
		next := at.in()
		next.frame = part == 1 || part == 2
		if _, err := r.frame(next); err != nil {
			return err
		}
	}
	return nil
}

// frame is an item whose lists, and whose vector's lists, hold variables.
func (r *reader) frame(at place) (value, error) {
	flags := r.int()
	if !at.frame || flags&0xff != list || r.w.Err != nil {
		if r.w.Err != nil {
			return value{}, r.w.Err
		}
		return r.typed(flags, at)
	}
	n := r.length()
	for range n {
		if _, err := r.item(at); err != nil {
			return value{}, err
		}
	}
	if flags&hasAttributes != 0 {
		return r.item(at.in())
	}
	return value{}, r.w.Err
}

// altrep: a vector that a class makes out of a state.
func (r *reader) altrep(at place) error {
	start := r.off
	var parts [3]value
	for i := range parts {
		v, err := r.item(at.in())
		if err != nil {
			return err
		}
		parts[i] = v
	}
	r.judgeClass(start, strings.TrimSpace(parts[0].text))
	return nil
}
