package analyzers

import (
	"github.com/secure-torch/secure-torch/internal/rule"
)

var pickleLoaders = []*Loader{
	{Func: "pickle.load", Also: []string{"_pickle.load", "cPickle.load", "pickle5.load"}, Arg: Arg{0, []string{"file"}}, Judge: judgePickle},
	{Func: "pickle.loads", Also: []string{"_pickle.loads", "cPickle.loads", "pickle5.loads"}, Arg: Arg{0, []string{"data"}}, Takes: TakesBytes, Judge: judgePickle},
}

func judgePickle(c *Call) Judgement {
	return Judgement{Rule: rule.PickleLoad, Guarded: No, Message: "`" + c.Name() + "` runs whatever code the pickle holds"}
}
