package index

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

type step func(*machine, *pickle.Op) error

// steps is indexed by opcode byte (CPython Lib/pickletools.py). STOP ends load; EXT1, EXT2 and EXT4
// need a registry that no loader fills, NEXT_BUFFER and READONLY_BUFFER buffers that no file brings.
// (A function, not a variable: a step may start another machine.)
func steps() *[256]step {
	return &[256]step{
		'(': func(m *machine, _ *pickle.Op) error { m.marks = append(m.marks, len(m.stack)); return nil },
		'0': popStep, '1': func(m *machine, _ *pickle.Op) error { _, err := m.popMark(); return err },
		'2': func(m *machine, _ *pickle.Op) error { r, err := m.top(); m.push(r); return err },
		'N': constant(0), 0x88: constantOf(kTrue), 0x89: constantOf(kFalse),
		'J': smallInt, 'K': smallInt, 'M': smallInt, 'I': lineInt, 'L': lineLong, 0x8a: binLong, 0x8b: binLong,
		'F': lineFloat, 'G': func(m *machine, op *pickle.Op) error { m.push(m.g.add(kFloat, op.Int)); return nil },
		'S': lineString, 'T': binString, 'U': binString, 'V': lineUnicode, 'X': binUnicode, 0x8c: binUnicode, 0x8d: binUnicode,
		'B': binBytes, 'C': binBytes, 0x8e: binBytes, 0x96: byteArray,
		']': empty(kList), '}': empty(kDict), 0x8f: empty(kSet), ')': func(m *machine, _ *pickle.Op) error { m.push(m.g.addRefs(kTuple, nil)); return nil },
		'l': func(m *machine, _ *pickle.Op) error { return m.marked(kList, kExtend) },
		'd': func(m *machine, _ *pickle.Op) error { return m.marked(kDict, kSetItems) },
		't': func(m *machine, _ *pickle.Op) error { return m.markedRun(kTuple) }, 0x91: func(m *machine, _ *pickle.Op) error { return m.markedRun(kFrozenSet) },
		0x85: tupleOf(1), 0x86: tupleOf(2), 0x87: tupleOf(3),
		'a': oneItem(kExtend, 1), 's': oneItem(kSetItems, 2), 'e': manyItems(kExtend), 'u': manyItems(kSetItems), 0x90: manyItems(kAddItems),
		'p': linePut, 'q': binPut, 'r': binPut, 0x94: memoize, 'g': lineGet, 'h': binGet, 'j': binGet,
		'c': globalStep, 0x93: stackGlobal, 'R': reduce, 0x81: newObj, 0x92: newObjEx, 'i': inst, 'o': obj, 'b': build,
		'P': linePersID, 'Q': binPersID,
		0x80: func(m *machine, op *pickle.Op) error {
			if m.proto = op.Int; op.Int > pickle.HighestProtocol {
				return fmt.Errorf("protocol %d", op.Int)
			}
			return nil
		},
		0x95: func(*machine, *pickle.Op) error { return nil },
	}
}

// maxText bounds the text of a number or name, maxInt the bytes of an integer: one of 64 KiB already
// takes seconds to print.
const (
	maxText = 64 << 10
	maxInt  = 64 << 10
	// inlineBytes is the length from which bytes stay in the file where they are.
	inlineBytes = 512
)

func popStep(m *machine, _ *pickle.Op) error {
	if len(m.marks) > 0 && m.floor() == len(m.stack) { // CPython: POP on a mark removes the mark
		m.marks = m.marks[:len(m.marks)-1]
		return nil
	}
	_, err := m.pop()
	return err
}

func constant(r Ref) step { return func(m *machine, _ *pickle.Op) error { m.push(r); return nil } }

func constantOf(k kind) step {
	return func(m *machine, _ *pickle.Op) error { m.push(m.g.add(k, 0)); return nil }
}

func empty(k kind) step { return constantOf(k) }

func smallInt(m *machine, op *pickle.Op) error { m.push(m.g.integer(op.Int)); return nil }

func lineInt(m *machine, op *pickle.Op) error {
	text, err := m.dec.Payload(op, maxText)
	if err != nil {
		return err
	}
	switch string(text) { // pickle protocol 0: "I00" and "I01" are the booleans
	case "00":
		m.push(m.g.add(kFalse, 0))
		return nil
	case "01":
		m.push(m.g.add(kTrue, 0))
		return nil
	}
	return m.decimal(bytes.TrimSpace(text))
}

func lineLong(m *machine, op *pickle.Op) error {
	text, err := m.dec.Payload(op, maxText)
	if err != nil {
		return err
	}
	return m.decimal(bytes.TrimSuffix(bytes.TrimSpace(text), []byte("L")))
}

