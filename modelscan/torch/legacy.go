package torch

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

// Legacy is what torch.save wrote before 1.6, and torch.load still reads whatever does not begin like a zip as:
// five pickles (a magic number, the protocol, the machine, the object, the keys of the storages), then the
// storages' bytes.
var Legacy = &modelscan.Format{Name: "torch-legacy", Sniff: sniffLegacy, Scan: scanLegacy, Covers: []string{pickle.Format.Name}}

// magic is the pickled number 0x1950a86a20f9469cfc6c, in any protocol from 2 on.
var magic, _ = hex.DecodeString("8a0a6cfc9c46f9206aa850192e")

func sniffLegacy(p modelscan.Probe) modelscan.Confidence {
	if len(p.Head) >= 2 && p.Head[0] == 0x80 && bytes.Contains(p.Head[:min(len(p.Head), 32)], magic) {
		return modelscan.Yes
	}
	return modelscan.No
}

// maxSaves bounds the checkpoints in one file: torch.save may be called again on an open file, and torch.load
// goes on where the one before ended.
const maxSaves = 10_000

// scanLegacy reads checkpoint after checkpoint, then what is left as any pickle: the next load of the same
// open file runs it.
func scanLegacy(ctx context.Context, p *modelscan.Pass) error {
	end, err := int64(0), error(nil)
	for n := 0; n == 0 || isCheckpoint(p, end); n++ {
		if n == maxSaves {
			return fmt.Errorf("more than %d checkpoints at %#x: %w", maxSaves, end, modelscan.ErrLimit)
		}
		if end, err = checkpoint(ctx, p, end); err != nil {
			return err
		}
	}
	return after(ctx, p, end)
}

func isCheckpoint(p *modelscan.Pass, off int64) bool {
	head, err := p.Bytes(off, min(p.Size-off, 32), 32)
	return err == nil && sniffLegacy(modelscan.Probe{Head: head}) == modelscan.Yes
}

// checkpoint reads five pickles, all of which are unpickled whatever they hold, and passes over the storages
// to where the checkpoint ends.
func checkpoint(ctx context.Context, p *modelscan.Pass, off int64) (end int64, err error) {
	var classes map[string]string
	keys := int64(0)
	for i := range 5 {
		res, err := pickle.Scan(ctx, p, pickle.Options{Dialect: pickle.Torch, Start: off, MaxStreams: 1})
		if err != nil {
			return 0, fmt.Errorf("%d of the five pickles of a torch file: %w", i, err)
		}
		if res.FrameEnd > res.End {
			return 0, fmt.Errorf("the frame of the pickle at %#x ends at %#x, behind its STOP: loaders go on at different places", off, res.FrameEnd)
		}
		if i == 3 {
			classes = res.Storages
		}
		keys, off = off, res.End
	}
	s := storages{p: p, classes: classes, end: off}
	if err := eachKey(p, keys, off, s.pass); err != nil {
		return 0, fmt.Errorf("torch storages from %#x on: %w", off, err)
	}
	if s.end > off {
		p.Emit.Note(fmt.Sprintf("%s: %d bytes of tensor storages from %#x on not read", p.Name, s.end-off, off))
	}
	return s.end, nil
}

// after reads what stands behind the last checkpoint.
func after(ctx context.Context, p *modelscan.Pass, off int64) error {
	n := p.Size - off
	head, err := p.Bytes(off, min(n, modelscan.ProbeSize), modelscan.ProbeSize)
	switch {
	case n == 0 || err != nil:
		return err
	case int64(len(head)) == n && bytes.Count(head, []byte{0}) == len(head):
		p.Emit.Note(fmt.Sprintf("%s: %d zero bytes from %#x on", p.Name, n, off))
		return nil
	}
	if pickle.Format.Sniff(modelscan.Probe{Head: head, Tail: head, Size: n}) == modelscan.No {
		if p.Emit.Descend(ctx, p.Member(fmt.Sprintf("after@%#x", off), io.NewSectionReader(p.R, off, n), n)) {
			return nil
		}
		return fmt.Errorf("%d bytes from %#x on belong to no storage", n, off)
	}
	if _, err := pickle.Scan(ctx, p, pickle.Options{Dialect: pickle.Torch, Start: off}); err != nil {
		p.Fail(p.Name, off, fmt.Errorf("behind the checkpoint: %w", err))
	}
	return nil
}
