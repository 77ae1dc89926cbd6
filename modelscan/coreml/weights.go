package coreml

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Weights is weight.bin of a package: numbers that an ML program refers to by offset ("MIL blob storage", version 2).
// Each blob has a header of 64 bytes with a sentinel, a type, a size and the place of its data.
var Weights = &modelscan.Format{Name: "coreml-weights", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if len(p.Head) >= 68 && binary.LittleEndian.Uint32(p.Head[4:]) == blobVersion && binary.LittleEndian.Uint32(p.Head[64:]) == blobSentinel {
		return modelscan.Yes
	}
	return modelscan.No
}, Scan: scanWeights}

const (
	blobVersion  = 2
	blobSentinel = 0xdeadbeef
	blobHeader   = 64
)

func scanWeights(ctx context.Context, p *modelscan.Pass) error {
	head, err := p.Bytes(0, blobHeader, blobHeader)
	if err != nil {
		return err
	}
	count := int64(binary.LittleEndian.Uint32(head))
	if count > p.Size/blobHeader {
		return fmt.Errorf("%d blobs in %d bytes", count, p.Size)
	}
	at := int64(blobHeader)
	for i := range count {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b, err := p.Bytes(at, blobHeader, blobHeader)
		if err != nil {
			return fmt.Errorf("blob %d: %w", i, err)
		}
		size, data := binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
		if binary.LittleEndian.Uint32(b) != blobSentinel || data < uint64(at)+blobHeader || data > uint64(p.Size) || size > uint64(p.Size)-data {
			return fmt.Errorf("blob %d at %#x: %d bytes at %#x", i, at, size, data)
		}
		at = int64(data+size+blobHeader-1) &^ (blobHeader - 1)
	}
	return nil
}
