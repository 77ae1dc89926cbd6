package keras

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/pyname"
	"github.com/secure-torch/secure-torch/modelscan/tfop"
)

//go:embed names.txt
var namesText string

// builtin names are those Keras resolves without a module.
var builtin = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(namesText) {
		if !strings.HasPrefix(line, "#") {
			for w := range strings.FieldsSeq(line) {
				set[w] = true
			}
		}
	}
	return set
})

// pythonBuiltins that do more than compute. Keras writes functions that users registered as members of
// "builtins" too, so that only these names are what they say.
var pythonBuiltins = map[string]bool{
	"eval": true, "exec": true, "compile": true, "open": true, "__import__": true, "input": true, "breakpoint": true, "getattr": true, "setattr": true,
	"delattr": true, "vars": true, "globals": true, "locals": true, "dir": true, "help": true, "exit": true, "quit": true, "memoryview": true, "type": true,
}

// loadsCode are layers of Keras that unpickle a module or load a SavedModel.
var loadsCode = map[string]bool{"TorchModuleWrapper": true, "TFSMLayer": true}

// Judge looks at every object that a configuration would have Keras rebuild.
func Judge(p *modelscan.Pass, root *jsontree.Node) { JudgeAt(p, 0, root) }

func (j judge) all(root *jsontree.Node) {
	for n := range root.All() {
		if n.Kind != jsontree.Object {
			continue
		}
		for i, key := range n.Keys { // every duplicate: which one counts is the parser's choice
			if key == "class_name" {
				j.object(n, n.Items[i].String())
			}
		}
	}
}

// JudgeAt is Judge of a configuration at the given offset of a larger file.
func JudgeAt(p *modelscan.Pass, off int64, root *jsontree.Node) {
	judge{p: p, told: map[string]bool{}, base: off}.all(root)
}

// JudgeSaved is Judge of a configuration at the given offset of a SavedModel, which brings its own
// graph for classes that Keras does not know.
func JudgeSaved(p *modelscan.Pass, off int64, root *jsontree.Node) {
	judge{p: p, told: map[string]bool{}, base: off, saved: true}.all(root)
}

type judge struct {
	p     *modelscan.Pass
	told  map[string]bool
	base  int64 // is added to offsets
	saved bool  // custom objects are restored from the graph
}

