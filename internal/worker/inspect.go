package worker

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

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
		fs = listing.among(fs)
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
	// claimed is what the pickle reader said of the source whose turn it is.
	claimed modelscan.Confidence
}

// errShown is how the format below says that it has nothing to report.
var errShown = errors.New("only shown")

// listingName is the format below, of which no report is told.
const listingName = "listing"

// among puts the listing before the pickle reader. A container whose reading holds that of a pickle holds the listing
// too: what begins like a zip is no pickle to any loader. Other formats that cover pickles read them.
func (l *listing) among(all []*modelscan.Format) []*modelscan.Format {
	var fs []*modelscan.Format
	for _, f := range all {
		switch {
		case f.Container && slices.Contains(f.Covers, pickle.Format.Name):
			with := *f
			with.Covers = slices.Concat(f.Covers, []string{listingName})
			f = &with
		case f.Name == pickle.Format.Name:
			fs = append(fs, l.format())
		}
		fs = append(fs, f)
	}
	return fs
}

// format claims what the pickle reader claims, and leaves the judgement to it.
func (l *listing) format() *modelscan.Format {
	return &modelscan.Format{
		Name: listingName,
		Sniff: func(p modelscan.Probe) modelscan.Confidence {
			l.claimed = pickle.Format.Sniff(p)
			return min(l.claimed, modelscan.Maybe)
		},
		Scan: func(ctx context.Context, p *modelscan.Pass) error {
			if l.claimed != modelscan.Yes && !readable(ctx, p) {
				return errShown
			}
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

// readable tells whether the pickle reader makes sense of what only may be a pickle.
func readable(ctx context.Context, p *modelscan.Pass) bool {
	alone := *p
	sink := &heard{}
	alone.Emit, alone.Unpacked = sink, modelscan.NewBudget(p.Limits, p.Size)
	return pickle.Format.Scan(ctx, &alone) == nil || sink.something
}

// heard keeps of what it is told only whether there was something.
type heard struct{ something bool }

func (h *heard) Finding(modelscan.Finding) { h.something = true }
func (h *heard) Gap(modelscan.Gap)         { h.something = true }
func (h *heard) Fact(modelscan.Fact)       { h.something = true }
func (h *heard) Claim(string)              { h.something = true }
func (h *heard) Note(string)               {}

func (h *heard) Descend(context.Context, modelscan.Source) bool {
	h.something = true
	return false
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
