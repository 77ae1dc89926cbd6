package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// numpyLoaders are numpy's and the data libraries beside it.
var numpyLoaders = []*Loader{
	{Func: "numpy.load", Also: []string{"numpy.lib.npyio.load", "jax.numpy.load", "cupy.load"}, Arg: Arg{0, []string{"file"}}, Judge: judgeNumpy},
	{Func: "numpy.lib.npyio.NpzFile", Arg: Arg{0, []string{"fid"}}, Judge: judgeNumpy},
	{Func: "numpy.lib.format.read_array", Arg: Arg{0, []string{"fp"}}, Judge: judgeNumpy},
	{Func: "scipy.io.loadmat", Arg: Arg{0, []string{"file_name"}}},
	{Func: "pandas.HDFStore", Arg: Arg{0, []string{"path"}}, When: reads, Judge: judgePickle},
	{Func: "pandas.read_hdf", Arg: Arg{0, []string{"path_or_buf"}}, Judge: judgePickle},
	{Func: "h5py.File", Arg: Arg{0, []string{"name"}}, When: reads},
}

// kerasLoaders are Keras, TensorFlow and their relatives.
var kerasLoaders = []*Loader{
	{Func: "keras.models.load_model", Also: []string{"tensorflow.keras.models.load_model", "keras.saving.load_model", "tensorflow.keras.saving.load_model", "tf_keras.models.load_model",
		"tensorflow.python.keras.models.load_model", "keras.api.models.load_model", "tf_keras.saving.load_model"}, Arg: Arg{0, []string{"filepath"}}, Judge: judgeKeras},
	{Func: "keras.models.model_from_json", Also: []string{"keras.models.model_from_yaml", "keras.models.model_from_config", "tensorflow.keras.models.model_from_json", "keras.Model.from_config",
		"tensorflow.keras.models.model_from_yaml", "tensorflow.keras.models.model_from_config"}, Arg: Arg{0, nil}, Takes: TakesBytes, Judge: judgeKeras},
	{Func: "tensorflow.compat.v1.saved_model.load", Also: []string{"tensorflow.compat.v1.saved_model.loader.load", "tensorflow.saved_model.loader.load"},
		Arg: Arg{2, []string{"export_dir"}}, Judge: runsCode("a SavedModel's graph can read and write files when it runs")},
	{Func: "keras.Model.load_weights", Method: "load_weights", Arg: Arg{0, []string{"filepath"}}, When: ofKeras},
	{Func: "tensorflow.saved_model.load", Also: []string{"tensorflow.compat.v2.saved_model.load", "tensorflow.compat.v1.saved_model.load_v2", "tensorflow.python.saved_model.load.load"},
		Arg: Arg{0, []string{"export_dir"}}, Judge: runsCode("a SavedModel's graph can read and write files when it runs")},
	{Func: "tensorflow_hub.load", Also: []string{"tensorflow_hub.KerasLayer", "tensorflow_hub.resolve", "tensorflow_hub.Module"}, Arg: Arg{0, []string{"handle"}}, Takes: TakesURL,
		Judge: runsCode("a SavedModel's graph can read and write files when it runs")},
	{Func: "keras.layers.TFSMLayer", Also: []string{"tensorflow.keras.layers.TFSMLayer"}, Arg: Arg{0, []string{"filepath"}}, Judge: runsCode("a SavedModel's graph can read and write files when it runs")},
	{Func: "tensorflow.train.import_meta_graph", Also: []string{"tensorflow.compat.v1.train.import_meta_graph"}, Arg: Arg{0, []string{"meta_graph_or_file"}}, Judge: runsCode("the graph can read and write files when it runs")},
	{Func: "tensorflow.load_op_library", Also: []string{"tensorflow.load_library", "tensorflow.compat.v1.load_op_library", "tensorflow.python.framework.load_library.load_op_library"}, Arg: Arg{0, []string{"library_filename", "library_location"}}, Judge: nativeCode},
	{Func: "tensorflow.io.gfile.GFile", Also: []string{"tensorflow.gfile.GFile", "tensorflow.gfile.FastGFile", "tensorflow.compat.v1.gfile.GFile"}, Arg: Arg{0, []string{"name"}}, When: reads},
	{Func: "tensorflow.lite.Interpreter", Also: []string{"tflite_runtime.interpreter.Interpreter"}, Arg: Arg{0, []string{"model_path"}}},
	{Func: "tensorflow.train.load_checkpoint", Also: []string{"tensorflow.train.list_variables", "tensorflow.train.load_variable", "tensorflow.train.NewCheckpointReader"}, Arg: Arg{0, []string{"ckpt_dir_or_file"}}},
	{Func: "flax.serialization.from_bytes", Also: []string{"flax.serialization.msgpack_restore"}, Arg: Arg{1, []string{"encoded_bytes"}}, Takes: TakesBytes},
	{Func: "flax.training.checkpoints.restore_checkpoint", Arg: Arg{0, []string{"ckpt_dir"}}},
	{Func: "paddle.inference.Config", Arg: Arg{0, []string{"prog_file", "model_dir"}}, When: given},
	{Func: "paddle.load", Also: []string{"paddle.jit.load"}, Arg: Arg{0, []string{"path"}}, Judge: unpickles},
	{Func: "mxnet.nd.load", Also: []string{"mxnet.ndarray.load", "mxnet.model.load_checkpoint", "mxnet.gluon.SymbolBlock.imports"}, Arg: Arg{0, []string{"fname"}}},
	{Func: "coremltools.models.MLModel", Also: []string{"coremltools.models.model.MLModel"}, Arg: Arg{0, []string{"model"}}},
	{Func: "coremltools.utils.load_spec", Also: []string{"coremltools.models.utils.load_spec"}, Arg: Arg{0, []string{"model_path", "filename"}}},
	{Func: "xgboost.Booster.load_model", Also: []string{"xgboost.Booster().load_model", "xgboost.XGBClassifier().load_model", "xgboost.XGBRegressor().load_model", "xgboost.XGBModel().load_model"}, Arg: Arg{0, []string{"fname"}}},
	{Func: "lightgbm.Booster", Arg: Arg{-1, []string{"model_file"}}, When: func(c *Call) bool { return c.Keyword("model_file") >= 0 }},
	{Func: "catboost.CatBoost().load_model", Also: []string{"catboost.CatBoostClassifier().load_model", "catboost.CatBoostRegressor().load_model"}, Arg: Arg{0, []string{"fname"}}},
	{Func: "fasttext.load_model", Arg: Arg{0, []string{"path"}}},
	{Func: "gensim.models.KeyedVectors.load", Also: []string{"gensim.models.Word2Vec.load", "gensim.models.Doc2Vec.load", "gensim.models.FastText.load", "gensim.utils.unpickle", "gensim.utils.SaveLoad.load",
		"gensim.models.LdaModel.load", "gensim.corpora.Dictionary.load"}, Arg: Arg{0, []string{"fname"}}, Judge: unpickles},
	{Func: "mlflow.pyfunc.load_model", Also: []string{"mlflow.sklearn.load_model", "mlflow.pytorch.load_model", "mlflow.xgboost.load_model", "mlflow.lightgbm.load_model", "mlflow.tensorflow.load_model",
		"mlflow.keras.load_model", "mlflow.transformers.load_model", "mlflow.load_model", "mlflow.langchain.load_model", "mlflow.spark.load_model", "mlflow.statsmodels.load_model", "mlflow.prophet.load_model",
		"mlflow.fastai.load_model", "mlflow.catboost.load_model", "mlflow.paddle.load_model", "mlflow.spacy.load_model", "mlflow.onnx.load_model", "mlflow.h2o.load_model",
		"mlflow.sentence_transformers.load_model", "mlflow.pmdarima.load_model", "mlflow.diviner.load_model", "mlflow.shap.load_explainer"},
		Arg: Arg{0, []string{"model_uri"}}, Takes: TakesURL, Judge: unpickles},
	{Func: "pycaret.classification.load_model", Also: []string{"pycaret.regression.load_model"}, Arg: Arg{0, []string{"model_name"}}, Judge: unpickles},
	{Func: "statsmodels.iolib.smpickle.load_pickle", Also: []string{"statsmodels.api.load", "statsmodels.api.load_pickle", "statsmodels.iolib.api.load_pickle"}, Arg: Arg{0, []string{"fname"}}, Judge: judgePickle},
	{Func: "shap.Explainer.load", Also: []string{"shap.TreeExplainer.load", "shap.KernelExplainer.load"}, Arg: Arg{0, []string{"in_file"}}, Judge: unpickles},
	{Func: "dspy.load", Arg: Arg{0, []string{"path"}}, Judge: unpickles},
	{Func: "parallel_wavegan.utils.load_model", Arg: Arg{0, []string{"checkpoint"}}, Judge: unpickles},
	{Func: "spacy.load", Also: []string{"spacy.util.load_model", "spacy.util.load_model_from_path"}, Arg: Arg{0, []string{"name"}}, Takes: TakesPackage, Judge: runsCode("a pipeline's package is imported, and its parts may be pickled")},
	{Func: "fastai.learner.load_learner", Suffix: "load_learner", Also: []string{"fastai.vision.all.load_learner", "fastai.text.all.load_learner", "fastai.basic_train.load_learner", "fastai.tabular.all.load_learner"}, Arg: Arg{0, []string{"fname"}}, Judge: unpickles},
	{Func: "stable_baselines3.PPO.load", Also: []string{"stable_baselines3.A2C.load", "stable_baselines3.DQN.load", "stable_baselines3.SAC.load", "stable_baselines3.TD3.load", "stable_baselines3.DDPG.load"},
		Arg: Arg{0, []string{"path"}}, Judge: unpickles},
}

