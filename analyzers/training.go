package analyzers

import "slices"

// trainingLoaders go on with a training run, or load what reinforcement learning and forecasting libraries saved.
var trainingLoaders = []*Loader{
	{Func: "transformers.Trainer.train", Also: each("", "().train", "transformers.Trainer", "transformers.Seq2SeqTrainer", "trl.SFTTrainer", "trl.DPOTrainer", "trl.GRPOTrainer", "trl.ORPOTrainer", "trl.KTOTrainer", "trl.RewardTrainer"),
		Arg: Arg{0, []string{"resume_from_checkpoint"}}, When: given},
	{Func: "lightning.Trainer.fit", Also: slices.Concat(each("lightning.Trainer().", "", trainerSteps...), each("lightning.pytorch.Trainer().", "", trainerSteps...), each("pytorch_lightning.Trainer().", "", trainerSteps...)),
		Arg: Arg{-1, []string{"ckpt_path"}}, When: namesFile, Judge: judgeLightning},
	{Func: "lightning.Fabric.load", Also: []string{"lightning.Fabric().load", "lightning.fabric.Fabric().load", "lightning_fabric.Fabric().load"}, Arg: Arg{0, []string{"path"}}, Judge: judgeLightning},
	{Func: "accelerate.Accelerator.load_state", Also: []string{"accelerate.Accelerator().load_state"}, Arg: Arg{0, []string{"input_dir"}}, When: given, Judge: unpickles},
	{Func: "deepspeed.utils.zero_to_fp32.get_fp32_state_dict_from_zero_checkpoint", Also: []string{"deepspeed.utils.zero_to_fp32.convert_zero_checkpoint_to_fp32_state_dict"}, Arg: Arg{0, []string{"checkpoint_dir"}}, Judge: unpickles},
	{Func: "deepspeed.utils.zero_to_fp32.load_state_dict_from_zero_checkpoint", Arg: Arg{1, []string{"checkpoint_dir"}}, Judge: unpickles},
	{Func: "huggingface_hub.load_torch_model", Arg: Arg{1, []string{"checkpoint_path"}}, Judge: judgeLightning},
	{Func: "huggingface_hub.load_state_dict_from_file", Arg: Arg{0, []string{"checkpoint_file"}}, Judge: judgeLightning},
	{Func: "skorch.NeuralNet.load_params", Also: each("skorch.", "().load_params", "NeuralNet", "NeuralNetClassifier", "NeuralNetRegressor", "NeuralNetBinaryClassifier"), Arg: Arg{0, []string{"f_params"}}, When: given, Judge: unpickles},
	{Func: "catalyst.utils.load_checkpoint", Also: []string{"chemprop.utils.load_checkpoint", "esm.pretrained.load_model_and_alphabet_local"}, Arg: Arg{0, []string{"path", "model_location"}}, Judge: unpickles},
	{Func: "pyro.get_param_store().load", Arg: Arg{0, []string{"filename"}}, Judge: unpickles},

	{Func: "sb3_contrib.MaskablePPO.load", Also: each("sb3_contrib.", ".load", "RecurrentPPO", "QRDQN", "TQC", "TRPO", "ARS", "CrossQ"), Arg: Arg{0, []string{"path"}}, Judge: unpickles},
	{Func: "stable_baselines3.common.vec_env.VecNormalize.load", Also: []string{"stable_baselines3.common.vec_env.vec_normalize.VecNormalize.load"}, Arg: Arg{0, []string{"load_path"}}, Judge: judgePickle},
	{Func: "stable_baselines3.common.save_util.load_from_pkl", Also: []string{"stable_baselines3.common.save_util.load_from_zip_file"}, Arg: Arg{0, []string{"path", "load_path"}}, Judge: judgePickle},
	{Func: "load_replay_buffer", Method: "load_replay_buffer", Arg: Arg{0, []string{"path"}}, Judge: judgePickle},
	{Func: "brax.io.model.load_params", Arg: Arg{0, []string{"path"}}, Judge: judgePickle},

	{Func: "darts.models.ForecastingModel.load", Also: each("darts.models.", ".load", "NBEATSModel", "NHiTSModel", "TCNModel", "TransformerModel", "RNNModel", "BlockRNNModel", "TFTModel", "DLinearModel", "NLinearModel", "TiDEModel",
		"TSMixerModel", "ARIMA", "AutoARIMA", "ExponentialSmoothing", "Prophet", "Theta", "LightGBMModel", "XGBModel", "CatBoostModel", "LinearRegressionModel", "RandomForest", "RegressionModel", "forecasting.torch_forecasting_model.TorchForecastingModel", "forecasting.forecasting_model.GlobalForecastingModel"),
		Arg: Arg{0, []string{"path"}}, Judge: unpickles},
	{Func: "gluonts.model.predictor.Predictor.deserialize", Also: []string{"gluonts.model.Predictor.deserialize", "gluonts.torch.model.predictor.PyTorchPredictor.deserialize"},
		Arg: Arg{0, []string{"path"}}, Judge: runsCode("its JSON names the classes that are made")},
	{Func: "neuralprophet.load", Also: []string{"neuralprophet.utils.load"}, Arg: Arg{0, []string{"path"}}, Judge: unpickles},
}

var trainerSteps = []string{"fit", "validate", "test", "predict"}

// each puts names between a beginning and an end.
func each(before, after string, names ...string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = before + name + after
	}
	return out
}
