package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// Bounds of what goes with a file about its folder. In a folder of more names nothing is said of it.
const (
	maxBesideNames = 4096
	maxBesideText  = 128 << 10 // bytes of all names
	maxModules     = 60        // Python files; two such jobs fit in one request
)

// beside is what lies in the folder of a file that says what the files beside it are to a loader.
type beside struct {
	names   []string
	modules []*artifact.File
}

// speaksOf tells whether a file of that name says something of the files beside it.
func speaksOf(name string) bool {
	name = strings.ToLower(name)
	return namesCode(name) || strings.HasSuffix(name, ".json") && strings.Contains(name, ".index.")
}

// namesCode tells whether a file of that name, in lower case, may have Python files beside it imported.
func namesCode(name string) bool {
	return strings.HasSuffix(name, "config.json") || name == "hubconf.py"
}

// lookBeside lists the folder of a file and opens the Python in it; nil where the file speaks of no other, or where
// the folder can't be listed.
func lookBeside(path string) *beside {
	if !speaksOf(filepath.Base(path)) {
		return nil
	}
	folder := filepath.Dir(path)
	d, err := os.Open(folder)
	if err != nil {
		return nil
	}
	defer d.Close()
	entries, err := d.ReadDir(maxBesideNames + 1)
	if err != nil || len(entries) > maxBesideNames {
		return nil
	}
	b, length := &beside{}, 0
	for _, e := range entries {
		if !e.IsDir() {
			b.names = append(b.names, e.Name())
			length += len(e.Name())
		}
	}
	slices.Sort(b.names)
	if length > maxBesideText {
		return nil
	}
	if namesCode(strings.ToLower(filepath.Base(path))) {
		b.open(folder)
	}
	return b
}

// open opens the Python files of the folder. What can't be opened is missing in the request, and the worker says so.
func (b *beside) open(folder string) {
	within := []string{folder}
	if abs, err := filepath.Abs(folder); err == nil {
		within = append(within, artifact.BlobsFor(filepath.Join(abs, "x"))...)
	}
	for _, name := range b.names {
		if !strings.HasSuffix(name, ".py") || len(b.modules) == maxModules {
			continue
		}
		if f, err := artifact.Open(filepath.Join(folder, name), within...); err == nil {
			b.modules = append(b.modules, f)
		}
	}
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
	fmt.Fprintf(&s, "%q", b.names)
	for _, f := range b.modules {
		fmt.Fprintf(&s, " %+v", f.Key)
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
}

// item is the job as a worker gets it.
func (e *Engine) item(j *job) sandbox.Item {
	item := sandbox.Item{
		Params: scanParams{Limits: e.limits}, Deadline: e.deadline(j.file.Key.Size),
		Files: []sandbox.File{{Name: j.label(), Size: j.file.Key.Size, Descriptor: j.file.File}},
	}
	if j.beside == nil {
		return item
	}
	item.Params = scanParams{Limits: e.limits, Beside: j.beside.names}
	for _, f := range j.beside.modules {
		item.Files = append(item.Files, sandbox.File{Name: clip(modelscan.Text(filepath.Base(f.Path)), maxLabel), Size: f.Key.Size, Descriptor: f.File})
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
