// Package plan tells which files of a model folder or repository a call reads, as the libraries decide it. It is a
// pure function of the files' names and the content of the small ones, run in the confined worker, for both come from
// strangers. Each library is one file with the version noted that its rules were read in.
package plan

import (
	"path"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
)

// Bounds of a plan: what a repository can make us do.
const (
	maxNotes = 50
	maxRead  = 10_000 // files that one call reads
)

// Choose works out what the call reads. content has the bytes of the question's small files, in order. It returns nil
// where no rule holds.
func Choose(q ref.Question, content [][]byte) *ref.Plan {
	c := &chooser{q: q, index: make(map[string]int, len(q.Files)), json: map[string]*jsontree.Node{}, plan: &ref.Plan{Weights: []int{}, Others: []int{}}}
	for i, f := range q.Files {
		c.index[f.Path] = i
	}
	for i, at := range q.Small {
		if at < 0 || at >= len(q.Files) || i >= len(content) {
			continue
		}
		if n, err := jsontree.Parse(content[i]); err == nil {
			c.json[q.Files[at].Path] = n
		} else {
			c.note(q.Files[at].Path + " is no JSON: the loader fails, or goes by defaults")
		}
	}
	rules := c.library()
	if rules == nil {
		return nil
	}
	c.plan.By = rules.name
	rules.choose(c)
	c.rest()
	return c.plan
}

// rules are how one library chooses.
type rules struct {
	name   string
	choose func(*chooser)
}

// chooser is one question under way.
type chooser struct {
	q     ref.Question
	index map[string]int            // by path
	json  map[string]*jsontree.Node // by path
	plan  *ref.Plan
}

// libraries by the package's name. What these import from each other does not matter here.
var libraries = map[string]*rules{
	"transformers": {"transformers 5.24", transformers}, "optimum": {"transformers 5.24", transformers},
	"diffusers":             {"diffusers 0.42", diffusers},
	"sentence_transformers": {"sentence-transformers 6.2", sentenceTransformers},
	"peft":                  {"peft 0.21", peft},
	"timm":                  {"timm 1.0.31", timm},
}

// library decides by what is called, or, where that tells nothing, by the files that only one library writes.
func (c *chooser) library() *rules {
	if r := libraries[c.q.Options.Library]; r != nil {
		return r
	}
	if c.q.Options.Library != "" {
		return nil
	}
	switch {
	case c.has("model_index.json"):
		return libraries["diffusers"]
	case c.has("modules.json"):
		return libraries["sentence_transformers"]
	case c.has(c.in("adapter_config.json")) && !c.has(c.in("config.json")):
		return libraries["peft"]
	case c.has(c.in("config.json")):
		return libraries["transformers"]
	}
	return nil
}

// in is a file's path in the subfolder that the call names.
func (c *chooser) in(name string) string { return path.Join(c.q.Options.Subfolder, name) }

func (c *chooser) has(path string) bool {
	_, ok := c.index[path]
	return ok
}

func (c *chooser) note(text string) {
	if len(c.plan.Notes) < maxNotes {
		c.plan.Notes = append(c.plan.Notes, text)
	}
}

// read says that the file is read. It returns false where it is not there.
func (c *chooser) read(path string) bool {
	i, ok := c.index[path]
	if ok && len(c.plan.Weights) < maxRead && !slices.Contains(c.plan.Weights, i) {
		c.plan.Weights = append(c.plan.Weights, i)
	}
	return ok
}

// missing says that a file is named and not there.
func (c *chooser) missing(path string) {
	if len(c.plan.Missing) < maxNotes {
		c.plan.Missing = append(c.plan.Missing, path)
	}
}

// elsewhere says that another repository is read too.
func (c *chooser) elsewhere(repo string) {
	if repo != "" && len(c.plan.Elsewhere) < maxNotes && !slices.Contains(c.plan.Elsewhere, repo) {
		c.plan.Elsewhere = append(c.plan.Elsewhere, repo)
	}
}

// sharded reads an index and the files that it maps tensors to, in the folder that it lies in. It returns false where
// there is none.
func (c *chooser) sharded(index string) bool { return c.shards(index, path.Dir(index)) }

// shards is sharded for files in another folder.
func (c *chooser) shards(index, dir string) bool {
	if !c.has(index) {
		return false
	}
	n := c.json[index]
	weights := n.Get("weight_map")
	if weights == nil {
		c.note(index + " was not read: which files it names is unknown")
		return true
	}
	seen := map[string]bool{}
	for _, item := range weights.Items {
		name := item.String()
		if name == "" || seen[name] || len(seen) >= maxRead {
			continue
		}
		seen[name] = true
		if file := path.Join(dir, name); !c.read(file) {
			c.missing(file)
		}
	}
	return true
}

// weightless tells whether the call is one of a library's class that reads no weights.
func (c *chooser) weightless() bool {
	return c.q.Options.Library != "" && ref.Weightless(c.q.Options.Class)
}

// either reads the first of the files that is there, each of them by its name or by its index.
func (c *chooser) either(dir string, names ...string) bool {
	for _, name := range names {
		if c.read(path.Join(dir, withVariant(name, c.q.Options.Variant))) {
			return true
		}
		if c.sharded(path.Join(dir, withVariant(name+".index.json", c.q.Options.Variant))) {
			return true
		}
	}
	return false
}

// withVariant is "model.fp16.safetensors" of "model.safetensors" (transformers.utils.hub, _add_variant).
func withVariant(name, variant string) string {
	if variant == "" {
		return name
	}
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + variant + ext
}

// pickles and plain are the names' endings that tell weights that are objects, and those that are numbers.
var weightEndings = []string{".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".pb", ".gguf", ".pkl", ".pickle", ".joblib", ".npz", ".npy", ".ot", ".tflite", ".keras"}

// rest lists the weights that are not read.
func (c *chooser) rest() {
	read := map[int]bool{}
	for _, i := range c.plan.Weights {
		read[i] = true
	}
	for i, f := range c.q.Files {
		ext := strings.ToLower(path.Ext(f.Path))
		if !read[i] && slices.Contains(weightEndings, ext) && len(c.plan.Others) < maxRead {
			c.plan.Others = append(c.plan.Others, i)
		}
	}
}
