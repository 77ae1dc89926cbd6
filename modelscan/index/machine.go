package index

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

// machine is an unpickler that calls nothing: it runs one pickle stream and leaves a graph behind.
type machine struct {
	g     *graph
	b     *builder
	src   modelscan.Source
	at    origin
	dec   *pickle.Decoder
	proto int64
	stack []Ref
	marks []int
	memo  memo
	// persist answers a persistent id. Nil: this loader knows none.
	persist func(id Ref) (Ref, error)
	// inline, if set, is told of every object that BUILD filled and the offset after the opcode. It may
	// read on in the source, and answers where the pickle goes on (joblib's arrays).
	inline func(ctx context.Context, target, state Ref, next int64) (int64, error)
	ctx    context.Context
}

// memo is dense as picklers write it, sparse where a stream jumps about.
type memo struct {
	dense  []Ref
	set    []bool
	sparse map[int64]Ref
	n      int64 // entries, what MEMOIZE numbers by
}

func (m *memo) put(i int64, r Ref) {
	if _, ok := m.get(i); !ok {
		m.n++
	}
	if i < int64(len(m.dense)) {
		m.dense[i], m.set[i] = r, true
		return
	}
	if i == int64(len(m.dense)) {
		m.dense, m.set = append(m.dense, r), append(m.set, true)
		return
	}
	if i < int64(len(m.dense))+4096 {
		for int64(len(m.dense)) < i {
			m.dense, m.set = append(m.dense, 0), append(m.set, false)
		}
		m.dense, m.set = append(m.dense, r), append(m.set, true)
		return
	}
	if m.sparse == nil {
		m.sparse = map[int64]Ref{}
	}
	m.sparse[i] = r
}

func (m *memo) get(i int64) (Ref, bool) {
	if r, ok := m.sparse[i]; ok {
		return r, true
	}
	if i < 0 || i >= int64(len(m.dense)) || !m.set[i] {
		return 0, false
	}
	return m.dense[i], true
}

var errStack = errors.New("takes more from the stack than there is")

// load runs the pickle stream at off and returns its object and the offset after STOP.
func (m *machine) load(ctx context.Context, off int64) (Ref, int64, error) {
	m.ctx = ctx
	m.dec = pickle.NewDecoder(m.src.R, off, m.src.Size)
	m.stack, m.marks, m.memo, m.proto = m.stack[:0], m.marks[:0], memo{}, 0
	var op pickle.Op
	for n := 0; ; n++ {
		if n&0xfff == 0 {
			if err := m.bounds(ctx); err != nil {
				return 0, off, err
			}
		}
		if err := m.dec.Next(&op); err != nil {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("the pickle at %#x ends without STOP: %w", off, pickle.ErrMalformed)
			}
			return 0, off, err
		}
		if op.Code == '.' {
			r, err := m.pop()
			return r, op.End, err
		}
		do := m.b.steps[op.Code]
		if do == nil {
			return 0, off, fmt.Errorf("%s at %#x is not supported", op.Name(), op.Pos)
		}
		if err := do(m, &op); err != nil {
			return 0, off, fmt.Errorf("%s at %#x: %w", op.Name(), op.Pos, err)
		}
	}
}

// bounds is asked now and then: opcodes add little each, and fill checks the large ones.
func (m *machine) bounds(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if held := int64(len(m.stack)+len(m.marks)+len(m.memo.dense))*8 + int64(len(m.memo.sparse))*48; held > m.g.limit {
		return fmt.Errorf("stack and memo: %w (%d bytes)", modelscan.ErrLimit, m.g.limit)
	}
	return m.g.check()
}

func (m *machine) push(r Ref) { m.stack = append(m.stack, r) }

// floor is the lowest stack index that the innermost mark leaves to pop.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) pop() (Ref, error) {
	n := len(m.stack) - 1
	if n < m.floor() {
		return 0, errStack
	}
	r := m.stack[n]
	m.stack = m.stack[:n]
	return r, nil
}

// popN takes the last n. The slice is valid until the next push.
func (m *machine) popN(n int) ([]Ref, error) {
	at := len(m.stack) - n
	if at < m.floor() {
		return nil, errStack
	}
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}

func (m *machine) top() (Ref, error) {
	if len(m.stack) <= m.floor() {
		return 0, errStack
	}
	return m.stack[len(m.stack)-1], nil
}

// popMark takes everything above the innermost mark. The slice is valid until the next push.
func (m *machine) popMark() ([]Ref, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("needs a mark and there is none")
	}
	at := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}
