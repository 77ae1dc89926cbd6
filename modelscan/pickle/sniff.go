package pickle

import (
	"bytes"
	"context"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Format is a run of pickle streams of any protocol.
var Format = &modelscan.Format{Name: "pickle", Sniff: Sniff, Scan: scanFormat}

// Sniff judges by opcodes: a PROTO followed by valid ones, or, for protocols 0 and 1 which have no
// magic, a program that makes sense to its STOP.
func Sniff(p modelscan.Probe) modelscan.Confidence {
	return sniff(p.Head, int64(len(p.Head)) == p.Size)
}

// enough opcodes in a row that make sense are no accident.
const enough = 24

// sniff runs the opcodes of head with nothing but the height of the stack. Whole says that nothing follows.
func sniff(head []byte, whole bool) modelscan.Confidence {
	if len(head) < 2 {
		return modelscan.No
	}
	magic := head[0] == opProto && head[1] <= HighestProtocol
	n, end := plausible(head)
	switch {
	case magic && (n >= 2 || end != ErrMalformed):
		return modelscan.Yes
	case magic:
		return modelscan.Maybe
	case end == nil && n >= 3, n >= enough:
		return modelscan.Yes
	case end == nil, end == io.EOF && n >= 4:
		return modelscan.Maybe
	}
	return modelscan.No
}

// plausible counts the opcodes from the start that make sense. The error is nil at STOP, io.EOF where
// head ends before it, ErrMalformed otherwise.
func plausible(head []byte) (n int, err error) {
	d := NewDecoder(bytes.NewReader(head), 0, int64(len(head)))
	var op Op
	depth, marks := 0, []int(nil)
	for {
		if e := d.Next(&op); e == io.EOF {
			return n, io.EOF
		} else if e != nil {
			if ops[op.Code].arg != argInvalid {
				return n, io.EOF // its argument ends behind head
			}
			return n, ErrMalformed
		}
		if op.Code == opStop {
			if depth == 1 && len(marks) == 0 {
				return n, nil
			}
			return n, ErrMalformed
		}
		if !step(&op, &depth, &marks) {
			return n, ErrMalformed
		}
		n++
	}
}

// effect is how many values an opcode takes and leaves; mark says that it takes everything above the mark too.
type effect struct {
	takes, leaves int
	mark          bool
}

var effects = [256]effect{
	opPop: {1, 0, false}, opDup: {1, 2, false}, opFloat: {0, 1, false}, opInt: {0, 1, false}, opBinInt: {0, 1, false}, opBinInt1: {0, 1, false},
	opLong: {0, 1, false}, opBinInt2: {0, 1, false}, opNone: {0, 1, false}, opPersID: {0, 1, false}, opBinPersID: {1, 1, false}, opReduce: {2, 1, false},
	opString: {0, 1, false}, opBinString: {0, 1, false}, opShortBinString: {0, 1, false}, opUnicode: {0, 1, false}, opBinUnicode: {0, 1, false},
	opAppend: {2, 1, false}, opBuild: {2, 1, false}, opGlobal: {0, 1, false}, opDict: {0, 1, true}, opEmptyDict: {0, 1, false}, opAppends: {1, 1, true},
	opGet: {0, 1, false}, opBinGet: {0, 1, false}, opInst: {0, 1, true}, opLongBinGet: {0, 1, false}, opList: {0, 1, true}, opEmptyList: {0, 1, false},
	opObj: {0, 1, true}, opPut: {1, 1, false}, opBinPut: {1, 1, false}, opLongBinPut: {1, 1, false}, opSetItem: {3, 1, false}, opTuple: {0, 1, true},
	opEmptyTuple: {0, 1, false}, opSetItems: {1, 1, true}, opBinFloat: {0, 1, false}, opNewObj: {2, 1, false}, opExt1: {0, 1, false}, opExt2: {0, 1, false},
	opExt4: {0, 1, false}, opTuple1: {1, 1, false}, opTuple2: {2, 1, false}, opTuple3: {3, 1, false}, opNewTrue: {0, 1, false}, opNewFalse: {0, 1, false},
	opLong1: {0, 1, false}, opLong4: {0, 1, false}, opBinBytes: {0, 1, false}, opShortBinBytes: {0, 1, false}, opShortBinUnicode: {0, 1, false},
	opBinUnicode8: {0, 1, false}, opBinBytes8: {0, 1, false}, opEmptySet: {0, 1, false}, opAddItems: {1, 1, true}, opFrozenSet: {0, 1, true},
	opNewObjEx: {3, 1, false}, opStackGlobal: {2, 1, false}, opMemoize: {1, 1, false}, opByteArray8: {0, 1, false}, opNextBuffer: {0, 1, false},
	opReadOnlyBuffer: {1, 1, false}, opPopMark: {0, 0, true},
}

// step applies an opcode's effect; false where the stack holds too little for it or its text can't be
// what it should be.
func step(op *Op, depth *int, marks *[]int) bool {
	if op.Code == opMark {
		*marks = append(*marks, *depth)
		return true
	}
	if op.Code == opPop && len(*marks) > 0 && (*marks)[len(*marks)-1] == *depth {
		*marks = (*marks)[:len(*marks)-1]
		return true
	}
	e := effects[op.Code]
	if e.mark {
		if len(*marks) == 0 {
			return false
		}
		*depth = (*marks)[len(*marks)-1]
		*marks = (*marks)[:len(*marks)-1]
	}
	floor := 0
	if len(*marks) > 0 {
		floor = (*marks)[len(*marks)-1]
	}
	if *depth-e.takes < floor {
		return false
	}
	*depth += e.leaves - e.takes
	return true
}

// scanFormat scans a source that nobody said is a pickle.
func scanFormat(ctx context.Context, p *modelscan.Pass) error {
	_, err := Scan(ctx, p, Options{})
	return err
}
