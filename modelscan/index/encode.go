package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// Version of the encoding. The Python package refuses any other.
const Version = 1

// Sections of an encoded index, in this order. Each is a four-letter tag, four zero bytes, a
// little-endian 64-bit length and that many bytes; all numbers in them are little-endian.
const (
	TagStrings  = "STRS" // count+1 64-bit offsets into the rest, which follows: count first
	TagSpans    = "SPAN" // 64-bit pairs: offset in the file, length
	TagStorages = "STOR" // rows of 9: text, off, stored, nbytes, flags, dtype, device, root, offset
	TagTensors  = "TENS" // rows of 6: storage, offset, dtype, flags, dims, ndim
	TagDims     = "DIMS" // sizes, then strides, of each tensor
	TagKinds    = "KIND" // one byte a node
	TagValues   = "VALS" // 64 bits a node
	TagRefs     = "REFS" // 32-bit runs: a count, then that many nodes
	TagRoot     = "ROOT" // the node that is the file's object
	TagCalls    = "CALL" // names of what the pickles would call, one a line
	TagPlan     = "PLAN" // instead of all of these: a Plan as JSON
	TagFailure  = "FAIL" // instead of all of these: why there is no index
)

// absent marks a node, string, storage or tensor that is not written.
const absent = math.MaxUint32

// encoder writes what is reachable from the root, renumbered.
type encoder struct {
	g                                *graph
	mark                             []bool
	root                             uint32
	node, str, storage, tensor, span []uint32 // old number -> new
	out                              struct {
		kinds []byte
		vals  []int64
		refs  []uint32
	}
	strs, storages, tensors, spans []uint32 // new number -> old
}

// encode numbers everything that the root holds. An object that contains itself before it is complete can't
// be written.
func encode(g *graph, root Ref) (*encoder, error) {
	e := &encoder{g: g, mark: make([]bool, len(g.kinds))}
	for table, n := range map[*[]uint32]int{
		&e.node: len(g.kinds), &e.str: len(g.strOff) - 1, &e.storage: len(g.storages), &e.tensor: len(g.tensors), &e.span: len(g.spans) / 2,
	} {
		*table = make([]uint32, n)
		for i := range *table {
			(*table)[i] = absent
		}
	}
	root = g.resolve(root)
	e.reach(root)
	for r := range e.mark {
		if !e.mark[r] {
			continue
		}
		if err := e.emit(Ref(r)); err != nil {
			return nil, err
		}
	}
	e.root = e.node[root]
	return e, nil
}

// reach marks everything that root holds, without recursion, and counts the tensors that it comes to.
func (e *encoder) reach(root Ref) (tensors int) {
	todo := []Ref{root}
	push := func(items []uint32) {
		for _, r := range items {
			if r := e.g.resolve(Ref(r)); !e.mark[r] {
				e.mark[r] = true
				todo = append(todo, r)
			}
		}
	}
	e.mark[root], e.mark[0] = true, true
	for len(todo) > 0 {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch e.g.kind(r) {
		case kTensor, kStorage:
			tensors++
		case kTuple, kFrozenSet, kCall, kGlobal, kOpaque:
			push(e.g.run(r))
		case kByteArray:
			push([]uint32{uint32(e.g.vals[r])})
		}
		for f := e.g.last[r]; f != 0; f = Ref(e.g.run(f)[1]) {
			e.mark[f] = true
			push(e.g.run(f)[2:])
		}
	}
	return tensors
}

var errCycle = errors.New("an object contains itself before it is complete")

// emit writes one node. Everything it is made of was written before.
func (e *encoder) emit(r Ref) error {
	g, k, val := e.g, e.g.kind(r), e.g.vals[r]
	switch k {
	case kBigInt, kStr, kSurrogate, kBytes, kRawStr:
		val = number(e.str, &e.strs, val)
		if k == kRawStr {
			k = kStr
		}
	case kFileBytes:
		val = number(e.span, &e.spans, val)
	case kByteArray:
		val = int64(e.node[g.resolve(Ref(val))])
	case kTensor:
		number(e.storage, &e.storages, g.tensors[val].storage)
		val = number(e.tensor, &e.tensors, val)
	case kStorage:
		val = number(e.storage, &e.storages, val)
	case kTuple, kFrozenSet, kCall, kGlobal, kOpaque:
		val = int64(len(e.out.refs))
		if err := e.run(g.run(r)); err != nil {
			return err
		}
	case kExtend, kSetItems, kAddItems, kState:
		val = int64(len(e.out.refs))
		run := g.run(r)
		if err := e.run(append([]uint32{run[0]}, run[2:]...)); err != nil {
			return err
		}
	case kList, kDict, kSet:
		val = 0
	}
	e.node[r] = uint32(len(e.out.kinds))
	e.out.kinds, e.out.vals = append(e.out.kinds, byte(k)), append(e.out.vals, val)
	return nil
}

