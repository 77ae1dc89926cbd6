package pickle

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// event is something the unpickler would do other than make plain data, in order.
type event struct {
	call   int // index into calls; -1 for what is done to a target
	target value
	verb   string // "__setstate__", "update", "extend"
	arg    value
}

// Decompile writes the stream at off as a Python program that would do what unpickling it does: one line
// per call, in order, and the result at the end. It is for reading: long values are cut, and nothing
// about it promises that it runs. It returns the offset behind STOP; what was understood before an
// error is written all the same.
func Decompile(ctx context.Context, w io.Writer, src modelscan.Source, lim *modelscan.Limits, off int64) (end int64, err error) {
	m := newMachine(src, lim, Options{})
	m.recordAll, m.keep = true, lim.MaxMemory/2
	end, err = m.run(ctx, off)
	for _, line := range m.program() {
		if _, werr := fmt.Fprintln(w, line); werr != nil {
			return end, werr
		}
	}
	return end, err
}

// program spells the events and the result.
func (m *machine) program() []string {
	var lines []string
	for i := range m.globals {
		if g := &m.globals[i]; g.name != "" {
			if line := "import " + clean(g.module); !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	for _, e := range m.events {
		var b strings.Builder
		if e.call >= 0 {
			fmt.Fprintf(&b, "_%d = ", e.call)
			m.writeCall(&b, &m.calls[e.call], 0)
		} else {
			m.write(&b, e.target, 0)
			b.WriteString("." + e.verb + "(")
			m.write(&b, e.arg, 0)
			b.WriteString(")")
		}
		lines = append(lines, b.String())
	}
	if n := len(m.stack); n > 0 {
		lines = append(lines, "result = "+m.render(m.stack[n-1]))
	}
	return lines
}

// note keeps an event for Decompile.
func (m *machine) note(target value, verb string, arg value) {
	if m.recordAll {
		m.events = append(m.events, event{call: -1, target: target, verb: verb, arg: arg})
	}
}

func (m *machine) noteItems(target value, verb string, k kind, vs []value) {
	if m.recordAll {
		m.note(target, verb, m.container(k, vs...))
	}
}
