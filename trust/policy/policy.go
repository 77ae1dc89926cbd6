// Package policy evaluates policies in Rego, in the syntax of version 1 and in the older one, with Open Policy Agent's
// engine. A policy decides about a model on what is known of it; it can reach nothing else: no network, no clock of its
// own, no randomness. What goes wrong denies.
package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Package is the one that a policy's rules are in.
const Package = "secure_torch.policy"

// Bounds of policies.
const (
	// Timeout is the processor time of one evaluation, where the question has none.
	Timeout     = 100 * time.Millisecond
	maxModules  = 256
	maxText     = 1 << 20 // bytes of one module
	maxMessages = 100     // of one kind in a decision
)

// Policies are compiled, and ready for any number of evaluations.
type Policies struct {
	groups []group // by syntax: modules of both cannot be compiled together
	budget budget
}

// group is the modules of one syntax.
type group struct {
	modules []*ast.Module
	query   rego.PreparedEvalQuery
	rules   map[string]bool // names in Package
}

// Compile reads the question's policies. Its time is what time.now_ns gives: evaluating again gives the same decision.
func (e Engine) Compile(ctx context.Context, q *evidence.PolicyQuestion) (*Policies, error) {
	parsed, err := parseAll(q.Modules)
	if err != nil {
		return nil, err
	}
	p := &Policies{budget: e.budget(q)}
	found := false
	for _, version := range []ast.RegoVersion{ast.RegoV1, ast.RegoV0} {
		g := group{rules: map[string]bool{}}
		for _, m := range parsed[version] {
			if err := asked(m); err != nil {
				return nil, err
			}
			g.add(m)
		}
		if len(g.modules) == 0 {
			continue
		}
		if g.query, err = g.prepare(ctx, "data."+Package, version); err != nil {
			return nil, err
		}
		found = found || g.decides()
		p.groups = append(p.groups, g)
	}
	if !found {
		return nil, fmt.Errorf("no rule decides anything: a policy has the package %s, and in it deny, violation, warn or allow", Package)
	}
	return p, nil
}

// parseAll parses each module as Rego v1 and, if it is none, as v0; the answer has them by version.
func parseAll(modules []evidence.Module) (map[ast.RegoVersion][]*ast.Module, error) {
	if len(modules) == 0 || len(modules) > maxModules {
		return nil, fmt.Errorf("%d policy files", len(modules))
	}
	out, texts := map[ast.RegoVersion][]*ast.Module{}, map[string]string{}
	for _, m := range modules {
		if text, known := texts[m.Name]; known {
			if text != m.Text { // the engine would take the last
				return nil, fmt.Errorf("%s: two policies of that name", m.Name)
			}
			continue
		}
		texts[m.Name] = m.Text
		if len(m.Text) > maxText {
			return nil, fmt.Errorf("%s: more than %d bytes", m.Name, maxText)
		}
		version := ast.RegoV1
		parsed, err := ast.ParseModuleWithOpts(m.Name, m.Text, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			old, oldErr := ast.ParseModuleWithOpts(m.Name, m.Text, ast.ParserOptions{RegoVersion: ast.RegoV0})
			if oldErr != nil {
				return nil, fmt.Errorf("as Rego v1: %w; as v0: %w", oneLine(err), oneLine(oldErr))
			}
			parsed, version = old, ast.RegoV0
		}
		if parsed == nil {
			return nil, fmt.Errorf("%s is empty", m.Name)
		}
		out[version] = append(out[version], parsed)
	}
	return out, nil
}

func (g *group) add(m *ast.Module) {
	g.modules = append(g.modules, m)
	if m.Package.Path.String() != "data."+Package {
		return
	}
	for _, r := range m.Rules {
		g.rules[string(r.Head.Ref()[0].Value.(ast.Var))] = true //nolint:forcetypeassert // the parser lets a rule begin with a name alone
	}
}

