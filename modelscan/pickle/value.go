package pickle

// value is an abstract value: its kind in the top byte, the rest is a number, a source offset or an
// index into a side table. The zero value is unknown.
type value uint64

type kind uint8

const (
	kUnknown   kind = iota
	kMissing        // nothing was ever stored here (memo)
	kNone           //
	kBool           // 0 or 1
	kInt            // 56-bit two's complement
	kBigInt         // offset of the opcode
	kFloat          // offset of the opcode
	kStr            // offset of the opcode
	kBytes          // offset of the opcode
	kByteArray      // offset of the opcode
	kEncoded        // bytes made from the str whose opcode stands at the offset (protocol 2's _codecs.encode)
	kBuffer         //
	kTuple          // index into containers
	kList           // index into containers
	kDict           // index into containers
	kSet            // index into containers
	kFrozenSet      // index into containers
	kGlobal         // index into globals
	kInst           // instance of an allowed class or result of an allowed call: index into globals
	kCall           // index into calls
	kStorage        // a torch storage named by a well-formed persistent id
	kPersist        // index into containers: any other persistent id (a tuple of one)
	kExt            // extension code
)

const payloadBits = 56

func mk(k kind, payload int64) value {
	return value(k)<<payloadBits | value(payload)&(1<<payloadBits-1)
}

func (v value) kind() kind { return kind(v >> payloadBits) }

// index is the payload as an offset or index.
func (v value) index() int64 { return int64(v & (1<<payloadBits - 1)) }

// int is the payload of kInt, sign-extended.
func (v value) int() int64 { return int64(v<<(64-payloadBits)) >> (64 - payloadBits) }

func intValue(n, off int64) value {
	if v := mk(kInt, n); v.int() == n {
		return v
	}
	return mk(kBigInt, off)
}

// arena is a growing array. Only its first elements ever move, while there are few of them: most pickles are small, and
// memory that nothing was written to yet is what costs most about them. Whoever holds a slice of it may read what is in
// there, and write before the next push or run alone.
type arena[T any] struct {
	chunks [][]T // the first one of firstSize to chunkSize elements, the others of chunkSize
	n      int
}

const (
	chunkBits = 11
	chunkSize = 1 << chunkBits
	firstSize = 1 << 6
)

func (a *arena[T]) at(i int) *T { return &a.chunks[i>>chunkBits][i&(chunkSize-1)] }

func (a *arena[T]) push(x T) int {
	i := a.n
	if i>>chunkBits == len(a.chunks) || i&(chunkSize-1) == len(a.chunks[i>>chunkBits]) {
		a.hold(i + 1)
	}
	a.chunks[i>>chunkBits][i&(chunkSize-1)] = x
	a.n++
	return i
}

// hold makes room for the elements before end.
func (a *arena[T]) hold(end int) {
	for (end-1)>>chunkBits >= len(a.chunks) {
		size := chunkSize
		if len(a.chunks) == 0 {
			size = firstSize
		}
		a.chunks = append(a.chunks, make([]T, size))
	}
	if need := min(end, chunkSize); (end-1)>>chunkBits == 0 && need > len(a.chunks[0]) {
		size := len(a.chunks[0])
		for size < need {
			size *= 2
		}
		first := make([]T, size)
		copy(first, a.chunks[0])
		a.chunks[0] = first
	}
}

// run reserves n <= chunkSize elements that lie side by side.
func (a *arena[T]) run(n int) (start int, elems []T) {
	if left := chunkSize - a.n&(chunkSize-1); left < n {
		a.n += left
	}
	a.hold(a.n + n)
	start = a.n
	a.n += n
	return start, a.slice(start, n)
}

func (a *arena[T]) slice(start, n int) []T {
	if n == 0 {
		return nil
	}
	return a.chunks[start>>chunkBits][start&(chunkSize-1):][:n]
}

// cap is the number of elements for which memory is held.
func (a *arena[T]) cap() int {
	if len(a.chunks) == 0 {
		return 0
	}
	return len(a.chunks[0]) + (len(a.chunks)-1)<<chunkBits
}

// container is a tuple, list, dict or set: its first items, as a run in the items arena.
type container struct {
	start  uint32
	n      uint16
	flags  uint16
	weight float32 // values there would be if every shared one were copied
}

const (
	maxItems = 512 // kept per container; enough for every call that is judged by its arguments

	cutItems     = 1 << 0 // it has more items than are kept
	nestedGlobal = 1 << 1 // some item is neither a plain value nor made of plain values only
	cutHook      = 1 << 2 // among the items that are not kept, one would plant a callable in an instance
)

// call is a call whose callee and arguments are kept.
type call struct {
	callee, args value
	extra        value // keyword arguments of NEWOBJ_EX
	state        value // of the last BUILD
	off          int64 // of the opcode that makes it
	op           byte
}
