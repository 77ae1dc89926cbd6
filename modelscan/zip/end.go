package zip

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Record signatures and fixed lengths of APPNOTE.TXT 4.3.
const (
	sigLocal   = 0x04034b50
	sigCentral = 0x02014b50
	sigEnd     = 0x06054b50
	sigEnd64   = 0x06064b50
	sigLoc64   = 0x07064b50

	localLen   = 30
	centralLen = 46
	endLen     = 22
	end64Len   = 56
	loc64Len   = 20
)

// Loaders is a set of zip readers that model loaders use.
type Loaders uint8

// The readers that are told apart. A name is the code in which it is used.
const (
	Miniz   Loaders = 1 << iota // torch.load, torch.jit.load: caffe2/serialize over miniz
	Zipfile                     // CPython's zipfile: numpy, keras, skops, transformers' is_zipfile
	Strict                      // readers that want the comment to end at the end of the file: archive/zip, Info-ZIP
)

func (l Loaders) String() string {
	var names []string
	for i, name := range [...]string{"torch", "zipfile", "strict readers"} {
		if l&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// end is one reading of an end-of-central-directory record.
type end struct {
	at      int64 // of the record itself
	limit   int64 // where the central directory must end: the zip64 or the plain end record
	count   uint64
	here    uint64 // entries on this disk, as claimed
	size    int64  // of the central directory, as claimed
	offset  int64  // of the central directory, as claimed
	disk    uint16
	comment int64  // length claimed
	refused string // what in the zip64 records makes a loader refuse the archive
	by      Loaders
}

// ends finds the end records that the loaders would use, best placed first.
func ends(src modelscan.Source) ([]end, error) {
	n := min(src.Size, modelscan.ProbeSize)
	base := src.Size - n
	tail, err := src.Bytes(base, n, n)
	if err != nil {
		return nil, err
	}
	var found []end
	last := true
	for i := len(tail) - endLen; i >= 0; i-- {
		if binary.LittleEndian.Uint32(tail[i:]) != sigEnd {
			continue
		}
		var by Loaders
		if last { // both search backwards and take the first signature they meet
			by = Miniz | Zipfile
			last = false
		}
		commentEnd := i + endLen + int(binary.LittleEndian.Uint16(tail[i+20:]))
		if commentEnd == len(tail) {
			by |= Strict
		}
		if by == 0 {
			continue
		}
		readings := endAt(src, tail[i:], base+int64(i), by)
		found = append(found, slices.DeleteFunc(readings, func(e end) bool { return e.by == 0 })...)
		if len(found) > maxEnds {
			break
		}
	}
	return found, nil
}

// maxEnds bounds the directories of one archive that are read.
const maxEnds = 6

// endAt decodes the record at the start of b, and the zip64 records before it as each loader does:
// miniz follows the locator, zipfile looks directly before it.
func endAt(src modelscan.Source, b []byte, at int64, by Loaders) []end {
	le := binary.LittleEndian
	plain := end{
		at: at, limit: at, by: by,
		disk: le.Uint16(b[4:]) | le.Uint16(b[6:]), here: uint64(le.Uint16(b[8:])), count: uint64(le.Uint16(b[10:])),
		size: int64(le.Uint32(b[12:])), offset: int64(le.Uint32(b[16:])), comment: int64(le.Uint16(b[20:])),
	}
	loc, err := src.Bytes(at-loc64Len, loc64Len, loc64Len)
	if err != nil || le.Uint32(loc) != sigLoc64 {
		return []end{plain}
	}
	plain.refused = locatorRefused(loc, at)
	followed, ok1 := end64At(src, int64(le.Uint64(loc[8:])), plain)
	adjacent, ok2 := end64At(src, at-loc64Len-end64Len, plain)
	switch {
	case ok1 && ok2 && followed == adjacent:
		return []end{followed}
	case ok1 && ok2:
		followed.by &^= Zipfile
		adjacent.by &= Zipfile
		return []end{followed, adjacent}
	case ok1: // zipfile falls back to the plain record
		followed.by &^= Zipfile
		plain.by &= Zipfile
		return []end{followed, plain}
	case ok2:
		adjacent.by &= Zipfile
		plain.by &^= Zipfile
		return []end{adjacent, plain}
	}
	return []end{plain}
}

// locatorRefused judges the locator in front of the end record at an offset. miniz wants one disk and room for the record
// behind the offset that the locator gives; zipfile wants the first disk, its newest versions no offset beyond the record too.
func locatorRefused(loc []byte, at int64) string {
	le := binary.LittleEndian
	switch disk, place, disks := le.Uint32(loc[4:]), le.Uint64(loc[8:]), le.Uint32(loc[16:]); {
	case disks != 1:
		return fmt.Sprintf("the zip64 locator counts %d disks: torch refuses, zipfile takes 0 and 1", disks)
	case disk != 0:
		return fmt.Sprintf("the zip64 locator names disk %d: zipfile refuses, torch reads", disk)
	case place > uint64(max(at-loc64Len-end64Len, 0)):
		return fmt.Sprintf("the zip64 locator leads to %#x, behind the end record: zipfile refuses, torch reads it by the plain record or refuses", place)
	}
	return ""
}

func end64At(src modelscan.Source, at int64, e end) (end, bool) {
	b, err := src.Bytes(at, end64Len, end64Len)
	if err != nil || binary.LittleEndian.Uint32(b) != sigEnd64 {
		return e, false
	}
	le := binary.LittleEndian
	if size := le.Uint64(b[4:]); size < end64Len-12 || size > uint64(e.at-at) {
		e.refused = fmt.Sprintf("a zip64 end record of %d bytes: torch and zipfile refuse", size)
	}
	e.limit = at
	e.disk = uint16(min(le.Uint32(b[16:])|le.Uint32(b[20:]), 0xffff))
	e.here, e.count = le.Uint64(b[24:]), le.Uint64(b[32:])
	e.size, e.offset = int64(le.Uint64(b[40:])), int64(le.Uint64(b[48:]))
	return e, true
}
