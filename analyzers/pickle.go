package analyzers

import (
	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/rule"
)

var pickleLoaders = []*Loader{
	{Func: "pickle.load", Also: []string{"_pickle.load", "cPickle.load", "pickle5.load", "six.moves.cPickle.load", "pickle._load"}, Arg: Arg{0, []string{"file"}}, Judge: judgePickle},
	{Func: "pickle.loads", Also: []string{"_pickle.loads", "cPickle.loads", "pickle5.loads", "six.moves.cPickle.loads", "pickle._loads", "multiprocessing.reduction.ForkingPickler.loads", "multiprocessing.reduction.loads"}, Arg: Arg{0, []string{"data"}}, Takes: TakesBytes, Judge: judgePickle},
	{Func: "pickle.Unpickler", Also: []string{"_pickle.Unpickler", "cPickle.Unpickler", "pickle5.Unpickler", "pickle._Unpickler"}, Arg: Arg{0, []string{"file"}}, Judge: judgePickle},
	{Func: "dill.load", Also: []string{"dill.load_session", "dill.load_module", "dill.Unpickler"}, Arg: Arg{0, []string{"file", "filename"}}, Judge: judgePickle},
	{Func: "dill.loads", Arg: Arg{0, []string{"str"}}, Takes: TakesBytes, Judge: judgePickle},
	{Func: "cloudpickle.load", Also: []string{"ray.cloudpickle.load", "joblib.externals.cloudpickle.load"}, Arg: Arg{0, []string{"file"}}, Judge: judgePickle},
	{Func: "cloudpickle.loads", Also: []string{"ray.cloudpickle.loads", "joblib.externals.cloudpickle.loads", "srsly.pickle_loads"}, Arg: Arg{0, nil}, Takes: TakesBytes, Judge: judgePickle},
	{Func: "shelve.open", Also: []string{"shelve.DbfilenameShelf"}, Arg: Arg{0, []string{"filename"}}, Judge: judgePickle},
	{Func: "shelve.Shelf", Also: []string{"shelve.BsdDbShelf"}, Arg: Arg{0, []string{"dict"}}, Takes: TakesNothing, Judge: judgePickle},
	{Func: "jsonpickle.Unpickler().restore", Also: []string{"jsonpickle.unpickler.Unpickler().restore", "jsonpickle.unpickler.restore"}, Arg: Arg{0, []string{"obj"}}, Takes: TakesBytes, Judge: judgePickle},
	{Func: "jsonpickle.decode", Also: []string{"jsonpickle.loads", "jsonpickle.unpickler.decode"}, Arg: Arg{0, []string{"string"}}, Takes: TakesBytes, Judge: judgePickle},
	{Func: "pandas.read_pickle", Suffix: "read_pickle", Also: []string{"pandas.io.pickle.read_pickle"}, Arg: Arg{0, []string{"filepath_or_buffer"}}, Judge: judgePickle},
	{Func: "marshal.load", Arg: Arg{0, nil}, Judge: judgeMarshal},
	{Func: "marshal.loads", Arg: Arg{0, nil}, Takes: TakesBytes, Judge: judgeMarshal},
	{Func: "joblib.load", Also: []string{"sklearn.externals.joblib.load", "sklearn.utils._joblib.load", "joblib.numpy_pickle.load"}, Arg: Arg{0, []string{"filename"}}, Judge: judgeJoblib},
	{Func: "klepto.archives.file_archive", Arg: Arg{0, []string{"name"}}, Judge: judgePickle},
	{Func: "torch.multiprocessing.reductions.rebuild_storage_filename", Arg: Arg{-1, nil}, Takes: TakesNothing, Judge: judgePickle},
	{Func: "networkx.read_gpickle", Also: []string{"networkx.readwrite.gpickle.read_gpickle"}, Arg: Arg{0, []string{"path"}}, Judge: judgePickle},
	{Func: "hickle.load", Arg: Arg{0, []string{"file_obj"}}, Judge: judgePickle},
	{Func: "deepdish.io.load", Arg: Arg{0, []string{"path"}}, Judge: judgePickle},
	{Func: "sqlitedict.SqliteDict", Also: []string{"sqlitedict.open"}, Arg: Arg{0, []string{"filename"}}, When: func(c *Call) bool { return c.Keyword("decode") < 0 }, Judge: judgePickle},
	{Func: "deepchem.utils.load_from_disk", Also: []string{"deepchem.utils.data_utils.load_from_disk"}, Arg: Arg{0, []string{"filename"}}, Judge: judgePickle},
	{Func: "dgl.data.utils.load_info", Arg: Arg{0, []string{"path"}}, Judge: judgePickle},
	{Func: "evalml.pipelines.PipelineBase.load", Also: []string{"evalml.AutoMLSearch.load", "evalml.automl.AutoMLSearch.load"}, Arg: Arg{0, []string{"file_path"}}, Judge: judgePickle},
	{Func: "compress_pickle.load", Also: []string{"compress_pickle.loads"}, Arg: Arg{0, []string{"path"}}, Judge: judgePickle},
	{Func: "skops.io.load", Arg: Arg{0, []string{"file"}}, Judge: judgeSkops},
	{Func: "skops.io.loads", Arg: Arg{0, []string{"data"}}, Takes: TakesBytes, Judge: judgeSkops},
}

