package index

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/secure-torch/secure-torch/modelscan"
)

// legacyMagic is torch.serialization.MAGIC_NUMBER, 0x1950a86a20f9469cfc6c, as LONG1 writes it.
var legacyMagic = []byte{0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19}

// legacyProtocol is torch.serialization.PROTOCOL_VERSION.
const legacyProtocol = 1001

// isLegacy: a pickle of the magic number and nothing else comes first.
func isLegacy(head []byte) bool {
	at := bytes.Index(head[:min(len(head), 40)], legacyMagic)
	return at >= 0 && isPickle(head)
}

// legacy reads what torch.save wrote before 1.6, and still writes when asked to: five pickles (magic
// number, protocol, system, object, storage keys), then each storage as an element count and its numbers.
func (b *builder) legacy(ctx context.Context, src modelscan.Source, at origin) (Ref, error) {
	if !at.known {
		return 0, fmt.Errorf("compressed torch legacy file: %w", ErrUnsupported)
	}
	m := b.machine(src, at)
	s := newStorages(m)
	off, err := s.legacyHead(ctx)
	if err != nil {
		return 0, err
	}
	m.persist = s.legacyID
	root, off, err := m.load(ctx, off)
	if err != nil {
		return 0, err
	}
	m.persist = nil
	keys, off, err := m.load(ctx, off)
	if err != nil {
		return 0, err
	}
	for _, items := range b.g.fillings(keys) {
		if off, err = s.place(src, items, off); err != nil {
			return 0, err
		}
	}
	return root, s.placed()
}

// legacyHead reads the magic number, the protocol and what is said of the system that wrote the file.
func (s *storages) legacyHead(ctx context.Context) (off int64, err error) {
	var head [3]Ref
	for i := range head {
		if head[i], off, err = s.m.load(ctx, off); err != nil {
			return 0, err
		}
	}
	g := s.m.g
	if v, ok := g.int64(head[1]); !ok || v != legacyProtocol || g.kind(head[0]) != kBigInt || !bytes.Equal(g.bytes(head[0]), legacyMagic) {
		return 0, fmt.Errorf("torch legacy file of another protocol: %w", ErrUnsupported)
	}
	if little, ok := g.bool(g.lookup(head[2], "little_endian")); ok && !little {
		s.flags |= storageSwapped
	}
	return off, nil
}

// placed tells whether every storage that the object uses was found.
func (s *storages) placed() error {
	for key, row := range s.rows {
		if s.m.g.storages[row].off < 0 {
			return fmt.Errorf("storage %q is nowhere in the file", key)
		}
	}
	return nil
}

// place finds the storages whose keys are listed, from off on, and answers where the last one ends.
func (s *storages) place(src modelscan.Source, keys []uint32, off int64) (int64, error) {
	for _, r := range keys {
		key, _ := s.m.g.text(Ref(r))
		row, ok := s.rows[key]
		if !ok {
			return 0, fmt.Errorf("storage %q is listed and not used", key)
		}
		st := &s.m.g.storages[row]
		head, err := src.Bytes(off, 8, 8)
		if err != nil {
			return 0, fmt.Errorf("storage %q: %w", key, err)
		}
		size := itemSizes[string(s.m.g.bytes(st.dtype))]
		if n := int64(binary.LittleEndian.Uint64(head)); n != st.nbytes/size {
			return 0, fmt.Errorf("storage %q has %d elements, the object says %d", key, n, st.nbytes/size)
		}
		off += 8
		if st.nbytes > src.Size-off {
			return 0, fmt.Errorf("storage %q needs %d bytes, %d are left", key, st.nbytes, src.Size-off)
		}
		st.text, st.off, st.stored = s.m.at.text, s.m.at.base+off, st.nbytes
		off += st.nbytes
	}
	return off, nil
}
