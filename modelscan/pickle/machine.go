package pickle

import (
	"context"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
)

// machine runs one stream on abstract values. It never stops at what CPython refuses (an empty stack,
// a missing memo entry): it notes the first such place and goes on with unknown values, so that
// nothing behind a place where two unpicklers differ goes unseen.
type machine struct {
	dec  Decoder
	src  modelscan.Source
	lim  *modelscan.Limits
	opts Options
	load *tables
	hook func(Built) (int64, error)

	stack []value
	marks []int // stack heights
	memo  memo

	containers arena[container]
	items      arena[value]
	globals    []global
	byName     map[string]int // module and name as written, joined by a newline
	calls      []call
	iterators  bool              // some call made one that may be endless
	changed    bool              // some bytearray is no longer what stands in the source
	lastState  value             // argument of the last BUILD
	storages   map[string]string // class by key, in the Torch dialect

	proto    int64
	ops      int64
	broken   error // the first thing that CPython would refuse
	limited  error // a limit that leaves something unseen
	keep     int64 // bytes that containers' items may use; beyond it they are dropped
	dropped  bool
	heaviest float32 // weight of the heaviest container
	missed   bool    // a call was judged although some of its arguments had been dropped

	findings   []finding
	said       map[string]int // findings so far, by rule and subject
	unsaid     int            // findings left out
	programs   int            // traced ones that were judged
	inner      []inner        // to be scanned after the stream
	innerBytes int64

	frameEnd int64  // of the last FRAME
	crossed  hole   // the first instruction cut in two by its frame's end
	without  *holed // the source without what was cut before, or nil

	recordAll bool    // keep every call, for Decompile
	events    []event // for Decompile
}

// global is a (module, qualname) that the stream names, once per spelling.
type global struct {
	module, name string // as written
	computed     bool   // not by an opcode but by getattr or __import__ on the way
	off          int64  // where it was first named
	entry        entry  // what is known about it
	reported     bool   // some finding is about it
}

func newMachine(src modelscan.Source, lim *modelscan.Limits, opts Options) *machine {
	m := &machine{src: src, lim: lim, opts: opts, byName: map[string]int{}, said: map[string]int{}, load: load(), keep: itemsBudget}
	m.dec.w.reset(src.R, 0, src.Size)
	return m
}

// itemsBudget is for containers' items in the first run over a stream; a second run with more follows
// only where some call is to be judged by arguments that were dropped.
const itemsBudget = 8 << 20

// checkEvery is the number of opcodes between two looks at the clock and the limits.
const checkEvery = 1 << 14

// run executes one stream from off on, up to and with its STOP, and returns the offset behind it.
// The error wraps ErrMalformed, modelscan.ErrLimit, or is the context's or the source's.
func (m *machine) run(ctx context.Context, off int64) (end int64, err error) {
	m.dec.MoveTo(off)
	var op Op
	for {
		if m.ops&(checkEvery-1) == 0 {
			if err := m.check(ctx); err != nil {
				return m.dec.Offset(), err
			}
		}
		m.ops++
		pos := m.dec.Offset()
		if err := m.dec.Next(&op); err != nil {
			if err == io.EOF {
				err = fmt.Errorf("ends at %#x without STOP: %w", pos, ErrMalformed)
			}
			return pos, err
		}
		if op.Code == opStop {
			if len(m.stack) == 0 {
				m.refuse(&op, "the stack is empty")
			}
			return op.End, m.broken
		}
		if m.frameEnd > op.Pos && m.frameEnd < op.End && m.crossed == (hole{}) {
			m.crossed = m.cut(&op)
		}
		m.exec(&op)
		if m.hook != nil && op.Code == opBuild {
			if err := m.built(&op); err != nil {
				return m.dec.Offset(), err
			}
		}
	}
}

func (m *machine) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.ops > m.lim.MaxOpcodes {
		return fmt.Errorf("%d opcodes at %#x: %w", m.ops, m.dec.Offset(), modelscan.ErrLimit)
	}
	if n := m.bytes(); n > m.lim.MaxMemory {
		return fmt.Errorf("stack, memo and names take %d bytes at %#x: %w", n, m.dec.Offset(), modelscan.ErrLimit)
	}
	return nil
}

// globalCost and callCost are bytes of memory, roughly, names aside.
const (
	containerCost = 12
	globalCost    = 300
	callCost      = 64
	storageCost   = 200
)