func (j judge) tell(id rule.ID, n *jsontree.Node, subject, format string, args ...any) {
	if key := string(id) + subject; !j.told[key] {
		j.told[key] = true
		j.p.Emit.Finding(modelscan.Finding{Rule: id, Path: j.p.Name, Offset: j.base + n.Off, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

// object judges one {"class_name", "config", "module", "registered_name"}.
func (j judge) object(n *jsontree.Node, class string) {
	module, config := n.Str("module"), n.Get("config")
	j.vocabulary(n, class, config)
	if module == "" && loadsCode[class] {
		module = "keras.layers"
	}
	switch {
	case class == "__lambda__":
		j.tell(rule.KerasLambda, n, "Lambda", "holds marshalled Python bytecode that runs when the model is called")
	case ofKeras(module) && j.layer(n, class, config):
	case class == "function" && config != nil && config.Kind == jsontree.String:
		j.function(n, module, config.Text)
	case module == "":
		j.registered(n, class)
	case module == "builtins" && !pythonBuiltins[class]:
		if !builtin()[class] && pyname.Judge(module, class) != pyname.Known {
			j.custom(n, class)
		}
	default:
		j.resolve(n, module, class)
	}
}

// ofKeras tells whether a class that says its module so, or not at all, is Keras' own.
func ofKeras(module string) bool {
	return module == "" || slices.ContainsFunc([]string{"keras", "tensorflow", "tf_keras"}, func(of string) bool {
		return strings.HasPrefix(module, of)
	})
}

// layer judges the layers of Keras that hold a function or an operator, and tells whether this is one of them.
func (j judge) layer(n *jsontree.Node, class string, config *jsontree.Node) bool {
	switch class {
	case "Lambda":
		j.lambda(n, config)
	case "TFOpLambda":
		j.operator(n, tfop.Symbol(config.Str("function")))
	case "TensorFlowOpLayer":
		j.operator(n, nodeOperator(config.Get("node_def")))
	default:
		return false
	}
	return true
}

// operator judges a TensorFlow operator that Keras 2 made a layer of.
func (j judge) operator(n *jsontree.Node, op string) {
	if tfop.Files(op) || tfop.Python(op) || op == "LoadLibrary" {
		j.tell(rule.KerasGadget, n, op, "runs TensorFlow's operator %s on what the file says", op)
	}
}

// nodeOperator finds the operator of a NodeDef, which is written as text or as an object.
func nodeOperator(node *jsontree.Node) string {
	if op := node.Str("op"); op != "" {
		return op
	}
	for line := range strings.Lines(node.String()) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if key == "op" {
			return strings.Trim(value, " \"\r\n")
		}
	}
	return ""
}

// registered judges a class that says no module: Keras looks for the name it was registered under.
func (j judge) registered(n *jsontree.Node, class string) {
	name := n.Str("registered_name")
	if !builtin()[class] || name != "" && name != class && !strings.HasPrefix(name, "keras") {
		j.custom(n, class)
	}
}

// lambda: Keras 2 keeps bytecode as a list, Keras 3 as a __lambda__ object, which is judged by itself.
func (j judge) lambda(n *jsontree.Node, config *jsontree.Node) {
	for _, key := range []string{"function", "output_shape", "mask"} {
		v := config.Get(key)
		kind := config.Str(key + "_type")
		if v != nil && (v.Kind == jsontree.Array && len(v.Items) > 0 && v.Items[0].Kind == jsontree.String && key == "function" || kind == "lambda") {
			j.tell(rule.KerasLambda, n, "Lambda", "the layer %q holds marshalled Python bytecode that runs when the model is called", config.Str("name"))
			return
		}
	}
	if f := config.Get("function"); f != nil && f.Kind == jsontree.String {
		if module := config.Str("module"); pyname.Judge(module, f.Text) == pyname.Dangerous && module != "" && module != "__main__" {
			j.resolve(n, module, f.Text)
			return
		}
		j.custom(n, f.Text)
	}
}

func (j judge) function(n *jsontree.Node, module, name string) {
	switch {
	case module == "builtins" && !pythonBuiltins[name], module == "":
		if !builtin()[name] {
			j.custom(n, name)
		}
	default:
		j.resolve(n, module, name)
	}
}

func (j judge) resolve(n *jsontree.Node, module, name string) {
	full := module + "." + name
	switch pyname.Judge(module, name) {
	case pyname.Dangerous:
		j.tell(rule.KerasGadget, n, full, "has Keras import %s and call it with arguments from the file", full)
	case pyname.Unknown:
		j.custom(n, full)
	}
}

func (j judge) custom(n *jsontree.Node, name string) {
	if j.saved {
		return
	}
	if name == "" {
		name = "(no name)"
	}
	j.tell(rule.KerasCustomObject, n, name, "needs %s, which is not part of Keras", name)
}

// vocabulary of a lookup layer is a list, or the path of a file that Keras reads into the model.
func (j judge) vocabulary(n *jsontree.Node, class string, config *jsontree.Node) {
	if !strings.HasSuffix(class, "Lookup") && !strings.HasSuffix(class, "Vectorization") {
		return
	}
	for _, key := range []string{"vocabulary", "idf_weights"} {
		path := config.Str(key)
		if why := modelscan.Escapes(path); why != "" {
			j.tell(rule.KerasFileAccess, n, path, "the layer %s reads %s from %q, which %s", class, key, path, why)
		} else if path != "" {
			j.custom(n, path)
		}
	}
}
