package engine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// surroundings are what a listing has beside each of its files. The Python in it is opened once for the files that
// speak of it and for its own scan, as far as that needs little memory.
type surroundings struct {
	ctx     context.Context // of the whole scan
	files   []remote.File
	folders map[string][]int // the files of each, by index; nil where the listing has not all of them
	// imported are those of the files that Python imports.
	imported []int

	mu     sync.Mutex
	shared map[int]remote.Content
}

func newSurroundings(ctx context.Context, list *remote.Listing) *surroundings {
	a := &surroundings{ctx: ctx, files: list.Files, shared: map[int]remote.Content{}}
	if list.Folders {
		a.folders = map[string][]int{}
		for i, f := range list.Files {
			a.folders[path.Dir(f.Path)] = append(a.folders[path.Dir(f.Path)], i)
			if imports(f.Path) {
				a.imported = append(a.imported, i)
			}
		}
	}
	return a
}

// maxShared bounds a file of Python whose content is kept for others, in bytes: with maxModules all of that is bounded.
const maxShared = 1 << 20

// open returns a file's content: that of Python until the whole scan ends, for others may need it.
func (a *surroundings) open(ctx context.Context, i int) remote.Content {
	if size := a.files[i].Size; !a.python(i) || size < 0 || size > maxShared {
		return a.files[i].Open(ctx)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.shared[i]
	switch {
	case c == nil && len(a.shared) < maxModules:
		c = a.files[i].Open(a.ctx)
		a.shared[i] = c
	case c == nil:
		c = a.files[i].Open(ctx)
	}
	return c
}

func (a *surroundings) python(i int) bool { return strings.HasSuffix(a.files[i].Path, ".py") }

// around lists what lies around a file that speaks of it, and the files by their names from its folder; nil where it
// does not, or where they are too many.
func (a *surroundings) around(i int) (*neighbours, map[string]int) {
	file := a.files[i].Path
	if a.folders == nil || !speaksOf(path.Base(file)) {
		return nil, nil
	}
	n, files := &neighbours{}, map[string]int{}
	add := func(k int, prefix string) {
		if name := strings.TrimPrefix(a.files[k].Path, prefix); n.add(name) {
			files[name] = k
		}
	}
	prefix := ""
	if dir := path.Dir(file); dir != "." {
		prefix = dir + "/"
	}
	for _, k := range a.folders[path.Dir(file)] {
		add(k, prefix)
	}
	if namesCode(path.Base(file)) {
		for _, k := range a.imported {
			if rest, ok := strings.CutPrefix(a.files[k].Path, prefix); ok && strings.Contains(rest, "/") {
				add(k, prefix)
			}
		}
	}
	if !n.done(file) {
		return nil, nil
	}
	return n, files
}

// state is part of the name of the cache's entry about the file; ok is false where a file beside it has no digest that
// would tell its content.
func (a *surroundings) state(i int) (state string, ok bool) {
	n, files := a.around(i)
	if n == nil {
		return "", true
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%v ", n.cut)
	for _, name := range n.names {
		f := a.files[files[name]]
		fmt.Fprintf(&s, "%q ", name)
		if imports(name) {
			if f.SHA256+f.BlobID == "" {
				return "", false
			}
			s.WriteString(f.SHA256 + f.BlobID + " ")
		}
	}
	return s.String(), true
}

// remoteBeside is what goes with a file about what lies around it; nil for nothing.
type remoteBeside struct {
	*neighbours
	modules []sandbox.File
	opened  []remote.Content
}

// beside is what lies around a file that speaks of it. The Python there is fetched only where the file may name some.
// What could not be fetched is left out, and the worker says so of what a loader would import.
func (a *surroundings) beside(ctx context.Context, s *remoteScan, content remote.Content) *remoteBeside {
	n, files := a.around(s.index)
	if n == nil {
		return nil
	}
	b := &remoteBeside{neighbours: n}
	name := path.Base(a.files[s.index].Path)
	text, whole := content.All()
	if !n.python || !mayName(name, text, whole, slices.Contains(n.names, generates)) {
		return b
	}
	done := s.turn(ctx)
	if done == nil {
		return b
	}
	defer done()
	first := sandbox.File{Name: s.label(), Size: content.Size(), R: content}
	b.modules = s.e.follow(ctx, s.owner, first, n, func(name string) (sandbox.File, error) {
		module := a.open(ctx, files[name])
		b.opened = append(b.opened, module)
		return sandbox.File{Name: clip(modelscan.Text(name), maxLabel), Size: module.Size(), R: module}, module.Prefetch(ctx)
	})
	return b
}

// params are those of the scan that the files go with.
func (b *remoteBeside) params(limits modelscan.Limits) scanParams {
	if b == nil {
		return scanParams{Limits: limits}
	}
	return scanParams{Limits: limits, Beside: b.names, Cut: b.cut}
}

func (b *remoteBeside) files() []sandbox.File {
	if b == nil {
		return nil
	}
	return b.modules
}

// err is what failed in reading the files beside.
func (b *remoteBeside) err() error {
	if b == nil {
		return nil
	}
	var errs []error
	for _, c := range b.opened {
		errs = append(errs, c.Err())
	}
	return errors.Join(errs...)
}

// small says whether all of the file is read even by ranges: what says something of the files beside it, and those.
func (s *remoteScan) small() bool {
	const most = 8 << 20 // bytes
	return (s.around.folders != nil && speaksOf(path.Base(s.file.Path)) || s.around.folders != nil && s.around.python(s.index)) && s.file.Size >= 0 && s.file.Size <= most
}
