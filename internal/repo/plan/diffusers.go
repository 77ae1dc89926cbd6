package plan

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
)

// diffusers follows DiffusionPipeline.from_pretrained (pipelines/pipeline_utils.py and pipeline_loading_utils.py) and
// ModelMixin.from_pretrained (models/modeling_utils.py) of diffusers 0.42. model_index.json lists the components, each
// in a folder of its name, or in the root where there is none. Either all of them come from safetensors, or, where one
// folder has weights and none of these, all from pickles.
func diffusers(c *chooser) {
	if c.weightless() {
		return
	}
	o := c.q.Options
	index := c.json[c.in("model_index.json")]
	if index == nil || o.Class != "" && !strings.Contains(o.Class, "Pipeline") { // a model by itself
		c.component(o.Subfolder, "diffusers", o.Variant, o.Safetensors != "false")
	}
	if index == nil {
		return
	}
	w := c.pipelineWeights(index)
	for i, key := range index.Keys {
		part := index.Items[i]
		if strings.HasPrefix(key, "_") || len(part.Items) != 2 || part.Items[1].String() == "" || ref.Weightless(part.Items[1].String()) {
			continue
		}
		dir, module := path.Join(o.Subfolder, key), part.Items[0].String()
		if c.has(path.Join(dir, module+".py")) {
			c.note(key + " is a class of the repository's own " + path.Join(dir, module+".py"))
		}
		if !c.component(dir, module, w.variant(dir), w.safe) {
			c.component(o.Subfolder, module, w.variant(o.Subfolder), w.safe)
		}
	}
}

// component reads one folder's weights: those of a diffusers model, of a transformers model, or, where another module
// has the class, of either. It returns false where diffusers may look into the root instead.
func (c *chooser) component(dir, module, variant string, safe bool) bool {
	found := false
	if module != "transformers" {
		found = c.stem(dir, variant, safe, "diffusion_pytorch_model", "diffusion_pytorch_model")
	}
	if module != "diffusers" {
		found = c.stem(dir, variant, safe, "model", "pytorch_model") || found
	}
	if found {
		return true
	}
	for _, name := range []string{"model.onnx", "weights.pb"} { // OnnxRuntimeModel
		c.read(path.Join(dir, name))
	}
	return false
}

// stem reads the weights of one library's names: safetensors if they are wanted, else, and where they are not there, the
// pickle. It returns false where it has neither, or one that only a folder on this machine is read from.
func (c *chooser) stem(dir, variant string, safe bool, safetensors, pickle string) bool {
	us := c.q.Options.Safetensors
	if us != "false" && safe && c.whole(dir, safetensors+".safetensors", variant) || us != "true" && c.whole(dir, pickle+".bin", variant) {
		return true
	}
	if us != "false" && !safe { // of a repository they are not downloaded
		c.whole(dir, safetensors+".safetensors", variant)
	}
	return false
}

// whole reads a file, or those that its index names: diffusers takes the index before the file, transformers the file,
// so where both are there both are read.
func (c *chooser) whole(dir, name, variant string) bool {
	found := c.read(path.Join(dir, withVariant(name, variant)))
	found = c.sharded(path.Join(dir, withVariant(name+".index.json", variant))) || found
	if variant != "" { // as it was spelled before
		found = c.sharded(path.Join(dir, name+"."+variant+".index.json")) || found
	}
	return found
}

// weightNames are the files that diffusers takes for weights (is_safetensors_compatible, variant_compatible_siblings):
// the variant is the first group or, as it was spelled before, the third.
var weightNames = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:diffusion_pytorch_model|model|weights|pytorch_model)(?:\.([^/]+?))??(-\d{5}-of-\d{5})?(?:\.([^/.]+))??\.(bin|safetensors|onnx|pb)$`)
})

// pipelineWeights is what holds for all components of a pipeline.
type pipelineWeights struct {
	safe     bool
	variants map[string]bool // folders that have weights of the variant, in the form that is read
	wanted   string
}

func (w pipelineWeights) variant(dir string) string {
	if w.variants[dir] {
		return w.wanted
	}
	return ""
}

// folderWeights is what one folder has: by variant wanted or not, and the ending.
type folderWeights struct {
	any                    bool // a file with the ending of weights
	plain, variant, legacy map[string]bool
}

// pipelineWeights finds out whether all components come from safetensors, as is_safetensors_compatible does: what lies in
// the folder of a component that is null, or a tokenizer, counts too.
func (c *chooser) pipelineWeights(index *jsontree.Node) pipelineWeights {
	o := c.q.Options
	folders := c.folderWeights(o.Variant)
	w := pipelineWeights{safe: o.Safetensors != "false", wanted: o.Variant, variants: map[string]bool{}}
	for _, f := range c.counted(index, folders) {
		kinds := f.plain
		if len(f.variant) > 0 {
			kinds = f.variant
		}
		if o.Safetensors == "" && !kinds["safetensors"] {
			w.safe = false
		}
	}
	for dir, f := range folders {
		ending := "bin"
		if w.safe {
			ending = "safetensors"
		}
		w.variants[dir] = f.variant[ending] || f.legacy[ending]
	}
	return w
}

// counted are the folders that the choice of safetensors goes by: those that the index lists, if any has weights.
func (c *chooser) counted(index *jsontree.Node, folders map[string]*folderWeights) []*folderWeights {
	top := c.q.Options.Subfolder
	var out []*folderWeights
	for i, key := range index.Keys {
		if f := folders[path.Join(top, key)]; key != "_class_name" && index.Items[i].Kind == jsontree.Array && f != nil && f.any {
			out = append(out, f)
		}
	}
	if len(out) > 0 {
		return out
	}
	for dir, f := range folders { // else all folders
		if f.any && dir != top && path.Dir(dir) == path.Join(".", top) {
			out = append(out, f)
		}
	}
	if root := folders[top]; len(out) == 0 && root != nil {
		out = append(out, root)
	}
	return out
}

// folderWeights looks at the files of every folder.
func (c *chooser) folderWeights(variant string) map[string]*folderWeights {
	folders := map[string]*folderWeights{}
	for _, file := range c.q.Files {
		dir, name := path.Split(file.Path)
		dir = strings.TrimSuffix(dir, "/")
		f := folders[dir]
		if f == nil {
			f = &folderWeights{plain: map[string]bool{}, variant: map[string]bool{}, legacy: map[string]bool{}}
			folders[dir] = f
		}
		for _, ending := range []string{"bin", "safetensors", "onnx", "pb", "flashpack"} {
			f.any = f.any || strings.HasSuffix(name, ending)
		}
		m := weightNames().FindStringSubmatch(name)
		switch {
		case m == nil:
		case m[1] == "" && m[3] == "":
			f.plain[m[4]] = true
		case variant != "" && m[3] == variant && m[2] != "":
			f.legacy[m[4]] = true
		case variant != "" && (m[1] == variant || m[3] == variant):
			f.variant[m[4]] = true
		}
	}
	return folders
}
