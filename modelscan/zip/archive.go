package zip

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/compress"
)

// Archive is what all known readers together see in a zip.
type Archive struct {
	Source modelscan.Source
	// Head is at offset 0: torch.load looks for "PK\3\4" there and nowhere else.
	Head [4]byte
	// Dirs are the central directories that one loader or another uses; the first is miniz's where it has one.
	Dirs []*Directory
	// Entries are the distinct members of all directories, then those that no directory lists.
	Entries []*Entry

	window   window
	unpacked *modelscan.Budget
	inflater compress.Inflater
}

// errNoDirectory says that no loader would find a central directory.
var errNoDirectory = errors.New("no central directory")

// Open reads every central directory in src, and looks for members that none of them lists. With an error
// the Archive still holds what was understood.
func Open(ctx context.Context, p *modelscan.Pass) (*Archive, error) {
	a := &Archive{Source: p.Source, window: window{src: p.Source}, unpacked: p.Unpacked}
	if head, err := p.Bytes(0, min(4, p.Size), 4); err == nil {
		copy(a.Head[:], head)
	}
	var err error
	if a.Dirs, err = directories(ctx, p.Source, p.Limits); err == nil && len(a.Dirs) == 0 {
		err = errNoDirectory
	}
	slices.SortStableFunc(a.Dirs, func(x, y *Directory) int { return int(y.By&Miniz) - int(x.By&Miniz) })
	type place struct {
		name   string
		header int64
	}
	seen := map[place]bool{}
	for _, d := range a.Dirs {
		for i := range d.Entries {
			e := &d.Entries[i]
			if len(a.Dirs) > 1 {
				if k := (place{e.Name, e.Header}); seen[k] {
					continue
				} else {
					seen[k] = true
				}
			}
			a.Entries = append(a.Entries, e)
		}
	}
	return a, err
}

// noSums tells whether no member with content has a checksum: torch.save leaves them all 0 when it is told to.
func (a *Archive) noSums() bool {
	for _, e := range a.Entries {
		if e.CRC != 0 {
			return false
		}
	}
	return true
}

// Torch tells whether torch.load takes the file for a zip.
func (a *Archive) Torch() bool { return a.Head == [4]byte{'P', 'K', 3, 4} }

// Member is an opened entry.
type Member struct {
	modelscan.Source
	Sum uint32 // CRC-32 of the content, valid for compressed members
	h   local
}

// open finds the member's bytes by its local header, as every loader does, and by the central directory's
// sizes and method. The error says why there are none, or not all.
func (a *Archive) open(e *Entry) (Member, error) {
	m := Member{Source: a.Source.Member(e.Name, nil, 0)}
	h, err := a.window.local(e.Header)
	if err != nil {
		return m, err
	}
	m.h = h
	packed := min(e.Compressed, a.Source.Size-h.data)
	if packed < e.Compressed {
		err = fmt.Errorf("member of %d bytes is cut off after %d", e.Compressed, packed)
	}
	section := io.NewSectionReader(a.Source.R, h.data, packed)
	codec, ok := a.codec(e)
	if !ok {
		return m, fmt.Errorf("compression method %d: %w", e.Method, modelscan.ErrNotSupported)
	}
	if codec == nil {
		// A loader that goes by the other size reads further than this one says.
		m.Size = min(max(e.Compressed, e.Size), a.Source.Size-h.data)
		m.R = io.NewSectionReader(a.Source.R, h.data, m.Size)
		return m, err
	}
	sum := crc32.NewIEEE()
	s, serr := compress.Open(func() (io.Reader, error) {
		if _, err := section.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		return codec(compress.Input{Reader: section, Packed: packed, Budget: a.unpacked})
	}, a.unpacked, sum)
	if s == nil {
		return m, serr
	}
	m.R, m.Size, m.Sum = s, s.Size(), sum.Sum32()
	return m, errors.Join(err, serr)
}

// codec returns how to decompress a member, nil for a stored one.
func (a *Archive) codec(e *Entry) (compress.Codec, bool) {
	switch e.Method {
	case 0:
		return nil, true
	case 8:
		return a.inflater.Deflate, true
	case 12:
		return compress.Bzip2, true
	case 14:
		return compress.ZipLZMA(e.Size), true
	case 93:
		return compress.Zstd, true
	case 95:
		return compress.XZ, true
	}
	return nil, false
}

// checksum of the member's content; a stored one is read for it.
func (m *Member) checksum(e *Entry) (uint32, error) {
	if e.Method != 0 {
		return m.Sum, nil
	}
	sum := crc32.NewIEEE()
	_, err := io.CopyBuffer(sum, io.NewSectionReader(m.R, 0, min(m.Size, e.Size)), make([]byte, min(max(m.Size, 1), 64<<10)))
	return sum.Sum32(), err
}

// Find returns the entries of the given name.
func (a *Archive) Find(match func(name string) bool) []*Entry {
	var found []*Entry
	for _, e := range a.Entries {
		if match(e.Name) {
			found = append(found, e)
		}
	}
	return found
}

// Read returns a member's content, of at most limit bytes.
func (a *Archive) Read(e *Entry, limit int64) ([]byte, error) {
	m, err := a.open(e)
	if err != nil {
		return nil, err
	}
	return m.Bytes(0, m.Size, limit)
}
