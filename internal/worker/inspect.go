package worker

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/formats"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
	"github.com/secure-torch/secure-torch/sandbox"
)

// InspectParams are what an inspect job is asked.
type InspectParams struct {
	Limits modelscan.Limits
	// MaxText bounds the listing of the pickles, in bytes; 0 for none.
	MaxText int64
	// Program lists each pickle as a Python program that would do the same, and not its opcodes.
	Program bool
}

func inspect(job sandbox.Job, out io.Writer) error {
	if len(job.Files) != 1 {
		return fmt.Errorf("an inspection is of one file, not %d", len(job.Files))
	}
	var params InspectParams
	if err := json.Unmarshal(job.Params, &params); err != nil {
		return err
	}
	listing := &listing{params: params}
	fs := formats.All()
	if params.MaxText > 0 {
		fs = append([]*modelscan.Format{listing.format()}, fs...)
	}
	f := job.Files[0]
	src := modelscan.Source{Name: f.Name, R: f, Size: f.Size}
	report := modelscan.Scan(context.Background(), src, fs, params.Limits)
	addTensors(report, src, params.Limits)
	makeText(report)
	body, err := json.Marshal(report)
	if err != nil {
		return err
	}
	for _, part := range [][]byte{binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body, listing.text.Bytes()} {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// listing lists every pickle that a scan comes by.
type listing struct {
	params InspectParams
	text   bytes.Buffer
}

// errShown is how the format below says that it has nothing to report.
var errShown = errors.New("only shown")

// format claims what the pickle reader claims, and leaves the judgement to it.
func (l *listing) format() *modelscan.Format {
	return &modelscan.Format{
		Name: "listing",
		Sniff: func(p modelscan.Probe) modelscan.Confidence {
			return min(pickle.Format.Sniff(p), modelscan.Maybe)
		},
		Scan: func(ctx context.Context, p *modelscan.Pass) error {
			if left := l.params.MaxText - int64(l.text.Len()); left > 0 {
				fmt.Fprintf(&l.text, "%s\n", text(p.Name))
				if err := l.streams(ctx, &capped{&l.text, left}, p.Source); err != nil {
					fmt.Fprintf(&l.text, "%s\n", text(err.Error()))
				}
			}
			return errShown
		},
	}
}

// streams lists one pickle after another, as long as a PROTO opcode follows a STOP.
func (l *listing) streams(ctx context.Context, w io.Writer, src modelscan.Source) error {
	for off := int64(0); ; {
		end, err := l.list(ctx, w, src, off)
		if err != nil {
			return err
		}
		if b, err := src.Bytes(end, 2, 2); err != nil || b[0] != 0x80 || b[1] > 5 {
			if rest := src.Size - end; rest > 0 {
				fmt.Fprintf(w, "%d bytes after the pickle\n", rest)
			}
			return nil
		}
		off = end
	}
}

func (l *listing) list(ctx context.Context, w io.Writer, src modelscan.Source, off int64) (end int64, err error) {
	if l.params.Program {
		return pickle.Decompile(ctx, w, src, &l.params.Limits, off)
	}
	return pickle.Disassemble(ctx, w, src, off)
}

// capped writes n bytes and then refuses.
type capped struct {
	w io.Writer
	n int64
}

func (c *capped) Write(b []byte) (int, error) {
	if int64(len(b)) > c.n {
		return 0, errors.New("cut off: the listing is too long")
	}
	c.n -= int64(len(b))
	return c.w.Write(b)
}