func (m *machine) bytes() int64 {
	return int64(cap(m.stack)+cap(m.marks)+m.items.cap())*8 + int64(m.containers.cap())*containerCost + m.memo.bytes() +
		int64(len(m.globals))*globalCost + int64(len(m.storages))*storageCost + int64(cap(m.calls)+cap(m.events))*callCost
}

// refuse notes the first place where CPython's unpickler would raise.
func (m *machine) refuse(op *Op, why string) {
	if m.broken == nil {
		m.broken = fmt.Errorf("%s at %#x: %s: %w", op.Name(), op.Pos, why, ErrMalformed)
	}
}

func (m *machine) push(v value) { m.stack = append(m.stack, v) }

// fence is the height of the stack at the last mark: CPython doesn't pop across it.
func (m *machine) fence() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

func (m *machine) pop(op *Op) value {
	n := len(m.stack) - 1
	if n < 0 {
		m.refuse(op, "the stack is empty")
		return 0
	}
	if n < m.fence() {
		m.refuse(op, "the stack holds a mark there")
		m.marks = m.marks[:len(m.marks)-1]
	}
	v := m.stack[n]
	m.stack = m.stack[:n]
	return v
}

// top is the value on top of the stack, left there.
func (m *machine) top(op *Op) value {
	n := len(m.stack)
	if n == 0 || n <= m.fence() {
		m.refuse(op, "the stack is empty")
	}
	if n == 0 {
		return 0
	}
	return m.stack[n-1]
}

// popMark takes everything above the last mark. The slice is valid until the next push.
func (m *machine) popMark(op *Op) []value {
	start := 0
	if n := len(m.marks); n > 0 {
		start = min(m.marks[n-1], len(m.stack))
		m.marks = m.marks[:n-1]
	} else {
		m.refuse(op, "there is no mark")
	}
	vs := m.stack[start:]
	m.stack = m.stack[:start]
	return vs
}

// container makes a value of kind k that holds vs.
func (m *machine) container(k kind, vs ...value) value {
	var c container
	m.extend(&c, vs)
	return mk(k, int64(m.containers.push(c)))
}

// extend adds vs to what c holds, as far as there is room.
func (m *machine) extend(c *container, vs []value) {
	for _, v := range vs {
		switch v.kind() {
		case kTuple, kList, kDict, kSet, kFrozenSet:
			in := m.containers.at(int(v.index()))
			c.flags |= in.flags & nestedGlobal
			c.weight += in.weight
		case kGlobal, kCall, kInst, kPersist, kExt, kUnknown, kMissing:
			c.flags |= nestedGlobal
		}
	}
	c.weight += float32(len(vs))
	m.heaviest = max(m.heaviest, c.weight)
	room := min(maxItems-int(c.n), len(vs))
	if room < len(vs) {
		c.flags |= cutItems
		if c.flags&(nestedGlobal|cutHook) == nestedGlobal && m.hookAmong(vs[room:]) {
			c.flags |= cutHook
		}
	}
	if room == 0 {
		return
	}
	old := int(c.n)
	if int64(m.items.n+old+room)*8 > m.keep {
		c.flags |= cutItems
		m.dropped = true
		return
	}
	if end := int(c.start) + old; old > 0 && end == m.items.n && end&(chunkSize-1)+room <= chunkSize && end&(chunkSize-1) != 0 {
		_, elems := m.items.run(room)
		copy(elems, vs)
	} else {
		before := m.items.slice(int(c.start), old)
		start, elems := m.items.run(old + room)
		copy(elems, before)
		copy(elems[old:], vs)
		c.start = uint32(start)
	}
	c.n += uint16(room)
}

// hookAmong tells whether some key of a dictionary's items would plant a callable (see judgeAttribute).
func (m *machine) hookAmong(items []value) bool {
	for i := 0; i+1 < len(items); i += 2 {
		if m.plantable(items[i+1]) && m.hooks(items[i]) {
			return true
		}
	}
	return false
}

// matters tells whether v is, or holds, something other than plain data.
func (m *machine) matters(v value) bool {
	switch v.kind() {
	case kTuple, kList, kDict, kSet, kFrozenSet:
		return m.containers.at(int(v.index())).flags&nestedGlobal != 0
	case kGlobal, kCall, kInst, kPersist, kExt, kUnknown, kMissing:
		return true
	}
	return false
}

// elements are the items kept of a container, and whether they are all.
func (m *machine) elements(v value) (vs []value, all bool) {
	switch v.kind() {
	case kTuple, kList, kDict, kSet, kFrozenSet, kPersist:
		c := m.containers.at(int(v.index()))
		return m.items.slice(int(c.start), int(c.n)), c.flags&cutItems == 0
	}
	return nil, false
}
