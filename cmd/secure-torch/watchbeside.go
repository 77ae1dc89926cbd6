package main

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/watch"
)

// speakers are the watched files in which something is found that depends on those around them, by folder.
type speakers map[string]map[string]bool

func (s speakers) add(path string) {
	if !engine.Speaks(path) {
		return
	}
	dir := filepath.Dir(path)
	if s[dir] == nil {
		s[dir] = map[string]bool{}
	}
	s[dir][path] = true
}

func (s speakers) remove(path string) {
	dir := filepath.Dir(path)
	if delete(s[dir], path); len(s[dir]) == 0 {
		delete(s, dir)
	}
}

// concerned lists the files, in order, that are to be scanned anew for these changes and are not among them.
func (s speakers) concerned(changes []watch.Change) []string {
	found := map[string]bool{}
	for _, c := range changes {
		for dir := filepath.Dir(c.Path); ; dir = filepath.Dir(dir) {
			for path := range s[dir] {
				if engine.SpeaksOf(path, c.Path) {
					found[path] = true
				}
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	for _, c := range changes {
		delete(found, c.Path)
	}
	return slices.Sorted(maps.Keys(found))
}
