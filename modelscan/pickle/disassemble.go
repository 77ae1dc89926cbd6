package pickle

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// maxShownArgument bounds the text of one argument in a disassembly, in bytes.
const maxShownArgument = 120

// Disassemble writes one line per opcode of the stream at off, as `python -m pickletools` does: offset,
// opcode, argument; the indentation is the depth of marks. It returns the offset behind STOP. Long
// arguments are cut, characters that don't show are escaped. A source that is no pickle from some point
// on is an error wrapping ErrMalformed, after what came before was written.
func Disassemble(ctx context.Context, w io.Writer, src modelscan.Source, off int64) (end int64, err error) {
	d := NewDecoder(src.R, off, src.Size)
	var op Op
	depth, height := 0, 0
	var marks []int
	for n := 0; ; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return d.Offset(), ctx.Err()
		}
		pos := d.Offset()
		if err := d.Next(&op); err != nil {
			if err == io.EOF {
				err = fmt.Errorf("ends at %#x without STOP: %w", pos, ErrMalformed)
			}
			return pos, err
		}
		step(&op, &height, &marks)
		line := fmt.Sprintf("%8d: %s%s", op.Pos, strings.Repeat(" ", min(depth, 40)), op.Name())
		if arg := d.argumentText(&op); arg != "" {
			line += " " + arg
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return op.End, err
		}
		depth = len(marks)
		if op.Code == opStop {
			return op.End, nil
		}
	}
}

// argumentText spells an instruction's argument.
func (d *Decoder) argumentText(op *Op) string {
	switch ops[op.Code].arg {
	case argU1, argU2, argU4, argI4, argU8:
		return strconv.FormatInt(op.Int, 10)
	case argF8:
		return strconv.FormatFloat(op.Float(), 'g', -1, 64)
	case argLines, argLine, argLen1, argLen4, argLen4s, argLen8:
	default:
		return ""
	}
	text, err := d.w.bytesAt(op.Off, min(op.Len, maxShownArgument))
	if err != nil {
		return "?"
	}
	rest := ""
	if op.Len > maxShownArgument {
		rest = fmt.Sprintf("… (%d bytes)", op.Len)
	}
	switch {
	case op.Code == opLong1 || op.Code == opLong4:
		if op.Len <= 8 {
			return strconv.FormatInt(littleEndian(text), 10)
		}
		return fmt.Sprintf("0x%x%s (little-endian)", text, rest)
	case ops[op.Code].arg == argLines:
		return clean(string(bytes.ReplaceAll(text, []byte("\n"), []byte(" ")))) + rest
	case ops[op.Code].arg == argLine:
		return clean(string(text)) + rest
	case op.Code == opShortBinBytes || op.Code == opBinBytes || op.Code == opBinBytes8 || op.Code == opByteArray8:
		return "b" + quote(string(text), false) + rest
	}
	return quote(string(text), true) + rest
}
