package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// Bounds of a plan.
const (
	maxPlan      = 1 << 20 // bytes of the answer
	maxPlanSmall = 64      // small files that go with a question
	planDeadline = 10 * time.Second
)

// decides tells whether a file of that name is one in which a repository says what of it is read.
func decides(name string) bool {
	switch base := path.Base(name); base {
	case "config.json", "adapter_config.json", "model_index.json", "modules.json":
		return true
	default:
		return strings.HasSuffix(base, ".json") && strings.Contains(base, ".index.")
	}
}

// Plan gives the files that a reference led to the roles that they have for one call, as its library decides it: what
// the call reads are the Weights. A worker reads the small files that decide; where it fails, or no rule holds, the
// roles are as they were.
func (e *Engine) Plan(ctx context.Context, o ref.Options, res artifact.Resolution) artifact.Resolution {
	if o == (ref.Options{}) || res.Root == "" || len(res.Targets) == 0 {
		return res
	}
	q, small, err := question(o, res)
	defer func() {
		for _, f := range small {
			f.Close() // opened for reading: nothing can be lost
		}
	}()
	if err != nil {
		return res
	}
	key := planKey(q, small)
	plan, known := e.plans.get(key)
	if !known {
		if plan, err = e.localPlan(ctx, q, small, e.owners.Of(filepath.Join(res.Root, "x"))); err != nil {
			return res
		}
		e.plans.put(key, plan)
	}
	if plan == nil {
		return res
	}
	return planned(o, res, plan)
}

// question lists the files and opens the small ones.
func question(o ref.Options, res artifact.Resolution) (ref.Question, []*artifact.File, error) {
	q := ref.Question{Options: o, Files: make([]ref.PlanFile, len(res.Targets)), Small: []int{}}
	var small []*artifact.File
	for i, t := range res.Targets {
		rel, err := filepath.Rel(res.Root, t.Path)
		if err != nil {
			return q, small, err
		}
		q.Files[i].Path = filepath.ToSlash(rel)
	}
	for _, i := range deciding(q) {
		t := res.Targets[i]
		f, err := artifact.Open(t.Path, t.Within...)
		if err != nil {
			continue // the scan says what is wrong with it
		}
		q.Files[i].Size = f.Key.Size
		q.Small, small = append(q.Small, i), append(small, f)
	}
	return q, small, nil
}

// deciding are the files that go with a question: of too many those of the folder that the call names, and those that lie
// high up, so that a repository can't put others in the way of what a library reads first.
func deciding(q ref.Question) []int {
	var all []int
	for i, f := range q.Files {
		if decides(f.Path) {
			all = append(all, i)
		}
	}
	depth := func(i int) int {
		file := q.Files[i].Path
		if q.Options.Subfolder != "" && path.Dir(file) == path.Clean(q.Options.Subfolder) {
			return -1
		}
		return strings.Count(file, "/")
	}
	slices.SortStableFunc(all, func(a, b int) int { return depth(a) - depth(b) })
	return all[:min(len(all), maxPlanSmall)]
}

// localPlan asks about files on this machine.
func (e *Engine) localPlan(ctx context.Context, q ref.Question, small []*artifact.File, owner string) (*ref.Plan, error) {
	item := sandbox.Item{Params: q, Deadline: planDeadline}
	for _, f := range small {
		item.Files = append(item.Files, sandbox.File{Name: clip(modelscan.Text(filepath.Base(f.Path)), maxLabel), Size: f.Key.Size, Descriptor: f.File})
	}
	return e.askPlan(ctx, item, len(q.Files), owner)
}

