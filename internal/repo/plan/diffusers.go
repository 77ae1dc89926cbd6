package plan

import (
	"path"
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// diffusers follows DiffusionPipeline.from_pretrained (pipelines/pipeline_utils.py) and ModelMixin.from_pretrained
// (models/modeling_utils.py) of diffusers 0.42. model_index.json lists the components, each in a folder of its name.
// Either all of them come from safetensors, or, where one has none, all from pickles.
func diffusers(c *chooser) {
	o := c.q.Options
	index := c.json[c.in("model_index.json")]
	if index == nil || c.weightless() {
		if !c.weightless() {
			c.component(o.Subfolder, o.Safetensors != "false")
		}
		return
	}
	var folders []string
	for i, key := range index.Keys {
		part := index.Items[i]
		if strings.HasPrefix(key, "_") || len(part.Items) != 2 || part.Items[1].String() == "" || ref.Weightless(part.Items[1].String()) {
			continue
		}
		dir := path.Join(o.Subfolder, key)
		if module := part.Items[0].String(); c.has(path.Join(dir, module+".py")) {
			c.note(key + " is a class of the repository's own " + path.Join(dir, module+".py"))
		}
		folders = append(folders, dir)
	}
	safe := o.Safetensors != "false"
	for _, dir := range folders {
		if o.Safetensors == "" && c.weightsIn(dir, ".bin") && !c.weightsIn(dir, ".safetensors") {
			safe = false
		}
	}
	for _, dir := range folders {
		c.component(dir, safe)
	}
}

// component reads one folder's weights: a diffusers model's, or a transformers model's.
func (c *chooser) component(dir string, safe bool) {
	safetensors := []string{"diffusion_pytorch_model.safetensors", "model.safetensors"}
	pickles := []string{"diffusion_pytorch_model.bin", "pytorch_model.bin"}
	if safe && c.either(dir, safetensors...) {
		return
	}
	if c.q.Options.Safetensors != "true" && c.either(dir, pickles...) {
		return
	}
	if !safe { // a component without pickles, beside others
		c.either(dir, safetensors...)
	}
	for _, name := range []string{"model.onnx", "weights.pb"} {
		c.read(path.Join(dir, name))
	}
}

// weightsIn tells whether a folder holds weights with the given ending.
func (c *chooser) weightsIn(dir, ext string) bool {
	for _, f := range c.q.Files {
		if path.Dir(f.Path) == dir && path.Ext(f.Path) == ext {
			return true
		}
	}
	return false
}
