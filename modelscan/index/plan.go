package index

import (
	"context"
	"fmt"
	"slices"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Plan says which bytes of a file make which tensors of a safetensors file.
type Plan struct {
	Tensors []PlanTensor      `json:"tensors"`
	Ties    map[string]string `json:"ties"` // name -> the name under which the same tensor is written

	From        string    `json:"from"` // dotted keys of the dict or module that they are of, "" for the outermost
	Left        []LeftOut `json:"left"` // the first of what is left out
	LeftEntries int       `json:"left_entries"`
	LeftTensors int       `json:"left_tensors"`
}

// PlanTensor is a view of a run of bytes in the file. Offset and extent are checked against the file.
type PlanTensor struct {
	Name    string  `json:"name"`
	DType   string  `json:"dtype"` // as safetensors calls it
	Item    int64   `json:"item"`  // bytes of an element
	Offset  int64   `json:"offset"`
	Shape   []int64 `json:"shape"`
	Strides []int64 `json:"strides"` // elements
}

// checkpointKeys are where checkpoints keep what matters, in the order in which they are looked at.
var checkpointKeys = []string{"state_dict", "model_state_dict", "model_state", "model", "module", "net", "ema", "weights", "params"}

// BuildPlan finds the tensors that are selected in a file, or the state_dict of the pickled module in it, without its class.
func BuildPlan(ctx context.Context, src modelscan.Source, limits modelscan.Limits, sel Selection) (*Plan, error) {
	b, root, err := graphOf(ctx, src, limits)
	if err != nil {
		return nil, err
	}
	p := &planner{g: b.g, plan: Plan{Ties: map[string]string{}}, seen: map[string]string{}, names: map[string]bool{}}
	return &p.plan, p.choose(b.g.resolve(root), sel)
}

type planner struct {
	g     *graph
	plan  Plan
	seen  map[string]string // identity of a tensor -> name
	names map[string]bool
	seek  *encoder // marks what was left out
	steps int      // values that were looked at
}

type pair struct{ key, value Ref }

// pairs of a dict in its order. A key that was set again keeps its place and has the newer value.
func (p *planner) pairs(dict Ref) []pair {
	var runs [][]uint32
	for k, items := range p.g.fillings(dict) {
		if k == kSetItems {
			runs = append(runs, items)
		}
	}
	slices.Reverse(runs)
	var out []pair
	at := map[string]int{}
	for _, items := range runs {
		for i := 0; i+1 < len(items); i += 2 {
			key, _ := p.g.text(Ref(items[i]))
			if j, ok := at[key]; ok {
				out[j].value = p.g.resolve(Ref(items[i+1]))
				continue
			}
			at[key] = len(out)
			out = append(out, pair{Ref(items[i]), p.g.resolve(Ref(items[i+1]))})
		}
	}
	return out
}

// tensorOf is the row of a tensor or parameter, -1 for anything else.
func (p *planner) tensorOf(r Ref) int64 {
	if p.g.kind(r) == kCall {
		run := p.g.run(r)
		if name := string(p.g.bytes(Ref(run[0]))); name == "torch._utils._rebuild_parameter" || name == "torch._utils._rebuild_parameter_with_state" {
			r = p.g.resolve(Ref(run[1]))
		}
	}
	if p.g.kind(r) != kTensor {
		return -1
	}
	return p.g.vals[r]
}

func (p *planner) isStateDict(r Ref) bool {
	pairs := p.pairs(r)
	return len(pairs) > 0 && !slices.ContainsFunc(pairs, func(e pair) bool { return p.tensorOf(e.value) < 0 })
}

// state of an opaque object.
func (p *planner) state(r Ref) Ref {
	for k, items := range p.g.fillings(r) {
		if k == kState {
			return p.g.resolve(Ref(items[0]))
		}
	}
	return 0
}

func (p *planner) isModule(r Ref) bool {
	if p.g.kind(r) != kOpaque {
		return false
	}
	state := p.state(r)
	return p.g.lookup(state, "_parameters") != 0 && p.g.lookup(state, "_buffers") != 0 && p.g.lookup(state, "_modules") != 0
}

const maxModuleDepth = 200

// module does what nn.Module.state_dict does (torch.nn.Module._save_to_state_dict) on the pickled attributes.
func (p *planner) module(r Ref, prefix string, depth int) error {
	if depth > maxModuleDepth {
		return fmt.Errorf("modules nested deeper than %d: %w", maxModuleDepth, modelscan.ErrLimit)
	}
	state := p.state(r)
	skip := map[string]bool{}
	for _, items := range p.g.fillings(p.g.resolve(p.g.lookup(state, "_non_persistent_buffers_set"))) {
		for _, item := range items {
			name, _ := p.g.text(Ref(item))
			skip[name] = true
		}
	}
	for _, part := range []string{"_parameters", "_buffers"} {
		for _, e := range p.pairs(p.g.resolve(p.g.lookup(state, part))) {
			name, _ := p.g.text(e.key)
			if e.value == 0 || part == "_buffers" && skip[name] {
				continue
			}
			if err := p.add(prefix, e); err != nil {
				return err
			}
		}
	}
	for _, e := range p.pairs(p.g.resolve(p.g.lookup(state, "_modules"))) {
		name, ok := p.g.text(e.key)
		if e.value == 0 {
			continue
		}
		if !ok || !p.isModule(e.value) {
			return fmt.Errorf("%s%s is no module", prefix, name)
		}
		if err := p.module(e.value, prefix+name+".", depth+1); err != nil {
			return err
		}
	}
	return nil
}

// maxPlan bounds the tensors of a plan: modules that share their children could name them without end.
const maxPlan = 1_000_000

func (p *planner) add(prefix string, e pair) error {
	key, ok := p.g.text(e.key)
	if !ok {
		return fmt.Errorf("a tensor in %q has a key that is no text", prefix)
	}
	return p.named(prefix+key, e.value)
}

func (p *planner) named(name string, value Ref) error {
	row := p.tensorOf(value)
	if row < 0 || name == "" || name == "__metadata__" || p.names[name] {
		return fmt.Errorf("%q is no tensor with a name of its own", name)
	}
	if p.names[name] = true; len(p.names) > maxPlan {
		return fmt.Errorf("more than %d tensors: %w", maxPlan, modelscan.ErrLimit)
	}
	t := p.g.tensors[row]
	s := p.g.storages[t.storage]
	offset := int64(0)
	if s.root >= 0 {
		offset, s = s.offset, p.g.storages[s.root]
	}
	torch := string(p.g.bytes(t.dtype))
	dtype := ""
	for theirs, ours := range safetensorTypes {
		if ours == torch {
			dtype = theirs
		}
	}
	if dtype == "" || s.flags != 0 || s.text >= 0 || t.flags&^tensorRequiresGrad != 0 {
		return fmt.Errorf("%q (%s, compressed, byte-swapped or conjugated): %w", name, torch, ErrUnsupported)
	}
	item := itemSizes[torch]
	dims := p.g.dims[t.dims : t.dims+2*t.ndim]
	pt := PlanTensor{
		Name: name, DType: dtype, Item: item, Offset: s.off + offset + t.offset*item,
		Shape: append([]int64{}, dims[:t.ndim]...), Strides: append([]int64{}, dims[t.ndim:]...),
	}
	id := fmt.Sprint(pt.Offset, dtype, dims)
	if first, tied := p.seen[id]; tied && !slices.Contains(pt.Shape, 0) {
		p.plan.Ties[name] = first
		return nil
	}
	p.seen[id] = name
	p.plan.Tensors = append(p.plan.Tensors, pt)
	return nil
}
