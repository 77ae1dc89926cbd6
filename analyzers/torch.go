package analyzers

import (
	"github.com/secure-torch/secure-torch/internal/rule"
)

var torchLoaders = []*Loader{
	{Func: "torch.load", Also: []string{"torch.serialization.load"}, Arg: Arg{0, []string{"f"}}, Judge: judgeTorchLoad},
}

// judgeTorchLoad: weights_only=True makes torch refuse every callable but its own rebuilders. The
// default is True since torch 2.6, but which torch will run is not known here.
func judgeTorchLoad(c *Call) Judgement {
	fixes := []Fix{}
	if f, ok := c.fixStLoad(); ok {
		fixes = append(fixes, f)
	}
	only := c.Keyword("weights_only")
	switch c.Bool(only) {
	case Yes:
		return Judgement{Guarded: Yes}
	case No:
		return Judgement{Rule: rule.TorchLoadUnguarded, Guarded: No, Fixes: fixes,
			Message: "`" + c.Name() + "` with weights_only=False runs whatever code the file holds"}
	}
	if only >= 0 || c.HasSplat() {
		return Judgement{Rule: rule.TorchLoadUnguarded, Fixes: fixes,
			Message: "`" + c.Name() + "` runs code from the file unless weights_only is True, which is not certain here"}
	}
	if f, ok := c.fixAddKeyword("weights_only", "True", false); ok {
		fixes = append(fixes, f)
	}
	return Judgement{Rule: rule.TorchLoadUnguarded, Fixes: fixes,
		Message: "`" + c.Name() + "` without weights_only=True runs code from the file on torch before 2.6"}
}