// asked refuses a module whose rules would keep models out, and which nothing evaluates: in another package, or as
// functions. Helpers may lie in packages of their own.
func asked(m *ast.Module) error {
	path := m.Package.Path.String()
	for _, r := range m.Rules {
		name := r.Head.Ref()[0].Value.String()
		kind, _ := kindOf(name)
		switch {
		case kind != "deny" && kind != "violation":
		case path != "data."+Package:
			return fmt.Errorf("%s: %s is in the package %s, and is asked in %s alone", m.Package.Location.File, name, strings.TrimPrefix(path, "data."), Package)
		case len(r.Head.Args) > 0:
			return fmt.Errorf("%s: %s is a function, which nothing calls: write %s contains msg if { … }", r.Location, name, name)
		}
	}
	return nil
}

// decides tells whether a rule of the group can deny or warn.
func (g *group) decides() bool {
	for name := range g.rules {
		if kind, _ := kindOf(name); kind != "" && kind != "exception" {
			return true
		}
	}
	return false
}

// prepare compiles the group with what its rules may call.
func (g *group) prepare(ctx context.Context, query string, version ast.RegoVersion) (rego.PreparedEvalQuery, error) {
	opts := []func(*rego.Rego){
		rego.Query("x = " + query), rego.SetRegoVersion(version), rego.Capabilities(capabilities()), rego.StrictBuiltinErrors(true),
	}
	for _, m := range g.modules {
		opts = append(opts, rego.ParsedModule(m))
	}
	prepared, err := rego.New(opts...).PrepareForEval(ctx)
	return prepared, oneLine(err)
}

// oneLine is the engine's errors in a policy without its pictures of the lines, and without what it was at itself.
func oneLine(err error) error {
	all, ok := errors.AsType[ast.Errors](err)
	if !ok {
		return err
	}
	var texts []string
	for _, e := range all {
		text := e.Message
		if e.Location != nil {
			text = fmt.Sprintf("%s:%d: %s", e.Location.File, e.Location.Row, e.Message)
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return errors.New(strings.Join(texts, "; "))
}

// forbidden builtins reach out of the policy, or answer differently each time. The clock stays: it stands still at the
// time of the question.
func forbidden(b *ast.Builtin) bool {
	switch {
	case b.Name == "time.now_ns":
		return false
	case b.IsNondeterministic(), strings.HasPrefix(b.Name, "io.jwt."), strings.HasPrefix(b.Name, "net.lookup"), strings.HasPrefix(b.Name, "rand."):
		return true
	}
	return slices.Contains([]string{"http.send", "opa.runtime", "rego.parse_module", "uuid.rfc4122", "trace"}, b.Name)
}

func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	c.Builtins = slices.DeleteFunc(c.Builtins, forbidden)
	c.AllowNet = []string{}
	return c
}

// Decide evaluates the policies on one input. Whatever goes wrong is in the decision, which then allows nothing.
func (p *Policies) Decide(ctx context.Context, input ast.Value) evidence.Decision {
	var d evidence.Decision
	for _, g := range p.groups {
		result, err := g.eval(ctx, input, p.budget)
		if err != nil {
			return evidence.Decision{Error: err.Error()}
		}
		if err := collect(&d, result, g.rules); err != nil {
			return evidence.Decision{Error: err.Error()}
		}
	}
	d.Allowed = len(d.Deny) == 0
	return d
}

func (g *group) eval(ctx context.Context, input ast.Value, b budget) (map[string]any, error) {
	if len(g.rules) == 0 {
		return nil, nil // only what others import
	}
	value, err := run(ctx, g.query, input, b)
	if err != nil {
		return nil, err
	}
	result, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the package %s has no value", Package)
	}
	return result, nil
}

// run evaluates a prepared query within its budget.
func run(ctx context.Context, query rego.PreparedEvalQuery, input ast.Value, b budget) (any, error) {
	ctx, end := b.begin(ctx)
	defer end()
	rs, err := query.Eval(ctx, rego.EvalParsedInput(input), rego.EvalTime(b.now))
	switch {
	case topdown.IsCancel(err):
		return nil, fmt.Errorf("the policy took longer than %s", b.most)
	case err != nil:
		return nil, err
	case len(rs) == 0:
		return nil, errUndefined
	}
	return rs[0].Bindings["x"], nil
}

var errUndefined = errors.New("undefined")
