package torch

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

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

// scanLegacy reads the five pickles; all of them are unpickled, whatever they hold.
func scanLegacy(ctx context.Context, p *modelscan.Pass) error {
	res, err := pickle.Scan(ctx, p, pickle.Options{Dialect: pickle.Torch, MaxStreams: 5})
	if err != nil {
		return err
	}
	if res.Streams < 5 {
		return fmt.Errorf("%d of the five pickles of a torch file", res.Streams)
	}
	if rest := p.Size - res.End; rest > 0 {
		p.Emit.Note(fmt.Sprintf("%s: %d bytes of tensor storages from %#x on not read", p.Name, rest, res.End))
	}
	return nil
}
