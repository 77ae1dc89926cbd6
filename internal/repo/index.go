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
var ownPipelines = set(`allegro amused animatediff audioldm audioldm2 aura_flow blip_diffusion bria bria_fibo chroma chronoedit cogvideo cogview3 cogview4 consisid
	consistency_models controlnet controlnet_hunyuandit controlnet_sd3 controlnet_xs cosmos dance_diffusion ddim ddpm deepfloyd_if deprecated dit easyanimate flux flux2
	free_init_utils glm_image helios hidream_image hunyuan_image hunyuan_video hunyuan_video1_5 hunyuandit i2vgen_xl kandinsky kandinsky2_2 kandinsky3 kandinsky5 kolors
	latent_consistency_models latent_diffusion latte ledits_pp longcat_image ltx ltx2 lucy lumina lumina2 marigold mochi musicldm omnigen onnx_utils ovis_image pag
	paint_by_example pia pipeline_utils pixart_alpha prx qwenimage sana sana_video semantic_stable_diffusion shap_e skyreels_v2 spectrogram_diffusion stable_audio
	stable_cascade stable_diffusion stable_diffusion_3 stable_diffusion_attend_and_excite stable_diffusion_diffedit stable_diffusion_gligen stable_diffusion_k_diffusion
	stable_diffusion_ldm3d stable_diffusion_panorama stable_diffusion_safe stable_diffusion_sag stable_diffusion_xl stable_video_diffusion t2i_adapter
	text_to_video_synthesis unclip unidiffuser versatile_diffusion visualcloze vq_diffusion wan wuerstchen z_image`)

func set(list string) map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		words[w] = true
	}
	return words
}
