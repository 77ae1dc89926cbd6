package pyname

import "testing"

func TestJudge(t *testing.T) {
	for path, want := range map[string]Standing{
		"keras.layers.Dense": Known, "keras.src.models.functional.Functional": Known, "torch.nn.Linear": Known, "torch.optim.AdamW": Known,
		"nemo.collections.asr.modules.ConformerEncoder": Known, "omegaconf.OmegaConf": Known, "sklearn.linear_model._base.LinearRegression": Known,
		"collections.OrderedDict": Known, "builtins.str": Known, "numpy.float32": Known, "keras.activations.relu": Known, "torch.nn.modules.rnn.LSTM": Known,
		"torch.utils.data.DataLoader": Known, "lightning.pytorch.callbacks.EarlyStopping": Known, "math.sqrt": Known,
		"os.system": Dangerous, "posix.system": Dangerous, "subprocess.Popen": Dangerous, "builtins.eval": Dangerous, "builtins.exec": Dangerous,
		"keras.utils.get_file": Dangerous, "keras.src.utils.file_utils.get_file": Dangerous, "keras.config.enable_unsafe_deserialization": Dangerous,
		"keras.models.load_model": Dangerous, "torch.load": Dangerous, "torch.hub.load": Dangerous, "torch.serialization.os.system": Dangerous, "numpy.load": Dangerous,
		"pandas.read_pickle": Dangerous, "joblib.load": Dangerous, "hydra.utils.instantiate": Dangerous, "torch.nn.Module.__class__": Dangerous,
		"keras.layers.TorchModuleWrapper": Dangerous, "nemo.core.classes.modelPT.ModelPT.restore_from": Dangerous, "random._os.system": Dangerous,
		"mypkg.layers.MyLayer": Unknown, "kerasx.layers.Dense": Unknown, "": Dangerous,
	} {
		if got := Target(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}
