package policy

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Test runs the rules whose names begin with test_, as `opa test` does: one passes that is true. todo_test_ rules are
// not run.
func (e Engine) Test(ctx context.Context, q *evidence.PolicyQuestion) ([]evidence.TestResult, error) {
	parsed, err := parseAll(q.Modules)
	if err != nil {
		return nil, err
	}
	var results []evidence.TestResult
	for _, version := range []ast.RegoVersion{ast.RegoV1, ast.RegoV0} {
		g := group{rules: map[string]bool{}}
		for _, m := range parsed[version] {
			g.add(m)
		}
		for _, m := range g.modules {
			for _, name := range tests(m) {
				results = append(results, g.test(ctx, m, name, version, e.budget(q)))
			}
		}
	}
	return results, nil
}

// tests lists a module's tests in order.
func tests(m *ast.Module) []string {
	var names []string
	for _, r := range m.Rules {
		if name := r.Head.Ref()[0].Value.String(); strings.HasPrefix(name, "test_") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (g *group) test(ctx context.Context, m *ast.Module, name string, version ast.RegoVersion, b budget) evidence.TestResult {
	r := evidence.TestResult{Module: m.Package.Location.File, Name: name}
	query, err := g.prepare(ctx, m.Package.Path.String()+"."+name, version)
	if err == nil {
		var value any
		value, err = run(ctx, query, ast.NewObject(), b)
		r.Passed = value == true
	}
	if err != nil && !errors.Is(err, errUndefined) {
		r.Error = explain(err)
	}
	return r
}
