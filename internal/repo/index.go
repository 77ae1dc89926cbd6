package repo

import (
	"context"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
)

// index is pytorch_model.bin.index.json and its like: weight_map says which file holds which tensor.
var index = &modelscan.Format{Name: "hf-index", Scan: func(_ context.Context, p *modelscan.Pass) error {
	root, err := jsontree.Read(p.Source, p.Limits)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	for i, key := range root.Keys {
		if key != "weight_map" {
			continue
		}
		for _, file := range root.Items[i].Items {
			if name := file.String(); !told[name] {
				told[name] = true
				path_(p, root, file)
			}
		}
	}
	return nil
}}

// modules is modules.json of sentence-transformers: a list of classes, and the folders they load.
var modules = &modelscan.Format{Name: "sentence-transformers", Scan: func(_ context.Context, p *modelscan.Pass) error {
	root, err := jsontree.Read(p.Source, p.Limits)
	if err != nil {
		return err
	}
	for _, module := range root.Items {
		for i, key := range module.Keys {
			switch value := module.Items[i]; {
			case key == "type" && value.String() != "":
				classPath(p, value, value.Text)
			case key == "path":
				path_(p, module, value)
			}
		}
	}
	return nil
}}

// pipeline is model_index.json of diffusers: each component is [library, class].
var pipeline = &modelscan.Format{Name: "diffusers", Scan: func(_ context.Context, p *modelscan.Pass) error {
	root, err := jsontree.Read(p.Source, p.Limits)
	if err != nil {
		return err
	}
	for _, value := range root.Items {
		if value.Kind != jsontree.Array || len(value.Items) != 2 {
			continue
		}
		library, class := value.Items[0].String(), value.Items[1].String()
		// diffusers looks in its own pipelines first: "stable_diffusion" is a folder there.
		if library != "" && class != "" && !ownPipelines[library] {
			classPath(p, value, library+"."+class)
		}
	}
	return nil
}}

// ownPipelines are modules that diffusers takes from its own diffusers.pipelines.
var ownPipelines = set(`stable_diffusion stable_diffusion_safe stable_diffusion_xl stable_diffusion_3 paint_by_example latent_diffusion unidiffuser kandinsky kandinsky2_2 kandinsky3
	deepfloyd_if wuerstchen stable_cascade flux pixart_alpha audioldm audioldm2 musicldm shap_e deprecated controlnet spectrogram_diffusion blip_diffusion animatediff
	hunyuandit lumina cogvideo mochi ltx sana aura_flow kolors onnx_utils`)

func set(list string) map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		words[w] = true
	}
	return words
}