func judgePickle(c *Call) Judgement {
	return Judgement{Rule: rule.PickleLoad, Guarded: No, Message: "`" + c.Name() + "` runs whatever code the pickle holds"}
}

// copies says whether the call reads what the same program has just written: pickle.loads(pickle.dumps(x)) is a way of
// copying x.
func (c *Call) copies() bool {
	names := c.s.names(c.arg)
	for _, name := range names {
		switch name {
		case "pickle.dumps()", "_pickle.dumps()", "cPickle.dumps()", "dill.dumps()", "cloudpickle.dumps()":
		default:
			return false
		}
	}
	return len(names) > 0
}

func judgeMarshal(c *Call) Judgement {
	return Judgement{Rule: rule.MarshalLoad, Guarded: No, Message: "`" + c.Name() + "` reads code objects, and crashes the interpreter on bytes made for it"}
}

func judgeJoblib(c *Call) Judgement {
	return Judgement{Rule: rule.JoblibLoad, Guarded: No, Fixes: c.fixJoblib(), Message: "`" + c.Name() + "` unpickles the file, and so runs whatever code it holds"}
}

// judgeSkops: trusted=True believed every type in the file, until skops 0.10 refused it.
func judgeSkops(c *Call) Judgement {
	if c.Bool(c.Keyword("trusted")) == Yes {
		return Judgement{Rule: rule.UnsafeDeserializationEnabled, Guarded: No, Message: "`" + c.Name() + "` with trusted=True believes every type that the file names"}
	}
	return Judgement{Guarded: Yes}
}

// fixJoblib loads the same file without pickle, which gives inert objects for estimators; or with skops.io, which
// knows the types that it may make, and for which the file has to be written again with skops.io.dump. Both are
// unsafe fixes. The one that still reads the file comes first: it is the one that --unsafe-fixes makes.
func (c *Call) fixJoblib() []Fix {
	if c.s.broken(c.n) || c.throughCall() || !c.fileAlone() {
		return nil
	}
	var fixes []Fix
	if name, imports, ok := c.l.importing("secure_torch", "st", c.n); ok {
		fixes = append(fixes, Fix{Title: "Load with " + name + ".joblib_load, which runs no code from the file (estimators come as inert objects)",
			Edits: append(imports, Edit{c.callee(), name + ".joblib_load"})})
	}
	if name, imports, ok := c.l.importing("skops.io", "sio", c.n); ok {
		fixes = append(fixes, Fix{Title: "Load with skops.io (write the file with skops.io.dump)", Edits: append(imports, Edit{c.callee(), name + ".load"})})
	}
	return fixes
}

// fileAlone says whether the call has one argument, and that by its place: options have no counterpart elsewhere.
func (c *Call) fileAlone() bool {
	s, n := c.s, 0
	args := s.field(c.n, pyparse.FieldArguments)
	if s.kind(args) != pyparse.ArgumentList {
		return false
	}
	for a := range s.children(args) {
		switch s.kind(a) {
		case pyparse.KeywordArgument, pyparse.ListSplat, pyparse.DictionarySplat:
			return false
		}
		n++
	}
	return n == 1 && s.positional(c.n, 0) >= 0
}
