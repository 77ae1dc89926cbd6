package engine

import (
	"bytes"
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

	mu     sync.Mutex
	shared map[int]remote.Content
}

func newSurroundings(ctx context.Context, list *remote.Listing) *surroundings {
	a := &surroundings{ctx: ctx, files: list.Files, shared: map[int]remote.Content{}}
	if list.Folders {
		a.folders = map[string][]int{}
		for i, f := range list.Files {
			a.folders[path.Dir(f.Path)] = append(a.folders[path.Dir(f.Path)], i)
		}
	}
	return a
}

// open returns a file's content: that of Python until the whole scan ends, for others may need it.
func (a *surroundings) open(ctx context.Context, i int) remote.Content {
	if !a.python(i) {
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

// around lists the files in the folder of one that speaks of them; nil where it does not, or where they are too many.
func (a *surroundings) around(i int) []int {
	if a.folders == nil || !speaksOf(path.Base(a.files[i].Path)) {
		return nil
	}
	all, length := a.folders[path.Dir(a.files[i].Path)], 0
	for _, k := range all {
		length += len(path.Base(a.files[k].Path))
	}
	if len(all) > maxBesideNames || length > maxBesideText {
		return nil
	}
	return all
}

// state is part of the name of the cache's entry about the file; ok is false where a file beside it has no digest that
// would tell its content.
func (a *surroundings) state(i int) (state string, ok bool) {
	var s strings.Builder
	for _, k := range a.around(i) {
		f := a.files[k]
		fmt.Fprintf(&s, "%q ", path.Base(f.Path))
		if a.python(k) {
			if f.SHA256+f.BlobID == "" {
				return "", false
			}
			s.WriteString(f.SHA256 + f.BlobID + " ")
		}
	}
	return s.String(), true
}

// remoteBeside is what goes with a file about its folder; nil for nothing.
type remoteBeside struct {
	names   []string
	modules []sandbox.File
	opened  []remote.Content
}

// beside is what lies beside a file that speaks of it. The Python there is fetched only where the file may name some.
// What could not be fetched is left out, and the worker says so of what a loader would import.
func (a *surroundings) beside(ctx context.Context, i int, content remote.Content) *remoteBeside {
	all := a.around(i)
	if all == nil {
		return nil
	}
	b := &remoteBeside{}
	code := namesCode(strings.ToLower(path.Base(a.files[i].Path))) && (a.python(i) || mayName(content))
	for _, k := range all {
		name := path.Base(a.files[k].Path)
		b.names = append(b.names, name)
		if !code || k == i || !a.python(k) || len(b.modules) == maxModules {
			continue
		}
		module := a.open(ctx, k)
		if module.Prefetch(ctx) == nil {
			b.modules = append(b.modules, sandbox.File{Name: clip(modelscan.Text(name), maxLabel), Size: module.Size(), R: module})
		}
		b.opened = append(b.opened, module)
	}
	slices.Sort(b.names)
	return b
}

// mayName says whether a configuration may name code: it has one of the keys, or letters written otherwise. Where that
// can't be told it may.
func mayName(content remote.Content) bool {
	text, whole := content.All()
	return !whole || bytes.Contains(text, []byte("auto_map")) || bytes.Contains(text, []byte("custom_pipelines")) || bytes.Contains(text, []byte(`\u`))
}

func (b *remoteBeside) list() []string {
	if b == nil {
		return nil
	}
	return b.names
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
	return (s.around.around(s.index) != nil || s.around.folders != nil && s.around.python(s.index)) && s.file.Size >= 0 && s.file.Size <= most
}
