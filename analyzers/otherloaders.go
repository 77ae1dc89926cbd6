package analyzers

import "slices"

// otherLoaders are those of libraries with a loader or two, most of which unpickle what they are given.
var otherLoaders = []*Loader{
	{Func: "autogluon.tabular.TabularPredictor.load", Also: []string{"autogluon.timeseries.TimeSeriesPredictor.load", "autogluon.multimodal.MultiModalPredictor.load", "autogluon.core.utils.loaders.load_pkl.load"},
		Arg: Arg{0, []string{"path"}}, Judge: unpickles},
	{Func: "allennlp.models.archival.load_archive", Also: []string{"allennlp.models.load_archive", "allennlp.predictors.Predictor.from_path", "allennlp.predictors.predictor.Predictor.from_path"},
		Arg: Arg{0, []string{"archive_file", "archive_path"}}, Judge: unpickles},
	{Func: "bentoml.picklable_model.load_model", Also: []string{"bentoml.sklearn.load_model", "bentoml.pytorch.load_model", "bentoml.catboost.load_model", "bentoml.lightgbm.load_model", "bentoml.xgboost.load_model",
		"bentoml.transformers.load_model", "bentoml.fastai.load_model", "bentoml.torchscript.load_model"}, Arg: Arg{0, []string{"bento_model", "tag_like"}}, Takes: TakesNothing, Judge: unpickles},
	{Func: "mmengine.runner.CheckpointLoader.load_checkpoint", Also: []string{"mmcv.runner.CheckpointLoader.load_checkpoint", "mmengine.runner.checkpoint.CheckpointLoader.load_checkpoint"},
		Arg: Arg{0, []string{"filename"}}, Judge: unpickles},
	{Func: "ktrain.load_predictor", Also: []string{"ktrain.core.load_predictor"}, Arg: Arg{0, []string{"fpath"}}, Judge: unpickles},
	{Func: "ludwig.api.LudwigModel.load", Arg: Arg{0, []string{"model_dir"}}, Judge: unpickles},
	{Func: "mmengine.load", Also: []string{"mmengine.fileio.load", "mmcv.load", "mmcv.fileio.load"}, Arg: Arg{0, []string{"file"}}, Judge: judgeByName},
	{Func: "batchgenerators.utilities.file_and_folder_operations.load_pickle", Arg: Arg{0, []string{"file"}}, Judge: judgePickle},
	{Func: "TTS.utils.io.load_fsspec", Also: []string{"trainer.io.load_fsspec", "trainer.load_fsspec"}, Arg: Arg{0, []string{"path"}}, Judge: unpickles},
	{Func: "torchfile.load", Also: []string{"torch.utils.serialization.load_lua"}, Arg: Arg{0, []string{"filename"}}},
	{Func: "pyreadr.read_r", Arg: Arg{0, []string{"path"}}},
	{Func: "nltk.data.load", Arg: Arg{0, []string{"resource_url"}}, Judge: unpickles},
	{Func: "surprise.dump.load", Arg: Arg{0, []string{"file_name"}}, Judge: judgePickle},
	{Func: "sktime.base.load", Also: []string{"sktime.base.BaseObject.load_from_path"}, Arg: Arg{0, []string{"serial", "path"}}, Judge: judgePickle},
	{Func: "neuralforecast.NeuralForecast.load", Also: []string{"neuralforecast.core.NeuralForecast.load"}, Arg: Arg{0, []string{"path"}}, Judge: unpickles},
	{Func: "rwkv.model.RWKV", Arg: Arg{0, []string{"model"}}, Judge: unpickles},
	{Func: "laion_clap.CLAP_Module().load_ckpt", Arg: Arg{0, []string{"ckpt"}}, Judge: unpickles},
	{Func: "hanlp.load", Arg: Arg{0, []string{"save_dir"}}, Takes: TakesURL, Judge: unpickles},
	{Func: "gensim.downloader.load", Arg: Arg{0, []string{"name"}}, Takes: TakesNothing, Judge: runsCode("a data set's package is imported from what was downloaded")},
	{Func: "gensim.models.KeyedVectors.load_word2vec_format", Also: []string{"gensim.models.fasttext.load_facebook_model", "gensim.models.fasttext.load_facebook_vectors"}, Arg: Arg{0, []string{"fname", "path"}}},
	{Func: "mlx.core.load", Arg: Arg{0, []string{"file"}}},
	{Func: "cv2.dnn.readNet", Also: []string{"cv2.dnn.readNetFromONNX", "cv2.dnn.readNetFromTensorflow", "cv2.dnn.readNetFromTorch", "cv2.dnn.readNetFromTFLite", "cv2.dnn.readNetFromModelOptimizer"},
		Arg: Arg{0, []string{"model", "onnxFile", "weights"}}},
	{Func: "cv2.dnn.readNetFromCaffe", Also: []string{"cv2.dnn.readNetFromDarknet"}, Arg: Arg{1, []string{"caffeModel", "darknetModel"}}},
	{Func: "transformers.modeling_utils.load_state_dict", Arg: Arg{0, []string{"checkpoint_file"}}},
	{Func: "kagglehub.model_download", Arg: Arg{0, []string{"handle"}}, Takes: TakesNothing},
	{Func: "monai.bundle.load", Arg: Arg{0, []string{"name"}}, Takes: TakesNothing, Judge: runsCode("a bundle's config names the classes that are made")},
}

// judgeByName is the judgement of loaders that go by the name's ending, and unpickle what is neither JSON nor YAML.
func judgeByName(c *Call) Judgement {
	v := c.Eval(c.arg)
	for _, a := range v.alts {
		if _, ext := splitExt(a.text); !slices.Contains([]string{".json", ".yaml", ".yml"}, ext) {
			return unpickles(c)
		}
	}
	if v.why != "" {
		return Judgement{}
	}
	return Judgement{Guarded: Yes}
}
