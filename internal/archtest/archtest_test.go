// Package archtest holds the import policy and the house rules as tests that read the sources.
//
// They read with go/parser and not with `go list`: the go command caches the result of a test that
// only runs programs, and such a test would stay green.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/secure-torch/secure-torch"

// source is one Go file that is not a test.
type source struct {
	dir   string // its package's folder, slash-separated, relative to the repository
	name  string
	path  string
	file  *ast.File
	fset  *token.FileSet
	lines int
	gen   bool // "Code generated … DO NOT EDIT."
}

// sources parses every Go file of the module that is not a test, of every build tag.
func sources(t *testing.T) []source {
	t.Helper()
	root := os.DirFS("../..")
	var all []source
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"testdata", "node_modules", "tools", "build", "dist"}, d.Name())) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, filepath.Join("../..", p), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{
			dir: path.Dir(p), name: d.Name(), path: p, file: f, fset: fset,
			lines: fset.File(f.Pos()).LineCount(), gen: ast.IsGenerated(f),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d sources found: looking in the wrong place", len(all))
	}
	return all
}

// imports of the file, as import paths.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

// within tells whether an import path or folder is root or below it.
func within(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func withinAny(p string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return within(p, root) })
}