// runtimeLoaders are ONNX and the inference engines.
var runtimeLoaders = []*Loader{
	{Func: "onnx.load", Also: []string{"onnx.load_model", "onnx.load_model_from_file"}, Arg: Arg{0, []string{"f"}}},
	{Func: "onnx.hub.load", Arg: Arg{0, []string{"model"}}, Takes: TakesNothing, Judge: judgeURL},
	{Func: "onnxruntime.InferenceSession", Suffix: "InferenceSession", Arg: Arg{0, []string{"path_or_bytes"}}},
	{Func: "register_custom_ops_library", Method: "register_custom_ops_library", Arg: Arg{0, []string{"path"}}, Judge: nativeCode},
	{Func: "safetensors.torch.load_file", Also: []string{"safetensors.flax.load_file", "safetensors.numpy.load_file", "safetensors.tensorflow.load_file", "safetensors.paddle.load_file", "safetensors.mlx.load_file"}, Arg: Arg{0, []string{"filename"}}, Judge: harmless},
	{Func: "safetensors.torch.load", Also: []string{"safetensors.flax.load", "safetensors.numpy.load", "safetensors.tensorflow.load", "safetensors.paddle.load", "safetensors.deserialize"}, Arg: Arg{0, []string{"data"}}, Takes: TakesBytes, Judge: harmless},
	{Func: "safetensors.torch.load_model", Arg: Arg{1, []string{"filename"}}, Judge: harmless},
	{Func: "safetensors.safe_open", Also: []string{"safetensors.torch.safe_open", "safetensors.numpy.safe_open"}, Arg: Arg{0, []string{"filename"}}, Judge: harmless},
	{Func: "openvino.Core", Also: []string{"openvino.runtime.Core"}, Takes: TakesNothing, Arg: Arg{-1, nil}},
	{Func: "openvino.Core().read_model", Also: []string{"openvino.runtime.Core().read_model", "openvino.Core().compile_model", "openvino.runtime.Core().compile_model", "openvino.compile_model"}, Arg: Arg{0, []string{"model"}}},
	{Func: "openvino.Core().add_extension", Also: []string{"openvino.runtime.Core().add_extension"}, Arg: Arg{0, []string{"library_path"}}, Judge: nativeCode},
	{Func: "tensorrt.Runtime", Takes: TakesNothing, Arg: Arg{-1, nil}},
	{Func: "tensorrt.Runtime().deserialize_cuda_engine", Arg: Arg{0, nil}, Takes: TakesBytes, Judge: runsCode("an engine file holds machine code")},
	{Func: "llama_cpp.Llama", Also: []string{"llama_cpp.llama.Llama"}, Arg: Arg{0, []string{"model_path"}}},
	{Func: "ctransformers.AutoModelForCausalLM.from_pretrained", Arg: Arg{0, []string{"model_path_or_repo_id"}}, Takes: TakesHubOrPath, Judge: judgeHub},
	{Func: "gguf.GGUFReader", Also: []string{"gguf.gguf_reader.GGUFReader"}, Arg: Arg{0, []string{"path"}}},
	{Func: "gpt4all.GPT4All", Arg: Arg{0, []string{"model_name"}}},
}

