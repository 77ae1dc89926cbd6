package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// options are what the call says about which of a repository's files it reads; the zero Options for a function that
// does not choose among them by rules of its own.
func (c *Call) options(l *Loader) ref.Options {
	var o ref.Options
	if l.Takes == TakesTimm {
		return ref.Options{Library: "timm"}
	}
	if l.Takes != TakesHubOrPath || l.Fetches {
		return o
	}
	parts := strings.Split(strings.TrimSuffix(c.name, "@"), ".")
	last := parts[len(parts)-1]
	switch {
	case last == "from_pretrained" && len(parts) > 1:
		o.Class = strings.TrimSuffix(parts[len(parts)-2], "()")
	case last == "pipeline", last == "SentenceTransformer", last == "CrossEncoder", last == "SparseEncoder", last == "LLM":
		o.Class = last
	default:
		return o
	}
	if len(parts) > 2 || last != "from_pretrained" {
		o.Library = parts[0]
	}
	if o.Library == "vllm" {
		o.Library = "transformers"
	}
	for name, field := range map[string]*string{"variant": &o.Variant, "subfolder": &o.Subfolder, "gguf_file": &o.File} {
		*field = c.onlyText(name)
	}
	if v := c.Keyword("use_safetensors"); v >= 0 && !isNone(c, v) {
		o.Safetensors = map[Tri]string{Yes: "true", No: "false"}[c.Bool(v)]
	}
	if v := c.Keyword("trust_remote_code"); v >= 0 {
		o.RemoteCode = map[Tri]string{Yes: "true", Unsure: "maybe"}[c.Bool(v)]
	}
	return o
}

// onlyText is the one text that a keyword argument can be; empty where it is not given, or nobody knows.
func (c *Call) onlyText(keyword string) string {
	v := c.Keyword(keyword)
	if v < 0 {
		return ""
	}
	if e := c.Eval(v); len(e.alts) == 1 && !strings.Contains(e.alts[0].text, hole) {
		return e.alts[0].text
	}
	return ""
}
