package tensorflow

import (
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// Every saved graph has operators that save and restore its variables under a name that the loader gives. Where
// the graph gives the name itself, and it leads out of the model, the graph writes or reads a file of its choice.

// prefixOps take the name of the files as their first input.
var prefixOps = map[string]bool{"Save": true, "SaveV2": true, "SaveSlices": true, "Restore": true, "RestoreV2": true, "RestoreSlice": true, "MergeV2Checkpoints": true}

// maxPaths bounds what is remembered of one graph.
const maxPaths = 10_000

// paths of one graph or function.
type paths struct {
	constants map[string]string // names of nodes that hold a path out of the model
	users     []user
}

// user is an operator that takes a node's value as the name of files.
type user struct {
	at     wire.Message
	op, of string
}

// note remembers a node that is a path, or takes one.
func (ps *paths) note(m wire.Message, name, op, first, text string) {
	switch {
	case len(ps.users) >= maxPaths || len(ps.constants) >= maxPaths:
	case op == "Const" && modelscan.Escapes(text) != "":
		if ps.constants == nil {
			ps.constants = map[string]string{}
		}
		ps.constants[name] = text
	case prefixOps[op]:
		of, _, _ := strings.Cut(first, ":")
		ps.users = append(ps.users, user{m, op, of})
	}
}

// tell reports the operators that got a path from a constant.
func (ps *paths) tell(s *scanner) {
	for _, u := range ps.users {
		if path, ok := ps.constants[u.of]; ok {
			s.finding(rule.TensorflowFileOperator, u.at, u.op, "the operator %s goes to %q, which %s", u.op, path, modelscan.Escapes(path))
		}
	}
}

// constant reads the only text of a Const node: the AttrValue's tensor (8), its string_val (8).
func constant(attr wire.Message) string {
	text, count := "", 0
	_ = sub(attr, 2, func(value wire.Message) error { // a broken attribute has no text
		return sub(value, 8, func(tensor wire.Message) error {
			return sub(tensor, 8, func(s wire.Message) error {
				text, count = s.Text(maxText), count+1
				return nil
			})
		})
	})
	if count != 1 {
		return ""
	}
	return text
}

// key of a map entry.
func key(entry wire.Message) (name string) {
	_ = sub(entry, 1, func(k wire.Message) error { name = k.Text(maxText); return nil })
	return name
}
