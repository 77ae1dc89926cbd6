package repo

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// hubconf follows what hubconf.py imports from beside itself: torch.hub.load puts its folder first on sys.path
// (torch/hub.py, _load_local). A call leads to hubconf.py alone, so that all of it is said there. Packages in folders
// are not followed.
func hubconf(ctx context.Context, x *crossing) {
	self := path.Base(x.Name)
	text, err := x.Bytes(0, x.Size, maxText)
	if err != nil {
		return // its own report says so
	}
	seen := map[string]bool{self: true}
	for todo := locals(string(text)); len(todo) > 0 && ctx.Err() == nil; todo = todo[1:] {
		name := todo[0]
		if seen[name] || !x.beside[name] {
			continue
		}
		seen[name] = true
		text, err := x.module(name)
		if err != nil {
			x.gap(modelscan.Gap{Rule: rule.ReadError, Reason: fmt.Sprintf("%s, which %s imports: %v", name, self, err)})
			continue
		}
		x.imports(&jsontree.Node{}, self, name, text)
		todo = append(todo, locals(text)...)
	}
}

// absolute imports, wherever they stand: functions of hubconf.py are what is called.
var absolute = pattern.Lazy(`\bfrom\s+(\w+)[\w.]*\s+import\b|\bimport\s+(\w[\w., \t]*)|\b(?:__import__|import_module)\s*\(\s*["'](\w+)`)

// locals lists the files that the modules which a text imports would be in, were they beside it.
func locals(text string) []string {
	var files []string
	for _, l := range logicalLines(text) {
		for _, m := range absolute().FindAllStringSubmatch(l.raw, -1) {
			for part := range strings.SplitSeq(m[1]+m[2]+m[3], ",") {
				if name := identifier().FindString(part); name != "" {
					files = append(files, name+".py")
				}
			}
		}
	}
	return files
}
