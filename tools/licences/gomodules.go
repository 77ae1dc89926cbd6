package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// systems are those that releases are built for; see scripts/release.sh.
func systems() []string {
	return []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}
}

const ours = "github.com/secure-torch/secure-torch"

// listed is what go list says of a package.
type listed struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
		Replace            *struct{ Path, Version string }
	}
}

// goModules are the modules of which a package is in the program, on any system.
func goModules(root string) ([]component, error) {
	folders := map[string]map[string]bool{} // by module, those of its folders in which a licence may stand
	versions := map[string]string{}
	for _, system := range systems() {
		goos, goarch, _ := strings.Cut(system, "/")
		cgo := "0"
		if system == "linux/amd64" {
			cgo = "1"
		}
		packages, err := list(root, "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED="+cgo)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", system, err)
		}
		for _, p := range packages {
			m := p.Module
			if m == nil || m.Main || m.Replace != nil && m.Replace.Version == "" { // the standard library, and ours
				continue
			}
			versions[m.Path] = m.Version
			if folders[m.Path] == nil {
				folders[m.Path] = map[string]bool{}
			}
			for dir := p.Dir; len(dir) >= len(m.Dir); dir = filepath.Dir(dir) {
				folders[m.Path][dir] = true
			}
		}
	}
	var all []component
	var problems []error
	for path, dirs := range folders {
		c := component{Name: path, Version: versions[path], Where: "the program"}
		problems = append(problems, c.read(sorted(dirs)...))
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b component) int { return strings.Compare(a.Name, b.Name) })
	return all, errors.Join(problems...)
}

func sorted(set map[string]bool) []string {
	var all []string
	for k := range set {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func list(root string, env ...string) ([]listed, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", "./cmd/...")
	cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.Bytes())
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// goItself is the standard library and the runtime, which every program has in it.
func goItself() (component, error) {
	c := component{Name: "Go (standard library and runtime)", Version: strings.TrimPrefix(runtime.Version(), "go"), Where: "the program"}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return c, fmt.Errorf("go env: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "LICENSE"))
	if err != nil {
		return c, err
	}
	c.Version = "" // which one it is stands in the program: the text is the same
	c.add(string(text))
	return c, c.judge()
}
