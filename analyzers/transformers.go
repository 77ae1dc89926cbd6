package analyzers

import (
	"regexp"

	"github.com/secure-torch/secure-torch/internal/rule"
)

var transformersLoaders = []*Loader{
	{Func: "from_pretrained", Method: "from_pretrained", Arg: Arg{0, []string{"pretrained_model_name_or_path"}}, Takes: TakesHubOrPath, Judge: judgeHub},
}

var commit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// judgeHub: a repository's branch can be moved to other files at any time; a commit cannot.
func judgeHub(c *Call) Judgement {
	if c.onlyLocal() {
		return Judgement{}
	}
	revision := c.Keyword("revision")
	if revision >= 0 {
		v := c.Eval(revision)
		for _, a := range v.alts {
			if commit.MatchString(a.text) {
				return Judgement{}
			}
		}
		if len(v.alts) == 0 {
			return Judgement{}
		}
	}
	if c.HasSplat() {
		return Judgement{}
	}
	return Judgement{Rule: rule.HubLoadUnpinned, Pin: c.pin(),
		Message: "`" + c.Name() + "` takes whatever the repository holds at the time: no commit is pinned (revision=…)"}
}

// pin is the fix that adds revision="<commit>".
func (c *Call) pin() *Fix {
	if f, ok := c.fixAddKeyword("revision", `"`+CommitMark+`"`, true); ok {
		f.Title = "Pin the revision in the hub's cache, " + CommitMark
		return &f
	}
	return nil
}
