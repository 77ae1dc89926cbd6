package index

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Ref names a node of a graph. None is always node 0.
type Ref uint32

// kind of a node. The numbers travel: python/secure_torch/_wire.py has the same, a test compares them.
type kind uint8

const (
	kNone      kind = iota
	kTrue           //
	kFalse          //
	kInt            // val: the integer
	kBigInt         // val: string, little-endian two's complement
	kFloat          // val: IEEE 754 bits
	kStr            // val: string, UTF-8
	kSurrogate      // val: string, UTF-8 with surrogates encoded as three bytes each
	kBytes          // val: string
	kFileBytes      // val: span
	kByteArray      // val: node of kBytes or kFileBytes
	kList           // filled by kExtend
	kTuple          // val: refs
	kDict           // filled by kSetItems
	kSet            // filled by kAddItems
	kFrozenSet      // val: refs
	kTensor         // val: row of the tensor table
	kStorage        // val: row of the storage table
	kGlobal         // val: refs of two kStr: module, qualified name
	kCall           // val: refs: kStr of the constructor's name, then its arguments
	kOpaque         // val: refs: kStr of how it was made, callee, argument tuple, keyword dict or None

	kExtend   // val: refs: target, items appended
	kSetItems // val: refs: target, key, value, key, value…
	kAddItems // val: refs: target, items added
	kState    // val: refs: target, state given to BUILD

	kRawStr // like kStr, made by a Python 2 string opcode: its bytes are those in the file. Travels as kStr.
)

// graph is an object graph as a flat table in the order in which an unpickler would have made it:
// what a node is made of comes before it, what is put into a container comes after the container,
// as nodes of its own. So rebuilding is one loop without recursion, identity is kept, and neither a
// cycle nor a "billion laughs" costs anything.
type graph struct {
	kinds   []kind
	vals    []int64
	last    map[Ref]Ref // container -> its newest filling
	refs    []uint32    // runs of a count, then that many nodes
	strOff  []uint64    // offsets into blob, one more than there are strings
	blob    []byte
	spans   []int64 // pairs: offset in the artifact, length
	interns map[string]Ref
	alias   map[Ref]Ref // a node that BUILD replaced -> what stands in for it

	storages []storage
	tensors  []tensor
	dims     []int64 // of tensors: sizes, then strides

	limit int64 // bytes that all of it may take
}

func newGraph(limit int64) *graph {
	g := &graph{last: map[Ref]Ref{}, interns: map[string]Ref{}, alias: map[Ref]Ref{}, strOff: []uint64{0}, limit: limit}
	g.kinds, g.vals = append(g.kinds, kNone), append(g.vals, 0)
	return g
}

// size is what the graph takes, about.
func (g *graph) size() int64 {
	return int64(len(g.kinds))*9 + int64(len(g.refs))*4 + int64(len(g.blob)) + int64(len(g.strOff))*8 +
		int64(len(g.tensors))*40 + int64(len(g.dims))*8 + int64(len(g.storages))*96 + int64(len(g.last)+len(g.alias))*32
}

func (g *graph) check() error {
	if g.size() > g.limit || len(g.kinds) >= math.MaxUint32 || len(g.refs) >= math.MaxInt32*2 {
		return fmt.Errorf("object graph of %d nodes: %w (%d bytes)", len(g.kinds), modelscan.ErrLimit, g.limit)
	}
	return nil
}

func (g *graph) add(k kind, val int64) Ref {
	g.kinds, g.vals = append(g.kinds, k), append(g.vals, val)
	return Ref(len(g.kinds) - 1)
}

// addRefs makes a node whose value is a run of nodes.
func (g *graph) addRefs(k kind, head []Ref, tail ...Ref) Ref {
	at := len(g.refs)
	g.refs = append(g.refs, uint32(len(head)+len(tail)))
	for _, r := range head {
		g.refs = append(g.refs, uint32(r))
	}
	for _, r := range tail {
		g.refs = append(g.refs, uint32(r))
	}
	return g.add(k, int64(at))
}

// fill records that items were put into target, in the order of the file.
func (g *graph) fill(k kind, target Ref, items []Ref) {
	at := len(g.refs)
	g.refs = append(g.refs, uint32(len(items)+2), uint32(target), uint32(g.last[target]))
	for _, r := range items {
		g.refs = append(g.refs, uint32(r))
	}
	g.last[target] = g.add(k, int64(at))
}

