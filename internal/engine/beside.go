package engine

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// beside is what lies around a file that says what that is to a loader.
type beside struct {
	neighbours
	folder  string
	seen    int            // entries of folders
	states  []artifact.Key // of what Python imports, in the order of names
	modules []*artifact.File
}

// lookBeside lists what lies around a file; nil where the file speaks of no other, or where the folder can't be listed.
func lookBeside(file *artifact.File, asked string) *beside {
	base := filepath.Base(asked)
	if !speaksOf(base) {
		return nil
	}
	b := &beside{folder: filepath.Dir(asked)}
	code := namesCode(base)
	if code && !b.mayName(file, base) {
		return nil
	}
	if b.list("", code) != nil || !b.done(base) {
		return nil
	}
	for _, name := range b.names {
		if !imports(name) {
			continue
		}
		var state artifact.Key // what is not there any more has none
		if info, err := os.Stat(filepath.Join(b.folder, filepath.FromSlash(name))); err == nil {
			state = artifact.KeyOf(info)
		}
		b.states = append(b.states, state)
	}
	return b
}

// mayName looks whether the file may have others imported, so that no more is listed than has to be.
func (b *beside) mayName(file *artifact.File, base string) bool {
	text := make([]byte, min(file.Key.Size, maxSettings))
	n, err := file.ReadAt(text, 0)
	_, missing := os.Stat(filepath.Join(b.folder, filepath.FromSlash(generates)))
	return mayName(base, text, n == len(text) && file.Key.Size <= maxSettings && (err == nil || err == io.EOF), missing == nil)
}

// maxSettings bounds a configuration that is looked into for names of code, in bytes. A larger one may name some.
const maxSettings = 1 << 20

// list notes the files of one folder, and what Python imports of those below it.
func (b *beside) list(at string, below bool) error {
	d, err := os.Open(filepath.Join(b.folder, filepath.FromSlash(at)))
	if err != nil {
		return err
	}
	entries, err := d.ReadDir(maxBesideNames + 1)
	d.Close() // opened for reading
	if err != nil && err != io.EOF {
		return err
	}
	b.seen += len(entries)
	b.cut = b.cut || len(entries) > maxBesideNames
	for _, e := range entries {
		name := path.Join(at, e.Name())
		if folder, listed := b.folderOf(name, e); folder {
			b.into(name, below, listed, e)
		} else if !b.add(name) {
			return nil
		}
		if b.seen > maxBelowSeen {
			b.cut = true
			return nil
		}
	}
	return nil
}

// into lists a folder below, where Python imports from it.
func (b *beside) into(name string, below, listed bool, e fs.DirEntry) {
	switch {
	case !below:
	case listed:
		if strings.Count(name, "/") == maxBelow || b.list(name, true) != nil {
			b.cut = true
		}
	case e.Type()&fs.ModeSymlink != 0:
		b.cut = true
	}
}

// folderOf tells whether an entry is a folder, and whether what Python imports from it is listed: not of a hidden one,
// and not where a link leads away. A link that leads up is cut for its depth.
func (b *beside) folderOf(name string, e fs.DirEntry) (folder, listed bool) {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir(), !strings.HasPrefix(e.Name(), ".")
	}
	full := filepath.Join(b.folder, filepath.FromSlash(name))
	info, err := os.Stat(full)
	folder = err == nil && info.IsDir()
	return folder, folder && artifact.Contained(full, b.folder) == nil
}

// follow opens what the file has a loader import.
func (b *beside) follow(ctx context.Context, e *Engine, j *job) {
	if b == nil || !b.python || !namesCode(filepath.Base(j.target.Path)) {
		return
	}
	within := []string{b.folder}
	if abs, err := filepath.Abs(b.folder); err == nil {
		within = append(within, artifact.BlobsFor(filepath.Join(abs, "x"))...)
	}
	first := sandbox.File{Name: j.label(), Size: j.file.Key.Size, Descriptor: j.file.File}
	e.follow(ctx, e.owners.Of(j.target.Path), first, &b.neighbours, func(name string) (sandbox.File, error) {
		f, err := artifact.Open(filepath.Join(b.folder, filepath.FromSlash(name)), within...)
		if err != nil {
			return sandbox.File{}, err
		}
		b.modules = append(b.modules, f)
		return b.sent(f), nil
	})
}

// sent is a file as a worker gets it.
func (b *beside) sent(f *artifact.File) sandbox.File {
	rel, err := filepath.Rel(b.folder, f.Path)
	if err != nil {
		rel = filepath.Base(f.Path)
	}
	return sandbox.File{Name: clip(modelscan.Text(filepath.ToSlash(rel)), maxLabel), Size: f.Key.Size, Descriptor: f.File}
}

func (b *beside) close() {
	if b == nil {
		return
	}
	for _, f := range b.modules {
		f.Close() // opened for reading
	}
}

// state is part of the name of the cache's entry about the file.
func (b *beside) state() string {
	if b == nil {
		return ""
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%v %q", b.cut, b.names)
	for _, state := range b.states {
		fmt.Fprintf(&s, " %+v", state)
	}
	return s.String()
}

// changed returns what became of a file beside since it was opened.
func (b *beside) changed() error {
	if b == nil {
		return nil
	}
	for _, f := range b.modules {
		if err := f.Changed(); err != nil {
			return fmt.Errorf("%s beside it: %w", modelscan.Text(filepath.Base(f.Path)), err)
		}
	}
	return nil
}

// scanParams are what a worker is told of a scan.
type scanParams struct {
	modelscan.Limits
	Beside []string `json:",omitempty"`
	Cut    bool     `json:",omitempty"`
}

// item is the job as a worker gets it: with parameters of its own where files lie beside it that say what it is.
func (e *Engine) item(j *job) sandbox.Item {
	item := sandbox.Item{
		Deadline: e.deadline(j.file.Key.Size),
		Files:    []sandbox.File{{Name: j.label(), Size: j.file.Key.Size, Descriptor: j.file.File}},
	}
	if j.beside == nil {
		return item
	}
	item.Params = scanParams{Limits: e.limits, Beside: j.beside.names, Cut: j.beside.cut}
	for _, f := range j.beside.modules {
		item.Files = append(item.Files, j.beside.sent(f))
	}
	return item
}

// fitting is the number of the first jobs whose files are of one owner, and fit into one request; at least one.
func fitting(jobs []*job) int {
	files := 0
	for i, j := range jobs {
		if files++; j.beside != nil {
			files += len(j.beside.modules)
		}
		if i > 0 && (files > sandbox.MaxFiles || j.owner != jobs[0].owner) {
			return i
		}
	}
	return len(jobs)
}
