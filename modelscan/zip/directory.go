package zip

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Directory is one central directory as one set of loaders finds it.
type Directory struct {
	Start   int64  // of the first record
	End     int64  // after the last record
	Base    int64  // added to every claimed header offset
	Claimed uint64 // entries, by the end record
	By      Loaders
	Entries []Entry
	end     end
	cut     bool // the last record reaches beyond the directory
}

// Entry is a member as a central directory describes it. Nothing in it has been verified.
type Entry struct {
	Name       string // raw bytes
	Extra      string // raw bytes
	At         int64  // of the central record; -1 for a member that no directory lists
	Header     int64  // of the local header
	Compressed int64  // bytes
	Size       int64  // bytes
	CRC        uint32
	External   uint32 // attributes; the upper half is st_mode where Creator says Unix
	Flags      uint16
	Method     uint16
	Disk       uint16 // on which the member begins
	Creator    uint8  // host system
}

// Flag bits of APPNOTE.TXT 4.4.4.
const (
	FlagEncrypted  = 1 << 0
	FlagDescriptor = 1 << 3
	FlagPatch      = 1 << 5
	FlagStrong     = 1 << 6
	FlagMasked     = 1 << 13
)

// Dir tells whether the name says that it is a folder.
func (e *Entry) Dir() bool { return len(e.Name) > 0 && e.Name[len(e.Name)-1] == '/' }

// Mode is the Unix st_mode, 0 where there is none.
func (e *Entry) Mode() uint32 {
	if e.Creator != 3 && e.Creator != 19 {
		return 0
	}
	return e.External >> 16
}

// directories reads the central directory of every end record: at its claimed offset (miniz), and, where
// that is elsewhere, as many bytes back from the end record as it claims to be long (zipfile).
func directories(ctx context.Context, src modelscan.Source, lim *modelscan.Limits) ([]*Directory, error) {
	found, err := ends(src)
	if err != nil {
		return nil, err
	}
	var dirs []*Directory
	left := lim.MaxEntries
	for _, e := range found {
		for _, d := range e.candidates(src) {
			if slices.ContainsFunc(dirs, func(o *Directory) bool { return o.absorb(d) }) {
				continue
			}
			err := d.read(ctx, src, lim, left)
			left -= len(d.Entries)
			dirs = append(dirs, d)
			if err != nil {
				return dirs, err
			}
		}
	}
	return dirs, nil
}

// candidates are the places where loaders would look for e's directory, of those at which there is one.
func (e end) candidates(src modelscan.Source) []*Directory {
	shift := e.limit - e.size - e.offset
	exact := e.recordAt(src, e.offset)
	switch {
	case shift == 0 && exact:
		return []*Directory{{Start: e.offset, Claimed: e.count, By: e.by, end: e}}
	case shift == 0:
		return nil
	}
	var dirs []*Directory
	by := e.by
	if exact {
		dirs = append(dirs, &Directory{Start: e.offset, Claimed: e.count, By: by &^ Zipfile, end: e})
		by &= Zipfile
	}
	if by &^= Miniz; by != 0 && e.recordAt(src, e.offset+shift) {
		dirs = append(dirs, &Directory{Start: e.offset + shift, Base: shift, Claimed: e.count, By: by, end: e})
	}
	return slices.DeleteFunc(dirs, func(d *Directory) bool { return d.By == 0 })
}

// recordAt tells whether a central record, or the end of an empty directory, is at off.
func (e end) recordAt(src modelscan.Source, off int64) bool {
	if off == e.limit && e.count == 0 {
		return true
	}
	b, err := src.Bytes(off, 4, 4)
	return err == nil && binary.LittleEndian.Uint32(b) == sigCentral
}

// absorb adds another finder of the same directory.
func (d *Directory) absorb(o *Directory) bool {
	if d.Start != o.Start || d.Base != o.Base || d.Claimed != o.Claimed {
		return false
	}
	d.By |= o.By
	return true
}

// read decodes records for as long as there are any, whatever the count says: zipfile does.
func (d *Directory) read(ctx context.Context, src modelscan.Source, lim *modelscan.Limits, most int) error {
	stop := d.end.limit
	if stop <= d.Start { // a directory behind its end record
		stop = src.Size
	}
	if stop-d.Start > lim.MaxBuffer {
		return fmt.Errorf("central directory of %d bytes: %w", stop-d.Start, modelscan.ErrLimit)
	}
	buf, err := src.Bytes(d.Start, stop-d.Start, lim.MaxBuffer)
	if err != nil {
		return fmt.Errorf("central directory: %w", err)
	}
	text := string(buf) // names are parts of it: one allocation for all of them
	d.Entries = make([]Entry, 0, min(int(min(d.Claimed, uint64(most))), len(buf)/centralLen))
	for at := 0; ; {
		if len(d.Entries)&0xfff == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		e, n, cut := parseCentral(buf[at:], text[at:])
		if n == 0 {
			d.End = d.Start + int64(at)
			return nil
		}
		if len(d.Entries) >= most {
			return fmt.Errorf("more than %d entries: %w", most, modelscan.ErrLimit)
		}
		e.At, e.Header = d.Start+int64(at), e.Header+d.Base
		d.Entries = append(d.Entries, e)
		d.cut = d.cut || cut
		at += n
	}
}

// parseCentral decodes one central record and returns its length, 0 where there is none. text holds the same
// bytes as b. A record that is cut off counts, as it does for zipfile.
func parseCentral(b []byte, text string) (e Entry, length int, cut bool) {
	le := binary.LittleEndian
	if len(b) < centralLen || le.Uint32(b) != sigCentral {
		return Entry{}, 0, false
	}
	name, extra, comment := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	nameEnd := min(centralLen+name, len(b))
	extraEnd := min(nameEnd+extra, len(b))
	e = Entry{
		Name: text[centralLen:nameEnd], Extra: text[nameEnd:extraEnd],
		Creator: b[5], Flags: le.Uint16(b[8:]), Method: le.Uint16(b[10:]), CRC: le.Uint32(b[16:]),
		Compressed: int64(le.Uint32(b[20:])), Size: int64(le.Uint32(b[24:])),
		Disk: le.Uint16(b[34:]), External: le.Uint32(b[38:]), Header: int64(le.Uint32(b[42:])),
	}
	e.widen()
	whole := centralLen + name + extra + comment
	return e, min(whole, len(b)), whole > len(b)
}

// widen replaces the fields that say 0xffffffff by those of the zip64 extra field (APPNOTE 4.5.3).
func (e *Entry) widen() {
	x := extraField(e.Extra, 1)
	for _, f := range []*int64{&e.Size, &e.Compressed, &e.Header} {
		if *f != 0xffffffff {
			continue
		}
		if len(x) < 8 {
			return
		}
		v := binary.LittleEndian.Uint64([]byte(x[:8]))
		if v > 1<<62 {
			v = 1 << 62 // outside every file: refused where it is used
		}
		*f, x = int64(v), x[8:]
	}
}

// extraField returns the content of the first extra field with the given id.
func extraField(extra string, id uint16) string {
	for len(extra) >= 4 {
		n := int(extra[2]) | int(extra[3])<<8
		if n > len(extra)-4 {
			return ""
		}
		if uint16(extra[0])|uint16(extra[1])<<8 == id {
			return extra[4 : 4+n]
		}
		extra = extra[4+n:]
	}
	return ""
}