// speechLoaders are the checkpoint loaders of the speech, vision and training frameworks.
var speechLoaders = []*Loader{
	{Func: "load_from_checkpoint", Method: "load_from_checkpoint", Arg: Arg{0, []string{"checkpoint_path"}}, Judge: judgeLightning},
	{Func: "lightning_fabric.utilities.cloud_io._load", Also: []string{"lightning.fabric.utilities.cloud_io._load", "pytorch_lightning.utilities.cloud_io.load"}, Arg: Arg{0, []string{"path_or_url"}}, Judge: judgeLightning},
	{Func: "restore_from", Method: "restore_from", Arg: Arg{0, []string{"restore_path"}}, Judge: judgeNemo},
	{Func: "from_checkpoint", Method: "from_checkpoint", Arg: Arg{0, []string{"checkpoint_path", "path"}}},
	{Func: "speechbrain.from_hparams", Method: "from_hparams", Arg: Arg{0, []string{"source"}}, Takes: TakesHubOrPath, Judge: judgeHparams},
	{Func: "fairseq.checkpoint_utils.load_model_ensemble_and_task", Also: []string{"fairseq.checkpoint_utils.load_checkpoint_to_cpu", "fairseq.checkpoint_utils.load_model_ensemble"},
		Arg: Arg{0, []string{"filenames", "path"}}, Judge: unpickles},
	{Func: "basicsr.load_file_from_url", Suffix: "load_file_from_url", Arg: Arg{0, []string{"url"}}, Takes: TakesURL, Judge: judgeDownload},
	{Func: "whisper.load_model", Arg: Arg{0, []string{"name"}}, Judge: whisperModel},
	{Func: "ultralytics.YOLO", Also: []string{"ultralytics.RTDETR", "ultralytics.SAM", "ultralytics.FastSAM", "ultralytics.NAS", "ultralytics.YOLOWorld", "ultralytics.YOLOE", "ultralytics.models.YOLO", "ultralytics.models.yolo.model.YOLO"},
		Arg: Arg{0, []string{"model"}}, Judge: judgeYOLO},
	{Func: "ultralytics.nn.tasks.torch_safe_load", Also: []string{"ultralytics.nn.tasks.attempt_load_weights", "ultralytics.nn.tasks.attempt_load_one_weight", "ultralytics.nn.tasks.load_checkpoint"}, Arg: Arg{0, []string{"weight", "weights"}}, Judge: judgeYOLO},
	{Func: "detectron2.checkpoint.DetectionCheckpointer().load", Also: []string{"fvcore.common.checkpoint.Checkpointer().load"}, Arg: Arg{0, []string{"path"}}, Judge: unpickles},
	{Func: "mmengine.runner.load_checkpoint", Also: []string{"mmcv.runner.load_checkpoint", "mmengine.runner.checkpoint.load_checkpoint"}, Arg: Arg{1, []string{"filename"}}, Judge: unpickles},
	{Func: "espnet2.bin.asr_inference.Speech2Text.from_pretrained", Arg: Arg{0, nil}, Takes: TakesHub, Judge: unpickles},
	{Func: "TTS.api.TTS", Arg: Arg{1, []string{"model_path"}}, Judge: unpickles, When: hasArguments},
}

