package index

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Selection says which tensors of a file a plan is of. Zero: those of the state_dict or module, wherever checkpoints keep it.
type Selection struct {
	Only string // the dotted keys of a dict or module, "." for the outermost
	All  bool   // every tensor in dicts, lists and modules, by dotted names
}

// LeftOut is something in the file that a plan leaves out.
type LeftOut struct {
	Name    string `json:"name"`    // dotted keys
	Tensors int    `json:"tensors"` // in it, and not in one that is named before
}

// maxLeft bounds the entries that are named; all are counted.
const maxLeft = 50

// choose plans what is selected of the file's object.
func (p *planner) choose(root Ref, sel Selection) error {
	if sel.All {
		return p.all(root, "", 0)
	}
	if sel.Only != "" && sel.Only != "." {
		var err error
		if root, err = p.descend(root, sel.Only); err != nil {
			return err
		}
		p.plan.From = sel.Only
	}
	for range len(checkpointKeys) + 1 {
		if p.isModule(root) {
			return p.module(root, "", 0)
		}
		key, next := "", Ref(0)
		if sel.Only == "" && !p.isStateDict(root) {
			key, next = p.inner(root)
		}
		if next == 0 {
			return p.tensors(root)
		}
		for _, e := range p.pairs(root) {
			if name := p.keyName(e.key); name != key {
				p.leave(dotted(p.plan.From, name), e.value)
			}
		}
		p.plan.From, root = dotted(p.plan.From, key), next
	}
	return errNoStateDict
}

var errNoStateDict = errors.New("no state_dict in the file: it holds neither a dict of tensors nor a module")

// descend follows dotted keys; a key may have dots itself.
func (p *planner) descend(dict Ref, path string) (Ref, error) {
	for path != "" {
		key, rest := path, ""
		next := p.g.resolve(p.g.lookup(dict, key))
		for next == 0 {
			i := strings.LastIndexByte(key, '.')
			if i < 0 {
				return 0, fmt.Errorf("nothing in the file is called %q", path)
			}
			key, rest = path[:i], path[i+1:]
			next = p.g.resolve(p.g.lookup(dict, key))
		}
		dict, path = next, rest
	}
	return dict, nil
}

// inner is the dict or module in which a checkpoint keeps what matters, 0 if there is none.
func (p *planner) inner(dict Ref) (string, Ref) {
	for _, key := range checkpointKeys {
		if r := p.g.resolve(p.g.lookup(dict, key)); r != 0 && (p.isModule(r) || len(p.pairs(r)) > 0) {
			return key, r
		}
	}
	return "", 0
}

// tensors takes those that are a dict's values.
func (p *planner) tensors(dict Ref) error {
	for _, e := range p.pairs(dict) {
		if p.tensorOf(e.value) < 0 {
			p.leave(dotted(p.plan.From, p.keyName(e.key)), e.value)
		} else if err := p.add("", e); err != nil {
			return err
		}
	}
	if len(p.names) == 0 {
		return errNoStateDict
	}
	return nil
}

// all takes every tensor below r.
func (p *planner) all(r Ref, name string, depth int) error {
	if p.steps++; depth > maxModuleDepth || p.steps > 4*maxPlan {
		return fmt.Errorf("dicts nested deeper than %d, or more than %d values: %w", maxModuleDepth, 4*maxPlan, modelscan.ErrLimit)
	}
	if p.tensorOf(r) >= 0 {
		return p.named(name, r)
	}
	if p.isModule(r) {
		return p.module(r, strings.TrimPrefix(name+".", "."), depth)
	}
	inner := p.items(r)
	if len(inner) == 0 {
		p.leave(name, r)
	}
	for i, e := range inner {
		key := strconv.Itoa(i)
		if e.key != 0 {
			key = p.keyName(e.key)
		}
		if err := p.all(e.value, dotted(name, key), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// items of a dict, list or tuple; those of the last two have no keys.
func (p *planner) items(r Ref) []pair {
	var out []pair
	if items, ok := p.g.tuple(r); ok {
		for _, item := range items {
			out = append(out, pair{0, p.g.resolve(Ref(item))})
		}
		return out
	}
	if p.g.kind(r) == kOpaque {
		return nil
	}
	if p.g.kind(r) != kList {
		return p.pairs(r)
	}
	var runs [][]uint32
	for _, items := range p.g.fillings(r) {
		runs = append(runs, items)
	}
	for _, items := range slices.Backward(runs) {
		for _, item := range items {
			out = append(out, pair{0, p.g.resolve(Ref(item))})
		}
	}
	return out
}

// leave notes what is not taken.
func (p *planner) leave(name string, r Ref) {
	if p.seek == nil {
		p.seek = &encoder{g: p.g, mark: make([]bool, len(p.g.kinds))}
	}
	n := p.seek.reach(r)
	p.plan.LeftEntries++
	p.plan.LeftTensors += n
	if len(p.plan.Left) < maxLeft {
		p.plan.Left = append(p.plan.Left, LeftOut{name, n})
	}
}

func (p *planner) keyName(r Ref) string {
	if n, ok := p.g.int64(r); ok {
		return strconv.FormatInt(n, 10)
	}
	if text, ok := p.g.text(r); ok {
		return text
	}
	return "(a key that is no text)"
}

func dotted(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}
