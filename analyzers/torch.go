package analyzers

import (
	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
)

var torchLoaders = []*Loader{
	{Func: "torch.load", Also: []string{"torch.serialization.load"}, Arg: Arg{0, []string{"f"}}, Judge: judgeTorchLoad},
	{Func: "secure_torch.load", Arg: Arg{0, []string{"path_or_file", "path"}}, Judge: harmless, Refuses: true},
	{Func: "torch.jit.load", Also: []string{"torch.jit.jit_load"}, Arg: Arg{0, []string{"f"}}, Judge: runsCode("TorchScript in the file is run when the model is called, and can read and write files")},
	{Func: "torch.package.PackageImporter", Arg: Arg{0, []string{"file_or_buffer"}}, Judge: runsCode("a torch.package holds Python modules, which importing it runs")},
	{Func: "torch.export.load", Arg: Arg{0, []string{"f"}}, Judge: runsCode("an exported program's constants and example inputs are pickled")},
	{Func: "torch.distributed.checkpoint.load", Also: []string{"torch.distributed.checkpoint.load_state_dict", "torch.distributed.checkpoint.state_dict_loader.load",
		"torch.distributed.checkpoint.state_dict_loader.load_state_dict"}, Arg: Arg{-1, []string{"checkpoint_id", "storage_reader"}},
		Judge: runsCode("a distributed checkpoint's metadata file is unpickled")},
	{Func: "torch.distributed.checkpoint.FileSystemReader", Also: []string{"torch.distributed.checkpoint.filesystem.FileSystemReader"}, Arg: Arg{0, []string{"path"}},
		Judge: runsCode("a distributed checkpoint's metadata file is unpickled")},
	{Func: "torch.hub.load", Also: []string{"torch.hub.list", "torch.hub.help"}, Arg: Arg{0, []string{"repo_or_dir", "github"}}, Takes: TakesGitHub, Judge: judgeTorchHub},
	{Func: "torch.hub.load_state_dict_from_url", Suffix: "load_state_dict_from_url", Also: []string{"torch.utils.model_zoo.load_url", "torch.hub.load_url"}, Arg: Arg{0, []string{"url"}},
		Takes: TakesURL, Judge: judgeURL},
	{Func: "torch.hub.download_url_to_file", Arg: Arg{0, []string{"url"}}, Takes: TakesURL, Judge: judgeDownload},
	{Func: "torch.classes.load_library", Also: []string{"torch.ops.load_library"}, Arg: Arg{0, []string{"path"}}, Judge: nativeCode},
	{Func: "torch.ao.quantization.load", Arg: Arg{0, []string{"f"}}, Judge: unpickles},
}

// judgeTorchLoad: weights_only=True makes torch refuse every callable but its own rebuilders. It is
// the default since torch 2.6, so the version that the project pins decides where it is not given.
func judgeTorchLoad(c *Call) Judgement {
	var fixes []Fix
	if f, ok := c.fixStLoad(); ok {
		fixes = append(fixes, f)
	}
	only := c.Keyword("weights_only")
	torch := c.Version("torch")
	switch c.Bool(only) {
	case Yes:
		return judgeGuarded(torch, fixes)
	case No:
		if f, ok := c.fixAddKeyword("weights_only", "True", false); ok {
			fixes = append(fixes, f)
		}
		return Judgement{Rule: rule.TorchLoadWeightsOnlyFalse, Guarded: No, Fixes: fixes,
			Message: "`" + c.Name() + "` with weights_only=False runs whatever code the file holds"}
	}
	if only >= 0 || c.HasSplat() {
		return Judgement{Rule: rule.TorchLoadUnguarded, Fixes: fixes,
			Message: "`" + c.Name() + "` runs code from the file unless weights_only is True, which is not certain here"}
	}
	if c.s.kind(c.Keyword("pickle_module")) == pyparse.Other && torch.AtLeast("2.6") {
		return judgeGuarded(torch, fixes)
	}
	f, ok := c.fixAddKeyword("weights_only", "True", torch.AtLeast("2.6"))
	if ok {
		fixes = append(fixes, f)
	}
	j := Judgement{Rule: rule.TorchLoadUnguarded, Fixes: fixes, Message: "`" + c.Name() + "` without weights_only=True runs code from the file on torch before 2.6"}
	if torch.Below("2.6") {
		j.Guarded = No
		j.Message = "`" + c.Name() + "` without weights_only=True runs code from the file on the torch that this project asks for (" + torch.Spec + ")"
	}
	return j
}

// judgeGuarded: before 2.6 (CVE-2025-32434) and 2.10 (CVE-2026-24747) weights_only=True could be got round.
func judgeGuarded(torch Constraint, fixes []Fix) Judgement {
	for _, bug := range []struct{ fixed, cve string }{{"2.6", "CVE-2025-32434"}, {"2.10", "CVE-2026-24747"}} {
		if torch.Below(bug.fixed) {
			return Judgement{Rule: rule.TorchLoadBypass, Fixes: fixes,
				Message: "weights_only=True can be got round on the torch that this project asks for (" + torch.Spec + "): " + bug.cve + ", mended in " + bug.fixed}
		}
	}
	return Judgement{Guarded: Yes}
}

// judgeTorchHub: torch.hub.load, list and help import hubconf.py out of the repository.
func judgeTorchHub(c *Call) Judgement {
	return Judgement{Rule: rule.TorchHubLoad, Guarded: No, Message: "`" + c.Name() + "` imports and runs hubconf.py from the repository that it names"}
}

// hubWeights are the files of weights that torch.hub.load hands on to the function it calls: the entry point "custom" of
// YOLOv5 takes one as its first argument, others by the usual names.
func (c *Call) hubWeights() []ref.Ref {
	var out []ref.Ref
	add := func(n node) {
		if n < 0 {
			return
		}
		for _, a := range c.Eval(n).alts {
			if r, why := refOf(a, TakesFile); why == "" && isModelFile(r.Value) {
				out = append(out, r)
			}
		}
	}
	for _, name := range []string{"path", "path_or_model", "weights", "checkpoint", "checkpoint_path", "ckpt_path", "model_path"} {
		add(c.Keyword(name))
	}
	add(c.s.positional(c.n, 2+c.skip))
	return out
}

// judgeURL: what is downloaded is unpickled at once; check_hash compares it with a part of its own name.
func judgeURL(c *Call) Judgement {
	if c.Bool(c.Keyword("check_hash")) == Yes || c.Bool(c.Keyword("weights_only")) == Yes {
		return Judgement{Guarded: Yes}
	}
	return Judgement{Rule: rule.UrlLoad, Message: "`" + c.Name() + "` loads whatever the address answers: nothing is compared with a known hash"}
}

// judgeDownload is a download alone, of which only the transport is judged.
func judgeDownload(*Call) Judgement { return Judgement{} }

// runsCode is the judgement of loaders whose files hold code by design.
func runsCode(what string) func(*Call) Judgement {
	return func(c *Call) Judgement {
		return Judgement{Rule: rule.CodeInModelLoad, Guarded: No, Message: "`" + c.Name() + "`: " + what}
	}
}

// unpickles is the judgement of loaders that call pickle inside.
func unpickles(c *Call) Judgement {
	return Judgement{Rule: rule.LoaderUnpickles, Guarded: No, Message: "`" + c.Name() + "` unpickles what it loads, and so runs whatever code the file holds"}
}

// nativeCode is the judgement of calls that load a shared library.
func nativeCode(c *Call) Judgement {
	return Judgement{Rule: rule.NativeCodeLoad, Guarded: No, Message: "`" + c.Name() + "` loads a shared library: its code runs at once"}
}
