package evidence

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// TestHints: every code but that of a good signature says what to do.
func TestHints(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "evidence.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Code" {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		codes++
		if got := Code(code).Hint(); (got == "") != (Code(code) == Verified) {
			t.Errorf("%s: hint %q", code, got)
		}
		return true
	})
	if codes != len(hints)+1 {
		t.Errorf("%d codes, %d hints", codes, len(hints))
	}
}
