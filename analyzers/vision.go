package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// visionLoaders are the checkpoint loaders of the vision libraries, which call torch.load.
var visionLoaders = []*Loader{
	{Func: "clip.load", Also: []string{"clip.clip.load"}, Arg: Arg{0, []string{"name"}}, When: namesFile, Judge: unpickles},
	{Func: "open_clip.create_model", Also: []string{"open_clip.create_model_and_transforms", "open_clip.create_model_from_pretrained", "open_clip.factory.create_model", "open_clip.factory.create_model_and_transforms"},
		Arg: Arg{1, []string{"pretrained"}}, When: namesFile},
	{Func: "open_clip.load_checkpoint", Also: []string{"open_clip.factory.load_checkpoint"}, Arg: Arg{1, []string{"checkpoint_path"}}},
	{Func: "segment_anything.build_sam", Also: []string{"segment_anything.build_sam_vit_h", "segment_anything.build_sam_vit_l", "segment_anything.build_sam_vit_b", "segment_anything.sam_model_registry[]",
		"segment_anything.build_sam.sam_model_registry[]", "mobile_sam.sam_model_registry[]"}, Arg: Arg{0, []string{"checkpoint"}}, When: given, Judge: unpickles},
	{Func: "sam2.build_sam.build_sam2", Also: []string{"sam2.build_sam.build_sam2_video_predictor"}, Arg: Arg{1, []string{"ckpt_path"}}, When: given},
	{Func: "realesrgan.RealESRGANer", Also: []string{"realesrgan.utils.RealESRGANer"}, Arg: Arg{1, []string{"model_path"}}, Judge: unpickles},
	{Func: "gfpgan.GFPGANer", Also: []string{"gfpgan.utils.GFPGANer"}, Arg: Arg{0, []string{"model_path"}}, Judge: unpickles},
	{Func: "mmdet.apis.init_detector", Also: []string{"mmdet.apis.inference.init_detector", "mmseg.apis.init_model", "mmseg.apis.init_segmentor", "mmpose.apis.init_model", "mmpose.apis.init_pose_model", "mmcls.apis.init_model",
		"mmaction.apis.init_recognizer", "mmdet3d.apis.init_model", "mmrotate.apis.init_detector", "mmtrack.apis.init_model", "mmocr.apis.init_detector", "mmedit.apis.init_model"},
		Arg: Arg{1, []string{"checkpoint"}}, When: given, Judge: unpickles},
	{Func: "mmpretrain.get_model", Also: []string{"mmpretrain.apis.get_model"}, Arg: Arg{1, []string{"pretrained"}}, When: namesFile, Judge: unpickles},
	{Func: "super_gradients.training.models.get", Arg: Arg{-1, []string{"checkpoint_path"}}, When: given, Judge: unpickles},
	{Func: "yolov5.load", Also: []string{"yolov5.helpers.load_model", "yolov5.YOLOv5"}, Arg: Arg{0, []string{"model_path"}}, When: given, Judge: unpickles},
	{Func: "torchreid.utils.load_pretrained_weights", Arg: Arg{1, []string{"weight_path"}}, Judge: unpickles},
	{Func: "torchreid.utils.load_checkpoint", Arg: Arg{0, []string{"fpath"}}, Judge: unpickles},
	{Func: "nnUNetPredictor.initialize_from_trained_model_folder", Method: "initialize_from_trained_model_folder", Arg: Arg{0, []string{"model_training_output_dir"}}, Judge: unpickles},
}

// given says whether the argument that names what is loaded stands in the call, and is neither None nor a truth value.
func given(c *Call) bool {
	k := c.s.kind(c.arg)
	return c.arg >= 0 && k != pyparse.None && k != pyparse.True && k != pyparse.False
}

// namesFile says whether it may be a file: where it is a word as "openai", the library knows what to fetch.
func namesFile(c *Call) bool {
	if !given(c) {
		return false
	}
	v := c.Eval(c.arg)
	for _, a := range v.alts {
		if isModelFile(basename(a.text)) || localOnly(a.text) || strings.Contains(a.text, hole) {
			return true
		}
	}
	return len(v.alts) == 0
}
