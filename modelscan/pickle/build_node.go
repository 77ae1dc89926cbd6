package pickle

// node spells v out as a bounded tree.
func (m *machine) node(v value, depth int) Node {
	n := Node{Kind: nodeKinds[v.kind()]}
	switch v.kind() {
	case kBool, kInt, kExt:
		n.Int = v.int()
	case kBigInt, kFloat:
		n.Text = m.render(v)
	case kStr, kBytes, kByteArray, kEncoded:
		var all bool
		n.Text, all = m.text(v, maxName)
		n.Cut = !all
	case kGlobal, kInst:
		g := &m.globals[v.index()]
		n.Module, n.Name = g.module, g.name
		if v.kind() == kInst {
			n.Items, n.Cut = []Node{{Kind: GlobalNode, Module: g.module, Name: g.name}}, true
		}
	case kCall:
		m.callNode(&n, v, depth)
	default:
		vs, all := m.elements(v)
		n.Items, n.Cut = m.nodes(vs, depth), !all || depth > maxDepth
	}
	return n
}

func (m *machine) callNode(n *Node, v value, depth int) {
	c := m.calls[v.index()]
	n.Items = append(m.nodes([]value{c.callee}, depth), m.node(c.args, depth).Items...)
	if c.state != 0 && depth <= maxDepth {
		state := m.node(c.state, depth+1)
		n.State = &state
	}
}

func (m *machine) nodes(vs []value, depth int) []Node {
	if depth > maxDepth {
		return nil
	}
	out := make([]Node, len(vs))
	for i, v := range vs {
		out[i] = m.node(v, depth+1)
	}
	return out
}

var nodeKinds = [...]NodeKind{
	kUnknown: UnknownNode, kMissing: UnknownNode, kNone: NoneNode, kBool: BoolNode, kInt: IntNode, kBigInt: IntNode, kFloat: FloatNode, kStr: StrNode,
	kBytes: BytesNode, kByteArray: BytesNode, kEncoded: BytesNode, kBuffer: BufferNode, kTuple: TupleNode, kList: ListNode, kDict: DictNode, kSet: SetNode,
	kFrozenSet: SetNode, kGlobal: GlobalNode, kInst: CallNode, kCall: CallNode, kStorage: PersistNode, kPersist: PersistNode, kExt: ExtensionNode,
}