func (g *graph) str(k kind, b []byte) Ref {
	g.blob = append(g.blob, b...)
	g.strOff = append(g.strOff, uint64(len(g.blob)))
	return g.add(k, int64(len(g.strOff)-2))
}

// intern makes one kStr node per text.
func (g *graph) intern(s string) Ref {
	if r, ok := g.interns[s]; ok {
		return r
	}
	r := g.str(kStr, []byte(s))
	g.interns[s] = r
	return r
}

// span makes a kFileBytes node of a range of the artifact.
func (g *graph) span(off, n int64) Ref {
	g.spans = append(g.spans, off, n)
	return g.add(kFileBytes, int64(len(g.spans)/2-1))
}

func (g *graph) integer(v int64) Ref { return g.add(kInt, v) }

// global makes one node per (module, qualified name).
func (g *graph) global(module, name string) Ref {
	key := "\x00" + module + "\x00" + name
	if r, ok := g.interns[key]; ok {
		return r
	}
	r := g.addRefs(kGlobal, nil, g.intern(module), g.intern(name))
	g.interns[key] = r
	return r
}

// resolve follows what BUILD replaced.
func (g *graph) resolve(r Ref) Ref {
	for {
		next, ok := g.alias[r]
		if !ok {
			return r
		}
		r = next
	}
}

func (g *graph) kind(r Ref) kind { return g.kinds[r] }

// run of nodes that is r's value. It must not be written to.
func (g *graph) run(r Ref) []uint32 {
	at := g.vals[r]
	n := int64(g.refs[at])
	return g.refs[at+1 : at+1+n]
}

// bytes of a string-like node.
func (g *graph) bytes(r Ref) []byte {
	i := g.vals[r]
	return g.blob[g.strOff[i]:g.strOff[i+1]]
}

// text of a kStr or kRawStr node.
func (g *graph) text(r Ref) (string, bool) {
	if k := g.kind(r); k != kStr && k != kRawStr {
		return "", false
	}
	return string(g.bytes(r)), true
}

func (g *graph) int64(r Ref) (int64, bool) { return g.vals[r], g.kind(r) == kInt }

// bool reads True and False, and the 0 and 1 that Python 2 wrote for them.
func (g *graph) bool(r Ref) (v, ok bool) {
	switch g.kind(r) {
	case kTrue:
		return true, true
	case kFalse:
		return false, true
	case kInt:
		return g.vals[r] == 1, g.vals[r] == 0 || g.vals[r] == 1
	}
	return false, false
}

// tuple is the items of a kTuple.
func (g *graph) tuple(r Ref) ([]uint32, bool) {
	if g.kind(r) != kTuple {
		return nil, false
	}
	return g.run(r), true
}

// globalName is "module.qualname" of a kGlobal, else "".
func (g *graph) globalName(r Ref) string {
	if g.kind(r) != kGlobal {
		return ""
	}
	run := g.run(r)
	return string(g.bytes(Ref(run[0]))) + "." + string(g.bytes(Ref(run[1])))
}

// lookup finds the value of a text key in a dict, None if it is not there. The last one set counts.
func (g *graph) lookup(dict Ref, key string) Ref {
	for k, items := range g.fillings(dict) {
		for i := len(items) - 2; k == kSetItems && i >= 0; i -= 2 {
			if text, ok := g.text(Ref(items[i])); ok && text == key {
				return Ref(items[i+1])
			}
		}
	}
	return 0
}

// fillings of a container, newest first.
func (g *graph) fillings(target Ref) iter.Seq2[kind, []uint32] {
	return func(yield func(kind, []uint32) bool) {
		for f := g.last[target]; f != 0; f = Ref(g.run(f)[1]) {
			if !yield(g.kind(f), g.run(f)[2:]) {
				return
			}
		}
	}
}

// littleEndianInt makes the smallest node for a two's complement integer.
func (g *graph) littleEndianInt(b []byte) Ref {
	if len(b) > 8 {
		return g.str(kBigInt, b)
	}
	var full [8]byte
	copy(full[:], b)
	if len(b) > 0 && b[len(b)-1] >= 0x80 {
		for i := len(b); i < 8; i++ {
			full[i] = 0xff
		}
	}
	return g.integer(int64(binary.LittleEndian.Uint64(full[:])))
}