func (m *machine) decimal(text []byte) error {
	if v, err := strconv.ParseInt(string(text), 0, 64); err == nil {
		m.push(m.g.integer(v))
		return nil
	}
	if len(text) > 4300 { // CPython's own limit on decimal integers
		return fmt.Errorf("integer of %d digits: %w", len(text), modelscan.ErrLimit)
	}
	v, ok := new(big.Int).SetString(string(text), 0)
	if !ok {
		return fmt.Errorf("%.40q is no integer: %w", text, pickle.ErrMalformed)
	}
	m.push(m.g.str(kBigInt, twosComplement(v)))
	return nil
}

// twosComplement writes v little-endian, with a sign bit.
func twosComplement(v *big.Int) []byte {
	n := v.BitLen()/8 + 1
	if v.Sign() < 0 {
		v = new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), uint(n*8)))
	}
	b := v.FillBytes(make([]byte, n))
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return b
}

func binLong(m *machine, op *pickle.Op) error {
	b, err := m.dec.Payload(op, maxInt)
	if err != nil {
		return fmt.Errorf("%w: %w", modelscan.ErrLimit, err)
	}
	m.push(m.g.littleEndianInt(b))
	return nil
}

func lineFloat(m *machine, op *pickle.Op) error {
	text, err := m.dec.Payload(op, maxText)
	if err != nil {
		return err
	}
	v, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	if err != nil {
		return fmt.Errorf("%.40q is no number: %w", text, pickle.ErrMalformed)
	}
	m.push(m.g.add(kFloat, int64(math.Float64bits(v))))
	return nil
}

func tupleOf(n int) step {
	return func(m *machine, _ *pickle.Op) error {
		items, err := m.popN(n)
		if err != nil {
			return err
		}
		m.push(m.g.addRefs(kTuple, items))
		return nil
	}
}

// marked makes a list or dict of what stands above the mark.
func (m *machine) marked(k, filling kind) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	if k == kDict && len(items)%2 != 0 {
		return fmt.Errorf("odd number of keys and values: %w", pickle.ErrMalformed)
	}
	r := m.g.add(k, 0)
	if len(items) > 0 {
		m.g.fill(filling, r, items)
	}
	m.push(r)
	return nil
}

func (m *machine) markedRun(k kind) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	m.push(m.g.addRefs(k, items))
	return nil
}

// fillable tells whether a container of kind k takes the filling, as its unpickler would.
func fillable(k, filling kind) bool {
	switch k {
	case kOpaque, kCall: // Python knows whether this class can be appended to
		return true
	case kList:
		return filling == kExtend
	case kDict:
		return filling == kSetItems
	case kSet:
		return filling == kAddItems
	}
	return false
}

func (m *machine) fillTop(filling kind, items []Ref) error {
	target, err := m.top()
	if err != nil {
		return err
	}
	if !fillable(m.g.kind(target), filling) {
		return fmt.Errorf("the object takes no items: %w", pickle.ErrMalformed)
	}
	if filling == kSetItems && len(items)%2 != 0 {
		return fmt.Errorf("odd number of keys and values: %w", pickle.ErrMalformed)
	}
	if len(items) > 0 {
		m.g.fill(filling, target, items)
	}
	return nil
}

func oneItem(filling kind, n int) step {
	return func(m *machine, _ *pickle.Op) error {
		items, err := m.popN(n)
		if err != nil {
			return err
		}
		return m.fillTop(filling, items)
	}
}

func manyItems(filling kind) step {
	return func(m *machine, _ *pickle.Op) error {
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.fillTop(filling, items)
	}
}

func linePut(m *machine, op *pickle.Op) error {
	i, err := m.lineIndex(op)
	if err != nil {
		return err
	}
	op.Int = i
	return binPut(m, op)
}

func (m *machine) lineIndex(op *pickle.Op) (int64, error) {
	text, err := m.dec.Payload(op, 64)
	if err != nil {
		return 0, err
	}
	i, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil || i < 0 {
		return 0, fmt.Errorf("%q is no memo index: %w", text, pickle.ErrMalformed)
	}
	return i, nil
}

func binPut(m *machine, op *pickle.Op) error {
	r, err := m.top()
	if err == nil {
		m.memo.put(op.Int, r)
	}
	return err
}

func memoize(m *machine, op *pickle.Op) error {
	op.Int = m.memo.n
	return binPut(m, op)
}

func lineGet(m *machine, op *pickle.Op) error {
	i, err := m.lineIndex(op)
	if err != nil {
		return err
	}
	op.Int = i
	return binGet(m, op)
}

func binGet(m *machine, op *pickle.Op) error {
	r, ok := m.memo.get(op.Int)
	if !ok {
		return fmt.Errorf("memo %d was never set: %w", op.Int, pickle.ErrMalformed)
	}
	m.push(r)
	return nil
}