// askPlan has a worker answer a question about that many files of one owner.
func (e *Engine) askPlan(ctx context.Context, item sandbox.Item, files int, owner string) (*ref.Plan, error) {
	w, err := e.pool.Get(ctx, owner)
	if err != nil {
		return nil, err
	}
	var plan *ref.Plan
	var bad error
	err = w.Run(ctx, sandbox.Request{Kind: "plan", MaxResult: maxPlan, Items: []sandbox.Item{item}}, func(_ int, answer []byte, handler error) bool {
		if bad = handler; bad == nil {
			plan, bad = decodePlan(answer, files)
		}
		return bad == nil
	})
	if err = errors.Join(err, bad); err != nil {
		e.pool.Discard(w)
		return nil, err
	}
	e.pool.Put(w)
	return plan, nil
}

// decodePlan reads what a worker says as what it is: hostile input.
func decodePlan(answer []byte, files int) (*ref.Plan, error) {
	dec := json.NewDecoder(bytes.NewReader(answer))
	dec.DisallowUnknownFields()
	var p *ref.Plan
	if err := dec.Decode(&p); err != nil || p == nil {
		return nil, err
	}
	for _, list := range [][]int{p.Weights, p.Others} {
		for _, i := range list {
			if i < 0 || i >= files {
				return nil, fmt.Errorf("file %d of %d", i, files)
			}
		}
	}
	for _, list := range [][]string{{p.By}, p.Elsewhere, p.Missing, p.Notes} {
		for _, text := range list {
			if len(text) > maxText || len(list) > maxNotes {
				return nil, errors.New("a plan of too many words")
			}
		}
	}
	return p, nil
}

// modelNames begin the names of weights that a class which reads none certainly leaves alone.
var modelNames = []string{"model", "pytorch_model", "adapter_model", "tf_model", "flax_model", "diffusion_pytorch_model"}

// planned gives the targets their roles. What the plan leaves out is kept as an alternative: a worker can make a
// finding milder, and hide none. Only a call of a class that reads no weights, which the source says, hides some.
func planned(o ref.Options, res artifact.Resolution, p *ref.Plan) artifact.Resolution {
	out := res
	out.Targets = slices.Clone(res.Targets)
	for i := range out.Targets {
		if out.Targets[i].Role == artifact.Weights {
			out.Targets[i].Role = artifact.Alternative
		}
	}
	for _, i := range p.Others {
		out.Targets[i].Role = artifact.Alternative
	}
	for _, i := range p.Weights {
		out.Targets[i].Role = artifact.Weights
	}
	if o.Library != "" && ref.Weightless(o.Class) {
		out.Why = ""
		for i := range out.Targets {
			base := filepath.Base(out.Targets[i].Path)
			if slices.ContainsFunc(modelNames, func(name string) bool { return strings.HasPrefix(base, name) }) {
				out.Targets[i].Role = artifact.Beside
			}
		}
	}
	slices.SortStableFunc(out.Targets, func(a, b artifact.Target) int { return int(a.Role) - int(b.Role) })
	out.Plan = p
	if len(p.Weights) > 0 {
		out.Why = ""
	}
	if len(p.Missing) > 0 {
		out.Why = fmt.Sprintf("%s names files that are not there: %s", filepath.Base(res.Root), strings.Join(p.Missing, ", "))
	}
	return out
}

// plans remembers what was answered: an editor asks the same with every keystroke.
type plans struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*ref.Plan
}

// maxPlans bounds them.
const maxPlans = 256

// planKey is of the question and the state of the files that decide.
func planKey(q ref.Question, small []*artifact.File) (key [sha256.Size]byte) {
	h := sha256.New()
	enc := json.NewEncoder(h) // a hash never fails
	_ = enc.Encode(q)
	for _, f := range small {
		_ = enc.Encode(f.Key)
	}
	h.Sum(key[:0])
	return key
}

func (p *plans) get(key [sha256.Size]byte) (*ref.Plan, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	plan, ok := p.known[key]
	return plan, ok
}

func (p *plans) put(key [sha256.Size]byte, plan *ref.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxPlans {
		p.known = map[[sha256.Size]byte]*ref.Plan{}
	}
	p.known[key] = plan
}
