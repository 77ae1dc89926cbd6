package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// timmRefs are what timm.create_model reads (timm/models/_factory.py, parse_model_name): a file that checkpoint_path
// names, a repository or a folder that the model's name has after "hf-hub:" or "local-dir:". Any other name is that of
// an architecture, whose weights timm knows where to get.
func (c *Call) timmRefs() ([]ref.Ref, string) {
	var out []ref.Ref
	add := func(a alt) {
		if r, why := refOf(a, TakesFile); why == "" {
			out = append(out, r)
		}
	}
	if v := c.Keyword("checkpoint_path"); v >= 0 {
		for _, a := range c.Eval(v).alts {
			add(a)
		}
	}
	if c.arg < 0 {
		return out, "no argument names a file"
	}
	for _, a := range c.Eval(c.arg).alts {
		source, name, _ := strings.Cut(a.text, ":")
		switch strings.ReplaceAll(source, "_", "-") {
		case "hf-hub":
			if repo, revision, _ := strings.Cut(name, "@"); isHubID(repo) && !strings.Contains(revision, hole) {
				out = append(out, ref.Ref{Kind: ref.Hub, Value: strings.Clone(repo), Revision: strings.Clone(revision), Sure: a.sure})
			}
		case "local-dir":
			a.text = name
			add(a)
		}
	}
	if len(out) == 0 {
		return nil, "it is the name of an architecture"
	}
	return out, ""
}