func whisperModel(c *Call) Judgement { return Judgement{} }
func harmless(*Call) Judgement       { return Judgement{Guarded: Yes} }

// judgeNumpy: allow_pickle=True unpickles arrays of objects.
func judgeNumpy(c *Call) Judgement {
	arg := c.Keyword("allow_pickle")
	if arg < 0 {
		arg = c.s.positional(c.n, 2+c.skip)
	}
	switch {
	case c.Bool(arg) == Yes:
		j := Judgement{Rule: rule.NumpyAllowPickle, Guarded: No, Message: "`" + c.Name() + "` with allow_pickle=True runs whatever code an array of objects holds"}
		if strings.Trim(c.s.code(arg), "() \t\r\n") == "True" && !c.s.broken(c.n) {
			j.Fixes = []Fix{{Title: "Set allow_pickle=False", Edits: []Edit{{c.s.span(arg), "False"}}}}
		}
		return j
	case arg >= 0 && c.Bool(arg) == Unsure:
		return Judgement{Rule: rule.NumpyAllowPickle, Message: "`" + c.Name() + "` unpickles arrays of objects if allow_pickle is true, which is not certain here"}
	}
	return Judgement{Guarded: Yes}
}

// judgeKeras: a model's Lambda layers hold code, and its config names the classes to be made.
func judgeKeras(c *Call) Judgement {
	switch c.Bool(c.Keyword("safe_mode")) {
	case No:
		j := Judgement{Rule: rule.KerasSafeModeOff, Guarded: No, Message: "`" + c.Name() + "` with safe_mode=False runs the code in the model's Lambda layers"}
		if v := c.Keyword("safe_mode"); c.s.code(v) == "False" {
			j.Fixes = []Fix{{Title: "Set safe_mode=True", Edits: []Edit{{c.s.span(v), "True"}}}}
		}
		return j
	case Yes:
		return Judgement{}
	}
	for _, a := range c.Eval(c.Arg(Arg{0, []string{"filepath"}})).alts {
		if strings.HasSuffix(a.text, ".h5") || strings.HasSuffix(a.text, ".hdf5") {
			return Judgement{Rule: rule.KerasLegacyLoad, Guarded: No, Message: "`" + c.Name() + "` of an HDF5 file knows no safe mode: Lambda layers in it are run"}
		}
	}
	return Judgement{}
}

