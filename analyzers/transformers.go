package analyzers

import (
	"regexp"
	"sync"

	"github.com/secure-torch/secure-torch/internal/rule"
)

var hubArg = Arg{0, []string{"pretrained_model_name_or_path", "pretrained_model_name", "model_name_or_path", "model_id", "repo_id", "repo_name", "save_directory", "model_name", "model", "path"}}

// peftModels are the classes that put an adapter on a model, which is their first argument.
var peftModels = []string{"peft.peft_model.PeftModel.from_pretrained", "peft.PeftModelForCausalLM.from_pretrained", "peft.PeftModelForSeq2SeqLM.from_pretrained",
	"peft.PeftModelForSequenceClassification.from_pretrained", "peft.PeftModelForTokenClassification.from_pretrained",
	"peft.PeftModelForQuestionAnswering.from_pretrained", "peft.PeftModelForFeatureExtraction.from_pretrained", "peft.PeftMixedModel.from_pretrained"}

var transformersLoaders = []*Loader{
	{Func: "peft.PeftModel.from_pretrained", Also: peftModels, Arg: Arg{1, []string{"model_id"}}, Takes: TakesHubOrPath, Judge: judgeHub},
	{Func: "from_pretrained", Method: "from_pretrained", Arg: hubArg, Takes: TakesHubOrPath, Judge: judgeHub, When: notOfTensor},
	{Func: "transformers.pipeline", Also: []string{"transformers.pipelines.pipeline"}, Arg: Arg{1, []string{"model"}}, Takes: TakesHubOrPath, Judge: judgePipeline},
	{Func: "transformers.cached_file", Suffix: "cached_file", Also: []string{"transformers.utils.cached_file", "transformers.utils.hub.cached_file", "transformers.utils.cached_files"},
		Arg: Arg{0, []string{"path_or_repo_id"}}, Takes: TakesHubOrPath, Fetches: true, Judge: judgeHub},
	{Func: "transformers.AutoModel", Also: []string{"transformers.tools.load_tool", "transformers.load_tool"}, Arg: Arg{0, []string{"task_or_repo_id"}}, Takes: TakesHub, Judge: judgeHub},
	{Func: "diffusers.download_from_original_stable_diffusion_ckpt", Suffix: "download_from_original_stable_diffusion_ckpt", Arg: Arg{0, []string{"checkpoint_path_or_dict", "checkpoint_path"}}, Judge: unpickles},
	{Func: "from_pipe", Method: "from_pipe", Arg: Arg{0, []string{"pipeline"}}, Takes: TakesNothing, Judge: judgeHub, When: hasCustomPipeline},
	{Func: "from_single_file", Method: "from_single_file", Arg: Arg{0, []string{"pretrained_model_link_or_path"}}, Judge: judgeSingleFile},
	{Func: "load_lora_weights", Method: "load_lora_weights", Arg: Arg{0, []string{"pretrained_model_name_or_path_or_dict"}}, Takes: TakesHubOrPath, Judge: judgeAdapter},
	{Func: "load_textual_inversion", Method: "load_textual_inversion", Arg: Arg{0, []string{"pretrained_model_name_or_path"}}, Takes: TakesHubOrPath, Judge: judgeAdapter},
	{Func: "load_ip_adapter", Method: "load_ip_adapter", Arg: Arg{0, []string{"pretrained_model_name_or_path_or_dict"}}, Takes: TakesHubOrPath, Judge: judgeAdapter},
	{Func: "load_attn_procs", Method: "load_attn_procs", Arg: Arg{0, []string{"pretrained_model_name_or_path_or_dict"}}, Takes: TakesHubOrPath, Judge: judgeAdapter},
	{Func: "sentence_transformers.SentenceTransformer", Also: []string{"sentence_transformers.CrossEncoder", "sentence_transformers.SparseEncoder",
		"sentence_transformers.cross_encoder.CrossEncoder", "sentence_transformers.SentenceTransformer.SentenceTransformer"},
		Arg: Arg{0, []string{"model_name_or_path", "model_name"}}, Takes: TakesHubOrPath, Judge: judgeHub},
	{Func: "peft.load_peft_weights", Also: []string{"peft.utils.load_peft_weights", "peft.utils.save_and_load.load_peft_weights"}, Arg: Arg{0, []string{"model_id"}}, Takes: TakesHubOrPath, Judge: judgeHub},
	{Func: "huggingface_hub.hf_hub_download", Suffix: "hf_hub_download", Also: []string{"huggingface_hub.cached_download", "huggingface_hub.file_download.hf_hub_download"},
		Arg: Arg{0, []string{"repo_id"}}, Takes: TakesHub, Fetches: true, Judge: judgeHub},
	{Func: "huggingface_hub.hf_hub_url", Arg: Arg{0, []string{"repo_id"}}, Takes: TakesHub},
	{Func: "huggingface_hub.snapshot_download", Suffix: "snapshot_download", Arg: Arg{0, []string{"repo_id"}}, Takes: TakesHub, Fetches: true, Judge: judgeHub},
	{Func: "huggingface_hub.from_pretrained_keras", Also: []string{"huggingface_hub.keras_mixin.from_pretrained_keras", "huggingface_hub.from_pretrained_fastai"}, Arg: Arg{0, nil}, Takes: TakesHub, Judge: judgeHub},
	{Func: "datasets.load_dataset", Also: []string{"datasets.load.load_dataset", "datasets.load_dataset_builder"}, Arg: Arg{0, []string{"path"}}, Takes: TakesDataset, Judge: judgeHub},
	{Func: "datasets.load_from_disk", Also: []string{"datasets.load.load_from_disk", "datasets.Dataset.load_from_disk", "datasets.DatasetDict.load_from_disk"}, Arg: Arg{0, []string{"dataset_path", "dataset_dict_path"}}},
	{Func: "evaluate.load", Arg: Arg{0, []string{"path"}}, Takes: TakesMetric, Judge: judgeEvaluate},
	{Func: "timm.create_model", Also: []string{"timm.models.create_model", "timm.models.factory.create_model"}, Arg: Arg{0, []string{"model_name"}}, Takes: TakesTimm, Judge: nil},
	{Func: "timm.models.load_checkpoint", Also: []string{"timm.models.helpers.load_checkpoint", "timm.models._helpers.load_checkpoint", "timm.models.load_state_dict"}, Arg: Arg{1, []string{"checkpoint_path"}}},
	{Func: "accelerate.load_checkpoint_and_dispatch", Also: []string{"accelerate.load_checkpoint_in_model", "accelerate.utils.load_checkpoint_in_model"}, Arg: Arg{1, []string{"checkpoint"}}, Judge: nil},
	{Func: "vllm.LLM", Arg: Arg{0, []string{"model"}}, Takes: TakesHubOrPath, Judge: judgeHub},
	{Func: "gradio.load", Also: []string{"gradio.Interface.load"}, Arg: Arg{0, []string{"name"}}, Takes: TakesNothing, Judge: judgeRemoteSpace},
	{Func: "flair.models.SequenceTagger.load", Also: []string{"flair.models.TextClassifier.load", "flair.models.TARSClassifier.load", "flair.nn.Classifier.load", "flair.models.MultiTagger.load"},
		Arg: Arg{0, []string{"model_path", "model_name"}}, Takes: TakesHubOrPath, Judge: unpickles},
}

