package repo

import (
	"context"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jinja"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/keras"
	"github.com/secure-torch/secure-torch/modelscan/pyname"
)

// config is config.json, tokenizer_config.json, adapter_config.json and the other settings of a
// transformers, peft or diffusers model. The keys that matter mean the same in all of them.
var config = &modelscan.Format{Name: "hf-config", Scan: func(_ context.Context, p *modelscan.Pass) error {
	root, err := jsontree.Read(p.Source, p.Limits)
	if err != nil {
		return err
	}
	if root.Str("class_name") != "" { // Keras names its configuration the same
		keras.Judge(p, root)
	}
	for n := range root.All() { // every duplicate key, and configurations inside configurations
		for i, key := range n.Keys {
			if check := keys[key]; check != nil {
				check(p, n, n.Items[i])
			}
		}
	}
	return nil
}}

// keys of a configuration that decide what code runs or which files are read.
var keys = map[string]func(p *modelscan.Pass, owner, value *jsontree.Node){
	"auto_map":                      remoteCode,
	"custom_pipelines":              remoteCode,
	"_attn_implementation_internal": kernel,
	"_attn_implementation":          kernel,
	"attn_implementation":           kernel,
	"transformers_weights":          path_,
	"custom_ops_library":            path_,
	"chat_template":                 chatTemplate,
	"base_model_name_or_path":       baseModel,
	"auto_mapping":                  autoMapping,
}

// remoteCode: every string below names a class in a Python file of this repository, or of the one
// before "--".
func remoteCode(p *modelscan.Pass, _, value *jsontree.Node) {
	for n := range value.All() {
		switch other, class, foreign := strings.Cut(n.String(), "--"); {
		case n.String() == "":
		case foreign:
			report(p, modelscan.Finding{Rule: rule.RemoteCodeElsewhere, Offset: n.Off, Subject: n.Text, Message: fmt.Sprintf("with trust_remote_code=True the loader runs %s from the repository %q, of which no revision is named", class, other)})
		default:
			report(p, modelscan.Finding{Rule: rule.RemoteCode, Offset: n.Off, Subject: n.Text, Message: fmt.Sprintf("with trust_remote_code=True the loader runs %s from the repository's own Python files", n.Text)})
			return // one is enough: its neighbours are the same code
		}
	}
}

// kernel: transformers takes an attention implementation with a slash in its name from the hub and runs it.
func kernel(p *modelscan.Pass, _, value *jsontree.Node) {
	for n := range value.All() { // one for all, or one for each part of the model
		if strings.Contains(n.String(), "/") {
			report(p, modelscan.Finding{Rule: rule.RemoteKernel, Offset: n.Off, Subject: n.Text, Message: fmt.Sprintf("the loader downloads the attention code %q and runs it", n.Text)})
		}
	}
}

// path_ is a file that the loader opens in the model's folder.
func path_(p *modelscan.Pass, _, value *jsontree.Node) {
	if why := modelscan.Escapes(value.String()); why != "" {
		report(p, modelscan.Finding{Rule: rule.RepositoryPathEscape, Offset: value.Off, Subject: value.Text, Message: fmt.Sprintf("the path %q %s", value.Text, why)})
	}
}

// chatTemplate is a template, or a list of {"name", "template"}.
func chatTemplate(p *modelscan.Pass, _, value *jsontree.Node) {
	for n := range value.All() {
		if n.Kind == jsontree.String {
			judgeTemplate(p, n.Off, n.Text)
		}
	}
}

func judgeTemplate(p *modelscan.Pass, off int64, text string) {
	issues, complete := jinja.Judge(text)
	for _, i := range issues {
		report(p, modelscan.Finding{Rule: i.Rule, Offset: off, Subject: i.Subject, Message: i.Message})
	}
	if !complete {
		p.Emit.Gap(modelscan.Gap{Rule: rule.LimitReached, Path: p.Name, Offset: off, Reason: "the chat template is too long or too deeply nested to be judged"})
	}
}

// template is a chat template in a file of its own.
var template = &modelscan.Format{Name: "chat-template", Scan: func(_ context.Context, p *modelscan.Pass) error {
	text, err := p.Bytes(0, p.Size, jinja.MaxSize+1)
	if err != nil {
		return err
	}
	judgeTemplate(p, 0, string(text))
	return nil
}}

// baseModel of an adapter is loaded in its place: a hub id, or a folder.
func baseModel(p *modelscan.Pass, owner, value *jsontree.Node) {
	if why := modelscan.Escapes(value.String()); why != "" && owner.Get("peft_type") != nil {
		report(p, modelscan.Finding{Rule: rule.AdapterRedirect, Offset: value.Off, Subject: value.Text, Message: fmt.Sprintf("the adapter has its base model loaded from %q, which %s", value.Text, why)})
	}
}

// autoMapping of an adapter names the base model's class and the library that peft imports it from.
func autoMapping(p *modelscan.Pass, _, value *jsontree.Node) {
	library, class := value.Str("parent_library"), value.Str("base_model_class")
	if library != "" && class != "" {
		classPath(p, value, library+"."+class)
	}
}

// classPath judges a dotted name that a loader imports and calls. What a writer puts there is a class: a function or a method
// of a library that is known would be called with the model's files all the same.
func classPath(p *modelscan.Pass, n *jsontree.Node, full string) {
	target := pyname.Target(full)
	if target == pyname.Known && !isClass(full) {
		target = pyname.Dangerous
	}
	switch target {
	case pyname.Dangerous:
		report(p, modelscan.Finding{Rule: rule.ConfigGadget, Offset: n.Off, Subject: full, Message: fmt.Sprintf("the loader imports %s and calls it with the model's files", full)})
	case pyname.Unknown:
		report(p, modelscan.Finding{Rule: rule.RemoteCode, Offset: n.Off, Subject: full, Message: fmt.Sprintf("the loader needs %s, which is not of a library known here", full)})
	}
}

// isClass goes by PEP 8: the last component of a dotted name begins with a capital, after underscores.
func isClass(full string) bool {
	last := strings.TrimLeft(full[strings.LastIndexByte(full, '.')+1:], "_")
	return last != "" && last[0] >= 'A' && last[0] <= 'Z'
}
