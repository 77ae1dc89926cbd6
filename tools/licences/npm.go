package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// npmPackages are those that the VS Code extension has in its bundle: what vscode-languageclient needs, by the lock file.
// They have to be installed (make check-vscode).
func npmPackages(root string) ([]component, error) {
	folder := filepath.Join(root, "editors", "vscode")
	text, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct {
			Version      string
			Dependencies map[string]string
		}
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return nil, err
	}
	var all []component
	seen := map[string]bool{}
	for todo := []string{"node_modules/vscode-languageclient"}; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		p, ok := lock.Packages[at]
		if !ok {
			return nil, fmt.Errorf("package-lock.json has no %s", at)
		}
		if seen[at] {
			continue
		}
		seen[at] = true
		c := component{Name: at[strings.LastIndex(at, "node_modules/")+len("node_modules/"):], Version: p.Version, Where: "the VS Code extension"}
		if err := c.read(filepath.Join(folder, filepath.FromSlash(at))); err != nil {
			return nil, err
		}
		all = append(all, c)
		for name := range p.Dependencies {
			inner := at + "/node_modules/" + name
			if _, ok := lock.Packages[inner]; !ok {
				inner = "node_modules/" + name
			}
			todo = append(todo, inner)
		}
	}
	slices.SortFunc(all, func(a, b component) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
