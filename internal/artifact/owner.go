package artifact

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// maxOwners bounds the folders that Owners remembers.
const maxOwners = 4096

// Owners tells whose files are whose. It is safe for use by several goroutines.
type Owners struct {
	mu sync.Mutex
	of map[string]string // by folder
}

// Of returns the folder of the repository that path lies in: a model's in the hub's cache, or the nearest above the file
// that git or the hub's client keeps. Files that lie in none have the owner "".
func (o *Owners) Of(path string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of == nil || len(o.of) >= maxOwners {
		o.of = map[string]string{}
	}
	dir := filepath.Dir(path)
	if owner, ok := o.of[dir]; ok {
		return owner
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return dir // as good as any name of its own
	}
	owner := o.above(full)
	o.of[dir] = owner
	return owner
}

// above looks at dir, and then at the folder that it is in.
func (o *Owners) above(dir string) string {
	if owner, ok := o.of[dir]; ok {
		return owner
	}
	parent := filepath.Dir(dir)
	var owner string
	switch {
	case isRepository(dir):
		owner = dir
	case parent != dir:
		owner = o.above(parent)
	}
	o.of[dir] = owner
	return owner
}

func isRepository(dir string) bool {
	for _, kind := range []string{"models--", "datasets--", "spaces--"} {
		if strings.HasPrefix(filepath.Base(dir), kind) {
			return true
		}
	}
	for _, mark := range []string{".git", filepath.Join(".cache", "huggingface", ".gitignore")} { // the latter where local_dir= downloads to
		if _, err := os.Lstat(filepath.Join(dir, mark)); err == nil {
			return true
		}
	}
	return false
}