var commit = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{40}$`) })

// judgeHub: a repository's branch can be moved to other files at any time; a commit cannot.
func judgeHub(c *Call) Judgement {
	if j, ok := c.customPipeline(); ok {
		return j
	}
	if j, ok := c.remoteCode(); ok {
		return j
	}
	if c.onlyLocal() {
		return c.safetensorsFlag(Judgement{})
	}
	if revision := c.Keyword("revision"); revision >= 0 {
		v := c.Eval(revision)
		if len(v.alts) == 0 && !isNone(c, revision) {
			return c.safetensorsFlag(Judgement{})
		}
		for _, a := range v.alts {
			if commit().MatchString(a.text) {
				return c.safetensorsFlag(Judgement{})
			}
		}
	}
	if c.HasSplat() {
		return c.safetensorsFlag(Judgement{})
	}
	return c.safetensorsFlag(Judgement{Rule: rule.HubLoadUnpinned, Pin: c.pin(),
		Message: "`" + c.Name() + "` takes whatever the repository holds at the time: no commit is pinned (revision=…)"})
}

// notOfTensor: the from_pretrained of torch's embeddings takes a tensor, and loads nothing.
func notOfTensor(c *Call) bool {
	switch c.name {
	case "torch.nn.Embedding.from_pretrained", "torch.nn.EmbeddingBag.from_pretrained", "torch.nn.modules.sparse.Embedding.from_pretrained":
		return false
	}
	return true
}

// judgePipeline: a pipeline of a model that was loaded already loads none.
func judgePipeline(c *Call) Judgement {
	if c.arg >= 0 && c.isObject(c.arg) {
		j, _ := c.remoteCode()
		return j
	}
	return judgeHub(c)
}

// remoteCode: trust_remote_code=True runs Python files out of the repository.
func (c *Call) remoteCode() (Judgement, bool) {
	v := c.Keyword("trust_remote_code")
	if c.Bool(v) != Yes {
		return Judgement{}, false
	}
	j := Judgement{Rule: rule.TrustRemoteCode, Guarded: No, Pin: c.pin(), Message: "`" + c.Name() + "` with trust_remote_code=True runs Python code from the repository"}
	if c.s.code(v) == "True" {
		j.Fixes = []Fix{{Title: "Set trust_remote_code=False", Edits: []Edit{{c.s.span(v), "False"}}}}
	}
	return j, true
}

// safetensorsFlag: use_safetensors=False makes the loader take the pickled weights.
func (c *Call) safetensorsFlag(other Judgement) Judgement {
	v := c.Keyword("use_safetensors")
	if v < 0 || c.s.code(v) != "False" {
		return other
	}
	j := Judgement{Rule: rule.UseSafetensorsFalse, Guarded: No, Message: "`" + c.Name() + "` with use_safetensors=False takes the pickled weights, even where safetensors are there",
		Fixes: []Fix{{Title: "Set use_safetensors=True", Edits: []Edit{{c.s.span(v), "True"}}}}}
	j.Pin = other.Pin
	return j
}

func judgeSingleFile(c *Call) Judgement { return c.safetensorsFlag(Judgement{}) }

// judgeAdapter: adapters are loaded like models, but often from a file name of one's own.
func judgeAdapter(c *Call) Judgement { return judgeHub(c) }

func judgeEvaluate(c *Call) Judgement {
	return Judgement{Rule: rule.CodeInModelLoad, Guarded: No, Message: "`" + c.Name() + "` downloads and runs a Python script, the metric"}
}

func judgeRemoteSpace(c *Call) Judgement { return Judgement{} }

// pin is the fix that adds revision="<commit>".
func (c *Call) pin() *Fix {
	if f, ok := c.fixAddKeyword("revision", `"`+CommitMark+`"`, true); ok {
		f.Title = "Pin the revision in the hub's cache, " + CommitMark
		return &f
	}
	return nil
}
