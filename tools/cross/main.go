// Command cross type-checks the program for the systems that it is released for, from the sources and without a compiler:
//
//	cross FOLDER OS/ARCH [OS/ARCH …]
//
// It takes seconds where a build for another system takes minutes the first time. Bodies of functions are checked in the
// module in FOLDER alone, and tests are left out: some are of Linux.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: cross FOLDER OS/ARCH [OS/ARCH …]")
		os.Exit(2)
	}
	failed := false
	for _, target := range os.Args[2:] {
		problems, err := check(os.Args[1], target)
		if err != nil {
			fmt.Fprintf(os.Stderr, "cross: %s: %v\n", target, err)
			os.Exit(2)
		}
		for _, p := range problems {
			fmt.Printf("%s: %s\n", target, p)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// check returns what a compiler for the target would refuse.
func check(folder, target string) ([]string, error) {
	goos, goarch, ok := strings.Cut(target, "/")
	if !ok {
		return nil, fmt.Errorf("%q is not of the form os/arch", target)
	}
	root, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesSizes | packages.NeedModule,
		Dir:  root,
		Env:  append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOWORK=off"),
		ParseFile: func(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
			return parse(fset, root, name, src)
		},
	}, "./...")
	if err != nil {
		return nil, err
	}
	var problems []string
	packages.Visit(loaded, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			if !slices.Contains(loaded, p) && slices.ContainsFunc(ofNoBody, func(text string) bool { return strings.HasSuffix(e.Msg, text) }) {
				continue
			}
			problems = append(problems, e.Error())
		}
	})
	if len(loaded) < 50 {
		problems = append(problems, fmt.Sprintf("only %d packages: looking in the wrong place", len(loaded)))
	}
	return problems, nil
}

// ofNoBody is what is said of a function whose body was left out, and of what only its body uses.
var ofNoBody = []string{" and not used", " must have a body", " is missing function body"}

// parse leaves the bodies out of what is not ours.
func parse(fset *token.FileSet, root, name string, src []byte) (*ast.File, error) {
	f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if f == nil || strings.HasPrefix(name, root+string(filepath.Separator)) {
		return f, err
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			fn.Body = nil
		}
	}
	return f, err
}