// judgeLightning: Lightning calls torch.load with weights_only=False unless it is told otherwise.
func judgeLightning(c *Call) Judgement {
	if c.Bool(c.Keyword("weights_only")) == Yes {
		return Judgement{Guarded: Yes}
	}
	j := unpickles(c)
	if f, ok := c.fixAddKeyword("weights_only", "True", false); ok {
		j.Fixes = append(j.Fixes, f)
	}
	return j
}

func judgeNemo(c *Call) Judgement {
	return Judgement{Rule: rule.ConfigInstantiate, Guarded: No, Message: "`" + c.Name() + "` makes whatever classes the archive's config names (_target_), and unpickles its weights"}
}

func judgeHparams(c *Call) Judgement {
	return Judgement{Rule: rule.ConfigInstantiate, Guarded: No, Message: "`" + c.Name() + "` makes whatever the repository's hyperparams.yaml names, and may import its Python files"}
}

func judgeYOLO(c *Call) Judgement {
	for _, a := range c.Eval(c.Arg(Arg{0, []string{"model", "weight", "weights"}})).alts {
		if strings.HasSuffix(a.text, ".yaml") || strings.HasSuffix(a.text, ".onnx") || strings.HasSuffix(a.text, ".yml") {
			return Judgement{}
		}
	}
	if c.s.positional(c.n, 0) < 0 && c.Keyword("model") < 0 && !c.HasSplat() && c.Keyword("weights") < 0 && c.Keyword("weight") < 0 {
		return Judgement{}
	}
	return Judgement{Rule: rule.UltralyticsLoad, Guarded: No,
		Message: "`" + c.Name() + "` unpickles the checkpoint with weights_only=False, and pip-installs modules that it names"}
}

// reads says whether a file is opened for reading: mode "r" or none.
func reads(c *Call) bool {
	mode := c.Arg(Arg{1, []string{"mode"}})
	if mode < 0 {
		return true
	}
	t, ok := c.s.literal(mode)
	return !ok || strings.HasPrefix(t, "r")
}

// ofKeras says whether the object of a call is one of Keras': model.load_weights(…).
func ofKeras(c *Call) bool {
	library, _, _ := strings.Cut(c.name, ".")
	return library == "keras" || library == "tensorflow" || library == "tf_keras"
}

// hasArguments says whether anything is passed: TTS() makes an object that lists models, and loads none.
func hasArguments(c *Call) bool { return c.s.child(c.s.field(c.n, pyparse.FieldArguments), 0) >= 0 }

func isNone(c *Call, n node) bool { return c.s.kind(n) == pyparse.None }
