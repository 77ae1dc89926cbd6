package analyzers

import (
	"path"
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// customPipeline judges the argument by which diffusers takes a pipeline's class out of Python that it imports (0.42,
// _get_custom_pipeline_class and get_cached_module_file). A name without a slash that is neither a folder here nor a
// file of the model's repository is one of the community's, and runs without trust_remote_code; in 0.35 all do.
func (c *Call) customPipeline() (Judgement, bool) {
	if !hasCustomPipeline(c) {
		return Judgement{}, false
	}
	what, bare := "the Python that custom_pipeline names", false
	if name := c.onlyText("custom_pipeline"); name != "" {
		what, bare = pipelineCode(name), isBare(name)
	}
	if trusted, ok := c.remoteCode(); ok {
		trusted.Message += ", and by custom_pipeline " + what
		return trusted, true
	}
	j := Judgement{Rule: rule.TrustRemoteCode, Guarded: No, Pin: c.pin(), Message: "`" + c.Name() + "` with custom_pipeline runs " + what}
	if !bare {
		j.Message += " (diffusers 0.35 does; 0.42 wants trust_remote_code=True for it)"
	}
	return j, true
}

func hasCustomPipeline(c *Call) bool {
	v := c.Keyword("custom_pipeline")
	return v >= 0 && !isNone(c, v)
}

// isBare tells whether a value of custom_pipeline may name a pipeline of the community.
func isBare(name string) bool { return !strings.Contains(name, "/") && !strings.HasSuffix(name, ".py") }

// pipelineCode says which file a value of custom_pipeline has imported.
func pipelineCode(name string) string {
	switch {
	case strings.HasPrefix(name, fromSource) || localOnly(name):
		name = strings.TrimPrefix(strings.TrimPrefix(name, fromSource), "/")
		if strings.HasSuffix(name, ".py") {
			return name
		}
		return name + "/pipeline.py"
	case strings.HasSuffix(name, ".py"):
		return name
	case strings.Contains(name, "/"):
		return "pipeline.py of `" + name + "`"
	}
	return name + ".py of the model's repository or, where it has none, of the hub's diffusers/community-pipelines-mirror (older versions: of GitHub), which is not followed and needs no trust_remote_code"
}

// pipelineFiles are the files that custom_pipeline may have imported. One that a bare name may stand for is a guess.
func (c *Call) pipelineFiles(models []ref.Ref) []ref.Ref {
	if !hasCustomPipeline(c) {
		return nil
	}
	var out []ref.Ref
	for _, a := range c.Eval(c.Keyword("custom_pipeline")).alts {
		bare := isBare(a.text)
		takes := TakesHubOrPath
		if bare || strings.HasSuffix(a.text, ".py") {
			takes = TakesFile
		}
		r, why := refOf(a, takes)
		if why != "" || r.Kind != ref.Hub && r.Kind != ref.Path {
			continue
		}
		if bare {
			r.Sure = ref.Guess
			out = append(out, beside(models, r.Value+".py")...)
		}
		switch {
		case r.Kind == ref.Hub:
			r.File, r.Revision = "pipeline.py", c.onlyText("custom_revision")
		case path.Ext(r.Value) != ".py":
			r.Value = path.Join(r.Value, "pipeline.py")
		}
		out = append(out, r)
	}
	return out
}

// beside is a file in each of the folders and repositories.
func beside(models []ref.Ref, name string) []ref.Ref {
	var out []ref.Ref
	for _, r := range models {
		switch r.Kind {
		case ref.Hub:
			r.File = name
		case ref.Path:
			r.Value = path.Join(r.Value, name)
		default:
			continue
		}
		r.Sure = ref.Guess
		out = append(out, r)
	}
	return out
}
