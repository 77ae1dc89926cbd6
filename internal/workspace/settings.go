package workspace

import (
	"bytes"
	"cmp"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers"
)

// Bounds of the search for settings of a name: folder entries that are listed, YAML files among them, files that may have
// the name before it says nothing, and the bytes that are read for one source.
const (
	maxEntries = 20_000
	maxYAML    = 400
	maxNamed   = 12
	maxDeep    = 40 // maxNamed for a name in another: which is rarely another thing's
	maxPeeked  = 4 << 20
	maxMakers  = 16 << 20 // bytes that are read to find the files that name classes
)

// Settings implements analyzers.Workspace.
func (v view) Settings(from *analyzers.Summary, key string) []analyzers.Module {
	path := v.pathOf(from)
	var out []analyzers.Module
	files := slices.Clone(v.yamls())
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Compare(common(b, path), common(a, path)) })
	for _, file := range files {
		if s := v.holding(file, key); s != nil {
			out = append(out, analyzers.Module{Summary: s, Dir: filepath.ToSlash(filepath.Dir(file))})
		}
		if len(out) > maxNamed && (!strings.Contains(key, ".") || len(out) > maxDeep) {
			return nil
		}
	}
	return out
}

// searched is the text of a YAML file, read once for each source that is linked, as long as these are not too many bytes.
func (v view) searched(file string) []byte {
	text, ok := v.texts[file]
	if !ok && *v.peeked < maxPeeked {
		text, _ = v.peek(file)
		v.texts[file] = text
		*v.peeked += len(text)
	}
	return text
}

// holding is what a file says, if the name stands in it.
func (v view) holding(file, key string) *analyzers.Summary {
	if !bytes.Contains(v.searched(file), []byte(key[strings.LastIndexByte(key, '.')+1:])) {
		return nil
	}
	s := v.config(file)
	if s == nil || !analyzers.Says(s, key) {
		return nil
	}
	return s
}

// Targets implements analyzers.Workspace.
func (v view) Targets(from *analyzers.Summary, class string) []analyzers.Site {
	path := v.pathOf(from)
	var out []analyzers.Site
	files := slices.Clone(v.makers())
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Compare(common(b, path), common(a, path)) })
	for _, file := range files {
		if len(out) >= maxSites {
			break
		}
		if !bytes.Contains(v.searched(file), []byte("."+class)) {
			continue
		}
		s := v.config(file)
		if s == nil {
			continue
		}
		m := analyzers.Module{Summary: s, Dir: filepath.ToSlash(filepath.Dir(file))}
		for _, t := range s.Targets(class) {
			if v.classIn(path, t.Names[0], path) {
				out = append(out, analyzers.Site{Module: m, Call: t.Call})
			}
		}
	}
	return out[:min(len(out), maxSites)]
}

// listMakers lists those of the YAML files that may tell a program to make an instance of a class: most don't, and each
// class of each source asks.
func (w *Workspace) listMakers() []string {
	left := maxMakers
	return slices.DeleteFunc(slices.Clone(w.yamls()), func(file string) bool {
		if left <= 0 {
			return true
		}
		text, err := w.read(file)
		left -= len(text)
		return err != nil || len(text) > maxConfig || !bytes.Contains(text, []byte("target")) && !bytes.Contains(text, []byte("class_path"))
	})
}

// listYAML lists the YAML files below the roots, but for the folders that hold no source of the project itself.
func (w *Workspace) listYAML() []string {
	var out []string
	entries := 0
	for _, root := range w.roots {
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			entries++
			switch {
			case entries > maxEntries || len(out) == maxYAML:
				return fs.SkipAll
			case err != nil:
				return nil // what cannot be read holds no settings
			case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains(DefaultExclude, d.Name()+"/")):
				return fs.SkipDir
			case d.Type().IsRegular() && (strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml")):
				out = append(out, path)
			}
			return nil
		})
	}
	return out
}
