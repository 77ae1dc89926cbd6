package hydra

import (
	"gopkg.in/yaml.v3"

	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/keras"
)

// keras judges a document that is a model's configuration, as Keras before 2.6 wrote them (to_yaml). JSON is
// left to package keras.
func (j *judge) keras(text []byte, doc *yaml.Node) {
	c := converter{}
	root := c.tree(doc)
	if root.Str("class_name") == "" || root.Get("config") == nil {
		return
	}
	if _, err := jsontree.Parse(text); err == nil {
		return
	}
	j.builds = true
	j.p.Emit.Claim("keras")
	keras.Judge(j.p, root)
}

// maxValues of a YAML document that is converted: aliases can make a small one large.
const maxValues = 1 << 20

type converter struct {
	values int
	open   map[*yaml.Node]bool // anchors on the way down: an alias to one is a loop
}

// tree is the JSON of a YAML node: text is text, null is null, every other scalar a number.
func (c *converter) tree(n *yaml.Node) *jsontree.Node {
	if c.values++; c.values > maxValues {
		return &jsontree.Node{}
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) == 1 {
			return c.tree(n.Content[0])
		}
	case yaml.AliasNode:
		if c.open[n.Alias] {
			break
		}
		if c.open == nil {
			c.open = map[*yaml.Node]bool{}
		}
		c.open[n.Alias] = true
		defer delete(c.open, n.Alias)
		return c.tree(n.Alias)
	case yaml.MappingNode:
		out := &jsontree.Node{Kind: jsontree.Object}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out.Keys, out.Items = append(out.Keys, n.Content[i].Value), append(out.Items, c.tree(n.Content[i+1]))
		}
		return out
	case yaml.SequenceNode:
		out := &jsontree.Node{Kind: jsontree.Array}
		for _, item := range n.Content {
			out.Items = append(out.Items, c.tree(item))
		}
		return out
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!null":
		case "!!str", "!!binary", "!!timestamp":
			return &jsontree.Node{Kind: jsontree.String, Text: n.Value}
		default:
			return &jsontree.Node{Kind: jsontree.Number, Text: n.Value}
		}
	}
	return &jsontree.Node{}
}
