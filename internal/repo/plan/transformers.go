package plan

import (
	"path"
	"slices"
	"strings"
)

// transformers follows _get_resolved_checkpoint_files (modeling_utils.py) of transformers 5.24: a GGUF file that is
// named, the name that the config gives, safetensors, and the pickle only where there are none, or they are not wanted.
// Each as one file or as an index of several.
func transformers(c *chooser) {
	o := c.q.Options
	if c.weightless() {
		return
	}
	if c.adapter() && !c.has(c.in("config.json")) {
		return
	}
	dir := o.Subfolder
	if o.File != "" {
		if file := c.in(o.File); !c.read(file) {
			c.missing(file)
		}
		return
	}
	if c.named(dir) {
		return
	}
	if o.Safetensors != "false" && c.either(dir, "model.safetensors") {
		return
	}
	if o.Safetensors != "true" && c.either(dir, "pytorch_model.bin") {
		if o.Safetensors == "" {
			c.note("there are no safetensors: transformers may load a conversion from a pull request (refs/pr/N) of the repository in their place")
		}
		return
	}
	if o.Safetensors != "true" {
		c.either(dir, "tf_model.h5", "model.ckpt.index", "flax_model.msgpack") // from_tf, from_flax of transformers 4
	}
}

// named reads the weights that a folder's config names, a file or an index of several, which lie in that folder whatever
// folder the index lies in (get_checkpoint_shard_files, utils/hub.py). It returns false where it names none.
func (c *chooser) named(dir string) bool {
	name := c.json[path.Join(dir, "config.json")].Str("transformers_weights")
	if name == "" {
		return false
	}
	file := path.Join(dir, name)
	if strings.HasSuffix(name, ".safetensors.index.json") && c.shards(file, dir) {
		return true
	}
	if !c.read(file) {
		c.missing(file)
	}
	return true
}

// adapter: where there is an adapter's config, the Auto classes load the model that it names, and the adapter on top
// (find_adapter_config_file, models/auto/auto_factory.py). In a folder on this machine that has a config.json too they
// take that model in the base's place; of a repository on the hub they do not. Here both are read.
func (c *chooser) adapter() bool {
	config := c.json[c.in("adapter_config.json")]
	base := config.Str("base_model_name_or_path")
	if base == "" {
		return false
	}
	c.elsewhere(base)
	names := slices.Clone(adapterWeights)
	if c.q.Options.Safetensors == "false" {
		slices.Reverse(names) // load_adapter, integrations/peft.py
	}
	c.firstOf(c.q.Options.Subfolder, names...)
	return true
}

var adapterWeights = []string{"adapter_model.safetensors", "adapter_model.bin"}

// peft follows load_peft_weights (utils/save_and_load.py) of peft 0.21, which knows no index.
func peft(c *chooser) {
	if c.weightless() {
		return
	}
	c.elsewhere(c.json[c.in("adapter_config.json")].Str("base_model_name_or_path"))
	c.firstOf(c.q.Options.Subfolder, adapterWeights...)
}

// timm follows load_state_dict_from_hf and load_state_dict_from_path (models/_hub.py) of timm 1.0.31: a name that the
// call gives, or, for a repository on the hub, its config; else the first of a list, of which the hub's part is the begin,
// else, in a folder on this machine, the first file with one of some endings.
func timm(c *chooser) {
	if c.q.Options.File != "" {
		if !c.read(c.q.Options.File) {
			c.missing(c.q.Options.File)
		}
		return
	}
	c.timmNamed() // of a folder on this machine that is not read: the rest is
	if c.firstOf("", "model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth", "open_clip_model.safetensors",
		"open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin", "open_clip_pytorch_model.pth") {
		return
	}
	for _, ending := range []string{".safetensors", ".pth", ".pth.tar", ".bin"} {
		var names []string
		for _, f := range c.q.Files {
			if !strings.Contains(f.Path, "/") && strings.HasSuffix(f.Path, ending) {
				names = append(names, f.Path)
			}
		}
		if slices.Sort(names); len(names) > 0 {
			c.read(names[0])
			return
		}
	}
}

// timmNamed reads the file that the config names (hf_hub_filename, of pretrained_cfg or, as it was written before, of the
// whole), or the safetensors that are taken in a pickle's place (_get_safe_alternatives) unless the model's own code reads it.
func (c *chooser) timmNamed() {
	config := c.json["config.json"]
	if inner := config.Get("pretrained_cfg"); inner != nil {
		config = inner
	}
	name := config.Str("hf_hub_filename")
	if name == "" {
		return
	}
	stem, pickle := strings.CutSuffix(name, ".bin")
	switch name {
	case "pytorch_model.bin":
		stem = "model"
	case "open_clip_pytorch_model.bin":
		stem = "open_clip_model"
	}
	if pickle && config.Str("custom_load") != "hf" && c.read(stem+".safetensors") {
		return
	}
	if !c.read(name) {
		c.missing(name)
	}
}

// firstOf reads the first of the files that is there.
func (c *chooser) firstOf(dir string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return c.read(path.Join(dir, name)) })
}

// sentenceTransformers follows Transformer.load and _load_sbert_model of sentence-transformers 6.2: each module of
// modules.json in its folder, which for the first is often the repository's root.
func sentenceTransformers(c *chooser) {
	if c.weightless() {
		return
	}
	modules := c.json["modules.json"]
	if modules == nil {
		transformers(c)
		return
	}
	for _, m := range modules.Items {
		dir, kind := m.Str("path"), m.Str("type")
		c.module(dir, strings.HasSuffix(kind, "Transformer"))
		if strings.HasSuffix(kind, ".Router") || strings.HasSuffix(kind, ".Asym") {
			c.routes(dir)
		}
	}
}

// module reads one module's weights. use_safetensors is for those that transformers loads: others have safetensors first
// (Module.load_torch_weights). Where it is not known which of them a module is, both are read.
func (c *chooser) module(dir string, transformer bool) {
	if base := c.json[path.Join(dir, "adapter_config.json")].Str("base_model_name_or_path"); base != "" {
		c.elsewhere(base)
		c.either(dir, adapterWeights...)
		return
	}
	if c.named(dir) {
		return
	}
	pickles := c.q.Options.Safetensors == "false"
	found := !(pickles && transformer) && c.either(dir, "model.safetensors")
	if pickles || !found {
		c.either(dir, "pytorch_model.bin")
	}
}

// routes reads the modules that a router chooses from: each has a folder in its own (Router.load), or, in what
// _validate_relative_path lets through, a folder of that.
func (c *chooser) routes(dir string) {
	seen := map[string]bool{dir: true}
	for _, f := range c.q.Files {
		if sub := path.Dir(f.Path); !seen[sub] && sub != "." && (dir == "" || strings.HasPrefix(sub, dir+"/")) {
			seen[sub] = true
			c.module(sub, false)
		}
	}
}
