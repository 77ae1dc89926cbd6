package pickle

// NodeKind says what a Node stands for. The zero NodeKind is a value that the machine doesn't know.
type NodeKind uint8

// Kinds of Node.
const (
	UnknownNode NodeKind = iota
	NoneNode
	BoolNode      // Int is 0 or 1
	IntNode       // Int; Text in decimal or hex where it doesn't fit
	FloatNode     // Float
	StrNode       // Text
	BytesNode     // Text holds the bytes
	TupleNode     // Items
	ListNode      // Items
	DictNode      // Items: key, value, key, value …
	SetNode       // Items
	GlobalNode    // Module and Name
	CallNode      // Items: the callable, then its arguments; State is the argument of a later BUILD
	PersistNode   // Items: the persistent id
	ExtensionNode // Int is the code
	BufferNode    // an out-of-band buffer
)

// Node is a value that the stream would build, spelled out as a bounded tree: long texts, long
// containers and deep nesting are cut, and Cut says so.
type Node struct {
	Kind         NodeKind
	Int          int64
	Float        float64
	Text         string
	Module, Name string
	Items        []Node
	State        *Node
	Cut          bool
}

// Get returns the value at a string key of a DictNode, and whether it is there.
func (n Node) Get(key string) (Node, bool) {
	if n.Kind != DictNode {
		return Node{}, false
	}
	for i := 0; i+1 < len(n.Items); i += 2 {
		if n.Items[i].Kind == StrNode && n.Items[i].Text == key {
			return n.Items[i+1], true
		}
	}
	return Node{}, false
}
