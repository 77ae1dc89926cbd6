package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

const maxLines = 600

// TestFileLength keeps files readable: none written by hand is longer than maxLines.
func TestFileLength(t *testing.T) {
	for _, s := range sources(t) {
		if !s.gen && s.lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: find the seam along which it falls into two", s.path, s.lines, maxLines)
		}
	}
}

// TestPackageNames keeps out packages that say nothing.
func TestPackageNames(t *testing.T) {
	banned := []string{"util", "utils", "helper", "helpers", "manager", "common", "misc"}
	for _, s := range sources(t) {
		if slices.Contains(banned, s.file.Name.Name) {
			t.Errorf("%s: package %s says nothing of what it does", s.path, s.file.Name.Name)
		}
	}
}

// TestNoInit: start-up does nothing that main does not say.
func TestNoInit(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: init function", s.fset.Position(f.Pos()))
			}
		}
	}
}

// calls that may not stand in code that isn't a test, and who may have them.
var bannedCalls = []struct {
	call  string // package.Function as the file spells it
	allow []string
	why   string
}{
	{"syscall.Syscall", []string{"sandbox"}, "only sandbox makes raw system calls"},
	{"syscall.Syscall6", []string{"sandbox"}, "only sandbox makes raw system calls"},
	{"syscall.RawSyscall", []string{"sandbox"}, "only sandbox makes raw system calls"},
	{"syscall.RawSyscall6", []string{"sandbox"}, "only sandbox makes raw system calls"},
	{"syscall.Exec", []string{"sandbox"}, "only sandbox executes programs"},
	{"syscall.ForkExec", []string{"sandbox"}, "only sandbox executes programs"},
	{"os.StartProcess", []string{"sandbox"}, "only sandbox executes programs"},
}

func TestCalls(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			for _, b := range bannedCalls {
				if b.call == x.Name+"."+sel.Sel.Name && !withinAny(s.dir, b.allow) {
					t.Errorf("%s: %s: %s", s.fset.Position(sel.Pos()), b.call, b.why)
				}
			}
			return true
		})
	}
}

// TestBoundedReads: io.ReadAll reads from nothing but an io.LimitReader made in the same call.
func TestBoundedReads(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if ok && isSelector(call.Fun, "io", "ReadAll") {
				if arg, ok := call.Args[0].(*ast.CallExpr); !ok || !isSelector(arg.Fun, "io", "LimitReader") {
					t.Errorf("%s: unbounded read: use io.LimitReader or Source.Bytes", s.fset.Position(call.Pos()))
				}
			}
			return true
		})
	}
}

func isSelector(e ast.Expr, pkg, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// TestNativeGrammar: Python of strangers reaches no C code of this process. Whoever has it read says with which grammar,
// and only who knows what the user trusts may say Native.
func TestNativeGrammar(t *testing.T) {
	allow := []string{"analyzers/summary.go", "analyzers/pyparse/native.go", "analyzers/pyparse/nonative.go", "cmd/secure-torch/check.go", "lsp/modules.go"}
	seen := 0
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok && (isSelector(e, "analyzers", "Native") || isSelector(e, "pyparse", "Native")) {
				seen++
				if !slices.Contains(allow, s.path) {
					t.Errorf("%s names the native grammar", s.fset.Position(e.Pos()))
				}
			}
			return true
		})
	}
	if seen < 3 {
		t.Errorf("the native grammar is named in %d places: looking in the wrong place", seen)
	}
}

// TestNoMutableState: a package-level variable is never written after its declaration.
func TestNoMutableState(t *testing.T) {
	packages := map[string][]source{}
	for _, s := range sources(t) {
		packages[s.dir] = append(packages[s.dir], s)
	}
	for _, files := range packages {
		state := map[string]bool{}
		for _, s := range files {
			for _, name := range packageVars(s.file) {
				state[name] = true
			}
		}
		for _, s := range files {
			for _, w := range writes(s.file, state) {
				t.Errorf("%s: package-level variable is written", s.fset.Position(w))
			}
		}
	}
}

func packageVars(f *ast.File) []string {
	var names []string
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if name.Name != "_" {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// writes finds assignments to the named variables, or to what they hold, where no local hides the name.
func writes(f *ast.File, state map[string]bool) []token.Pos {
	var found []token.Pos
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		locals := localNames(fn)
		target := func(e ast.Expr) {
			if name := rootName(e); name != "" && state[name] && !locals[name] {
				found = append(found, e.Pos())
			}
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, left := range n.Lhs {
						target(left)
					}
				}
			case *ast.IncDecStmt:
				target(n.X)
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") && len(n.Args) > 0 {
					target(n.Args[0])
				}
			}
			return true
		})
	}
	return found
}

// TestNoPatternsAtStart: an expression that is compiled when the package starts costs every worker, wanted or not.
func TestNoPatternsAtStart(t *testing.T) {
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			vars, ok := decl.(*ast.GenDecl)
			if !ok || s.file.Name.Name == "main" {
				continue
			}
			for _, spec := range vars.Specs {
				values, _ := spec.(*ast.ValueSpec)
				if values == nil {
					continue
				}
				for _, v := range values.Values {
					if call, ok := v.(*ast.CallExpr); ok && isSelector(call.Fun, "regexp", "MustCompile") {
						t.Errorf("%s: a package-level regexp.MustCompile; use modelscan/pattern.Lazy, or sync.OnceValue", s.fset.Position(v.Pos()))
					}
				}
			}
		}
	}
}

// rootName is the variable that an assignable expression starts from: x in x.a[i].
func rootName(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}

// localNames are all names that the function declares somewhere: its parameters, results and variables.
func localNames(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, left := range n.Lhs {
					if id, ok := left.(*ast.Ident); ok {
						names[id.Name] = true
					}
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					names[id.Name] = true
				}
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}

// TestExportedComments: everything exported outside package main says what it is.
func TestExportedComments(t *testing.T) {
	for _, s := range sources(t) {
		if s.gen || s.file.Name.Name == "main" {
			continue
		}
		for _, where := range uncommented(s) {
			t.Error(where)
		}
	}
}

func uncommented(s source) []string {
	var found []string
	report := func(pos token.Pos, name string) {
		found = append(found, fmt.Sprintf("%s: exported %s has no comment", s.fset.Position(pos), name))
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && receiverExported(d) && !wellKnown(d.Name.Name) {
				report(d.Pos(), d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil {
					report(ts.Pos(), ts.Name.Name)
				}
				if vs, ok := spec.(*ast.ValueSpec); ok && d.Doc == nil && vs.Doc == nil && vs.Comment == nil && vs.Names[0].IsExported() {
					report(vs.Pos(), vs.Names[0].Name)
				}
			}
		}
	}
	return found
}

// wellKnown methods are explained by the interface they implement.
func wellKnown(method string) bool {
	return slices.Contains([]string{"String", "Error", "Unwrap", "Read", "ReadAt", "Write", "Close", "Len", "Less", "Swap"}, method)
}

func receiverExported(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	e := f.Recv.List[0].Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if index, ok := e.(*ast.IndexExpr); ok {
		e = index.X
	}
	id, ok := e.(*ast.Ident)
	return ok && id.IsExported() && !strings.HasPrefix(id.Name, "_")
}