// number gives the old number a new one, the same each time.
func number(table []uint32, list *[]uint32, old int64) int64 {
	if table[old] == absent {
		table[old] = uint32(len(*list))
		*list = append(*list, uint32(old))
	}
	return int64(table[old])
}

func (e *encoder) run(items []uint32) error {
	e.out.refs = append(e.out.refs, uint32(len(items)))
	for _, r := range items {
		n := e.node[e.g.resolve(Ref(r))]
		if n == absent {
			return errCycle
		}
		e.out.refs = append(e.out.refs, n)
	}
	return nil
}

// WriteTo writes the index's sections.
func (x *Index) WriteTo(w io.Writer) (int64, error) {
	e := x.enc
	var rows, tensors, dims, spans []int64
	for _, old := range e.tensors {
		t := e.g.tensors[old]
		d := e.g.dims[t.dims : t.dims+2*t.ndim]
		tensors = append(tensors, int64(e.storage[t.storage]), t.offset, e.text(t.dtype), t.flags, int64(len(dims)), t.ndim)
		dims = append(dims, d...)
	}
	for i := 0; i < len(e.storages); i++ { // a part adds its whole
		s := e.g.storages[e.storages[i]]
		root, text := int64(-1), int64(-1)
		if s.root >= 0 {
			root = number(e.storage, &e.storages, s.root)
		}
		if s.text >= 0 {
			text = number(e.str, &e.strs, s.text)
		}
		rows = append(rows, text, s.off, s.stored, s.nbytes, s.flags, e.text(s.dtype), e.text(s.device), root, s.offset)
	}
	for _, old := range e.spans {
		spans = append(spans, e.g.spans[2*old], e.g.spans[2*old+1])
	}
	c := &counter{w: w} // keeps the first error
	e.writeStrings(c)
	section64(c, TagSpans, spans)
	section64(c, TagStorages, rows)
	section64(c, TagTensors, tensors)
	section64(c, TagDims, dims)
	_ = WriteSection(c, TagKinds, e.out.kinds)
	section64(c, TagValues, e.out.vals)
	b := make([]byte, 0, 4*len(e.out.refs))
	for _, v := range e.out.refs {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	_ = WriteSection(c, TagRefs, b)
	section64(c, TagRoot, []int64{int64(e.root)})
	_ = WriteSection(c, TagCalls, []byte(strings.ToValidUTF8(strings.Join(x.calls, "\n"), "?")))
	return c.n, c.err
}

// text is the new number of a kStr node's string.
func (e *encoder) text(r Ref) int64 { return number(e.str, &e.strs, e.g.vals[r]) }

func (e *encoder) writeStrings(c *counter) {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(e.strs)))
	at := uint64(0)
	for _, old := range e.strs {
		b = binary.LittleEndian.AppendUint64(b, at)
		at += e.g.strOff[old+1] - e.g.strOff[old]
	}
	b = binary.LittleEndian.AppendUint64(b, at)
	for _, old := range e.strs {
		b = append(b, e.g.blob[e.g.strOff[old]:e.g.strOff[old+1]]...)
	}
	_ = WriteSection(c, TagStrings, b)
}

func section64(c *counter, tag string, vals []int64) {
	b := make([]byte, 0, 8*len(vals))
	for _, v := range vals {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	_ = WriteSection(c, tag, b)
}

// WriteSection writes one section to w.
func WriteSection(w io.Writer, tag string, body []byte) error {
	head := make([]byte, 16)
	copy(head, tag)
	binary.LittleEndian.PutUint64(head[8:], uint64(len(body)))
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("write section %s: %w", tag, err)
	}
	_, err := w.Write(body)
	return err
}

// counter keeps the first error and the number of bytes.
type counter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *counter) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(b)
	c.n, c.err = c.n+int64(n), err
	return n, err
}
