package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/sandbox"
)

// Bounds of what goes with a file about what lies around it. Past them nothing is said of an index; of a file that
// names code, that there is more.
const (
	maxBesideNames = 4096
	maxBesideText  = 128 << 10 // bytes of all names
	maxModules     = 120       // files that Python imports; with the one that names them they fit in one request
	maxBelow       = 8         // folders on the way down
	maxBelowSeen   = 20_000    // entries of all those
	maxFollowed    = 32        // times that a worker is asked what else is imported
)

// speaksOf tells whether a file of that name says something of the files around it.
func speaksOf(name string) bool {
	name = strings.ToLower(name)
	return namesCode(name) || strings.HasSuffix(name, ".json") && strings.Contains(name, ".index.")
}

// SpeaksOf tells whether what is found in a file depends on those that lie around it, so that it is to be scanned anew
// when they change: on the names of those in its folder, and on Python below it.
func SpeaksOf(file, around string) bool {
	base, separator := filepath.Base(file), string(filepath.Separator)
	if !speaksOf(base) {
		return false
	}
	rest, ok := strings.CutPrefix(around, filepath.Dir(file)+separator)
	return ok && (!strings.Contains(rest, separator) || namesCode(base) && imports(rest))
}

// Speaks tells whether SpeaksOf can be true of the file.
func Speaks(file string) bool { return speaksOf(filepath.Base(file)) }

// namesCode tells whether a file of that name may have Python files around it imported.
func namesCode(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, "config.json") || slices.Contains([]string{"hubconf.py", "model_index.json", "modules.json"}, name)
}

// generates is a file that transformers imports though nothing names it.
const generates = "custom_generate/generate.py"

// mayName says whether a file may have others imported: a configuration has one of the keys, or letters written
// otherwise, or generate is there. Where that can't be told, since text is not all of it, it may.
func mayName(name string, text []byte, whole, generate bool) bool {
	if !namesCode(name) {
		return false
	}
	name = strings.ToLower(name)
	return !strings.HasSuffix(name, "config.json") || !whole || name == "config.json" && generate ||
		bytes.Contains(text, []byte("auto_map")) || bytes.Contains(text, []byte("custom_pipelines")) || bytes.Contains(text, []byte(`\u`))
}

// imports tells whether Python imports a file of that name.
func imports(name string) bool {
	return slices.Contains([]string{".py", ".pyc", ".so", ".pyd"}, path.Ext(name))
}

// neighbours are the names of what lies around a file, from its folder.
type neighbours struct {
	names  []string
	length int
	cut    bool // there are more
	python bool // some of them Python imports
}

// add notes a file, one that is not in the folder itself only where Python imports it. It returns false when there is
// no room.
func (n *neighbours) add(name string) bool {
	if strings.Contains(name, "/") && !imports(name) {
		return true
	}
	if len(n.names) == maxBesideNames || n.length+len(name) > maxBesideText {
		n.cut = true
		return false
	}
	n.names = append(n.names, name)
	n.length += len(name)
	n.python = n.python || imports(name)
	return true
}

// done puts the names in order. It returns false where nothing can be said of the file that they lie around.
func (n *neighbours) done(file string) bool {
	slices.Sort(n.names)
	return !n.cut || namesCode(path.Base(file))
}

// follow has a worker say, again and again, which of the names have to be opened for all to be judged that the first
// file has a loader import. What can't be opened, or is one too many, is missing in the scan's request, and that says so.
func (e *Engine) follow(ctx context.Context, owner string, first sandbox.File, n *neighbours, open func(name string) (sandbox.File, error)) []sandbox.File {
	item := sandbox.Item{Params: scanParams{Limits: e.limits, Beside: n.names, Cut: n.cut}, Deadline: planDeadline, Files: []sandbox.File{first}}
	tried := map[int]bool{}
	for range maxFollowed {
		want, err := e.wanted(ctx, owner, item, len(n.names))
		if err != nil {
			break
		}
		more := false
		for _, i := range want {
			if tried[i] || len(item.Files) > maxModules {
				continue
			}
			tried[i] = true
			if f, err := open(n.names[i]); err == nil {
				item.Files, more = append(item.Files, f), true
			}
		}
		if !more {
			break
		}
	}
	return item.Files[1:]
}

// wanted asks a worker, and another one where the first died.
func (e *Engine) wanted(ctx context.Context, owner string, item sandbox.Item, names int) (want []int, err error) {
	for range 2 {
		if want, err = e.wantedOnce(ctx, owner, item, names); !retry(err) {
			break
		}
	}
	return want, err
}

func (e *Engine) wantedOnce(ctx context.Context, owner string, item sandbox.Item, names int) ([]int, error) {
	w, err := e.pool.Get(ctx, owner)
	if err != nil {
		return nil, err
	}
	var want []int
	var bad error
	err = w.Run(ctx, sandbox.Request{Kind: "follow", MaxResult: maxPlan, Items: []sandbox.Item{item}}, func(_ int, answer []byte, handler error) bool {
		if bad = handler; bad == nil {
			bad = json.Unmarshal(answer, &want)
		}
		if slices.ContainsFunc(want, func(i int) bool { return i < 0 || i >= names }) {
			bad = fmt.Errorf("a file that is none of %d", names)
		}
		return bad == nil
	})
	if err != nil || bad != nil || e.opts.OnePerArtifact {
		e.pool.Discard(w)
	} else {
		e.pool.Put(w)
	}
	if err == nil {
		err = bad
	}
	return want, err
}
