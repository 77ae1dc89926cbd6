package sevenzip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf16"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Property ids of 7zFormat.txt (LZMA SDK).
const (
	idEnd, idHeader, idArchiveProperties, idAdditionalStreams, idMainStreams, idFiles = 0, 1, 2, 3, 4, 5
	idPack, idUnpack, idSubStreams, idSize, idCRC, idFolder, idUnpackSizes, idStreams = 6, 7, 8, 9, 10, 11, 12, 13
	idEmptyStream, idNames, idAttributes, idEncodedHeader                             = 14, 17, 21, 23
)

var errFormat = errors.New("malformed 7z header")

// cursor reads a header. After a mistake every method answers zero, and err says what it was.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s", errFormat, fmt.Sprintf(format, args...))
	}
	c.b = nil
}

func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.fail("%d bytes wanted, %d there", n, len(c.b))
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

// number: the leading ones of the first byte count the bytes that follow, its other bits are the highest.
func (c *cursor) number() uint64 {
	first := c.byte()
	n := bits.LeadingZeros8(^first)
	var v uint64
	for i, b := range c.take(uint64(n)) {
		v |= uint64(b) << (8 * i)
	}
	if n < 7 {
		v |= uint64(first&(0x7f>>n)) << (8 * n)
	}
	return v
}

// count is a number of things of which each takes at least a bit of the header.
func (c *cursor) count() int {
	n := c.number()
	if n > uint64(len(c.b))*8+8 {
		c.fail("%d things in %d bytes", n, len(c.b))
		return 0
	}
	return int(n)
}

// size is a number of bytes.
func (c *cursor) size() int64 {
	n := c.number()
	if n > 1<<60 {
		c.fail("size %#x", n)
		return 0
	}
	return int64(n)
}

// bits reads n bits, highest first.
func (c *cursor) bits(n int) []bool {
	b := c.take(uint64(n+7) / 8)
	if b == nil {
		return make([]bool, n*btoi(c.err == nil))
	}
	out := make([]bool, n)
	for i := range out {
		out[i] = b[i/8]&(0x80>>(i%8)) != 0
	}
	return out
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// digests passes over n checksums and tells which there are; readers use the bytes before they check them.
func (c *cursor) digests(n int) []bool {
	known := make([]bool, n)
	if c.byte() == 0 {
		known = c.bits(n)
	} else {
		for i := range known {
			known[i] = true
		}
	}
	for _, k := range known {
		c.take(4 * uint64(btoi(k)))
	}
	return known
}

// coder is one step of decompression.
type coder struct {
	id    string
	props []byte
	size  int64 // of its output
}

// folder is a run of packed bytes and the coders that unpack it.
type folder struct {
	coders      []coder // as the file lists them
	chain       []int   // their indices, in the order of their use
	offset      int64   // of the packed bytes in the file
	packed      int64
	packedUsed  int     // packed streams
	sizes       []int64 // of the members in it
	checked     bool    // has a checksum
	unsupported string  // why it cannot be unpacked here
}

// streams reads a StreamsInfo.
func (c *cursor) streams(lim *modelscan.Limits) []folder {
	var folders []folder
	var packPos int64
	var packed []int64
	for {
		switch id := c.number(); id {
		case idEnd:
			c.place(folders, packPos, packed)
			return folders
		case idPack:
			packPos, packed = c.pack()
		case idUnpack:
			folders = c.folders(lim)
		case idSubStreams:
			c.subStreams(folders, lim)
		default:
			c.fail("property %d in streams", id)
		}
		if c.err != nil {
			return nil
		}
	}
}

func (c *cursor) pack() (pos int64, sizes []int64) {
	pos = c.size()
	n := c.count()
	for c.err == nil {
		switch id := c.number(); id {
		case idEnd:
			return pos, sizes
		case idSize:
			for range n {
				sizes = append(sizes, c.size())
			}
		case idCRC:
			c.digests(n)
		default:
			c.fail("property %d in pack info", id)
		}
	}
	return 0, nil
}

func (c *cursor) folders(lim *modelscan.Limits) []folder {
	if id := c.number(); id != idFolder {
		c.fail("property %d where folders belong", id)
	}
	n := c.count()
	if external := c.byte(); external != 0 || n > lim.MaxEntries {
		c.fail("%d folders, external %d", n, external)
		return nil
	}
	folders := make([]folder, 0, n)
	for range n {
		folders = append(folders, c.folder())
	}
	for c.err == nil {
		switch id := c.number(); id {
		case idEnd:
			return folders
		case idUnpackSizes:
			for i := range folders {
				for j := range folders[i].coders {
					folders[i].coders[j].size = c.size()
				}
			}
		case idCRC:
			for i, checked := range c.digests(n) {
				folders[i].checked = checked
			}
		default:
			c.fail("property %d in folders", id)
		}
	}
	return nil
}

// folder reads coders and how they are joined. Only chains of coders with one input and one output are understood.
func (c *cursor) folder() folder {
	var f folder
	n := c.number()
	if n == 0 || n > 32 {
		c.fail("%d coders", n)
		return f
	}
	f.packedUsed = 1
	ins, outs := uint64(0), uint64(0)
	for range n {
		k, in, out := c.coder()
		ins, outs = ins+in, outs+out
		f.coders = append(f.coders, k)
	}
	if outs == 0 {
		c.fail("no output")
		return f
	}
	after := map[uint64]uint64{} // output to input
	bound := map[uint64]bool{}   // inputs
	for range outs - 1 {
		in, out := c.number(), c.number()
		after[out], bound[in] = in, true
	}
	if uint64(len(bound)) > ins {
		c.fail("%d inputs, %d of them bound", ins, len(bound))
		return f
	}
	if f.packedUsed = int(ins - uint64(len(bound))); f.packedUsed > 1 {
		for range f.packedUsed {
			c.number()
		}
	}
	if ins != n || outs != n || f.packedUsed != 1 {
		f.unsupported = "coders with several inputs or outputs"
		return f
	}
	f.order(after, bound)
	return f
}

// coder reads one step and the number of its inputs and outputs.
func (c *cursor) coder() (k coder, in, out uint64) {
	flags := c.byte()
	k.id = string(c.take(uint64(flags & 15)))
	in, out = 1, 1
	if flags&0x10 != 0 {
		in, out = c.number(), c.number()
	}
	if flags&0x20 != 0 {
		k.props = c.take(c.number())
	}
	if flags&0x80 != 0 || in > 32 || out > 32 {
		c.fail("coder of %d inputs and %d outputs", in, out)
		return k, 0, 0
	}
	return k, in, out
}

// order puts the coders into the order of their use: first the one whose input is packed.
func (f *folder) order(after map[uint64]uint64, bound map[uint64]bool) {
	at := uint64(0)
	for bound[at] {
		at++
	}
	for range f.coders {
		if at >= uint64(len(f.coders)) {
			f.unsupported = "coders that are not joined"
			return
		}
		f.chain = append(f.chain, int(at))
		next, ok := after[at]
		if !ok {
			break
		}
		at = next
	}
	if len(f.chain) != len(f.coders) {
		f.unsupported = "coders that are not joined"
	}
}

// unpackedSize is that of the last coder's output.
func (f *folder) unpackedSize() int64 {
	if len(f.chain) == 0 {
		return 0
	}
	return f.coders[f.chain[len(f.chain)-1]].size
}

func (c *cursor) subStreams(folders []folder, lim *modelscan.Limits) {
	counts := make([]int, len(folders))
	for i := range counts {
		counts[i] = 1
	}
	id := c.number()
	if id == idStreams {
		for i := range counts {
			counts[i] = int(min(c.number(), uint64(lim.MaxEntries)+1))
		}
		id = c.number()
	}
	total := 0
	for i := range folders {
		if total += counts[i]; total > lim.MaxEntries {
			c.err = fmt.Errorf("more than %d members: %w", lim.MaxEntries, modelscan.ErrLimit)
			return
		}
		left := folders[i].unpackedSize()
		folders[i].sizes = []int64{}
		for j := range counts[i] {
			size := left
			if j < counts[i]-1 {
				if id != idSize {
					c.fail("no sizes of members")
					return
				}
				size = min(c.size(), left)
			}
			left -= size
			folders[i].sizes = append(folders[i].sizes, size)
		}
	}
	if id == idSize {
		id = c.number()
	}
	if id == idCRC { // of the streams that are not a whole folder with a checksum of its own
		n := 0
		for i, f := range folders {
			if counts[i] != 1 || !f.checked {
				n += counts[i]
			}
		}
		c.digests(n)
		id = c.number()
	}
	if id != idEnd {
		c.fail("property %d in sub-streams", id)
	}
}

// place gives every folder its packed bytes, and its one file where sub-streams said nothing.
func (c *cursor) place(folders []folder, pos int64, packed []int64) {
	next := 0
	for i := range folders {
		f := &folders[i]
		if f.sizes == nil {
			f.sizes = []int64{f.unpackedSize()}
		}
		if f.packedUsed > len(packed)-next {
			c.fail("folder %d without packed bytes", i)
			return
		}
		f.offset, f.packed = signatureLen+pos, packed[next]
		for range f.packedUsed {
			if pos += packed[next]; pos < 0 {
				c.fail("packed bytes beyond every file")
				return
			}
			next++
		}
	}
}

// file is a member.
type file struct {
	name       string
	empty      bool // has no stream: a folder or an empty file
	attributes uint32
}

// files reads a FilesInfo.
func (c *cursor) files(lim *modelscan.Limits) []file {
	n := c.count()
	if n > lim.MaxEntries {
		c.err = fmt.Errorf("more than %d members: %w", lim.MaxEntries, modelscan.ErrLimit)
		return nil
	}
	files := make([]file, n)
	for c.err == nil {
		id := c.number()
		if id == idEnd {
			return files
		}
		p := cursor{b: c.take(c.number())}
		switch id {
		case idEmptyStream:
			for i, empty := range p.bits(n) {
				files[i].empty = empty
			}
		case idNames:
			p.names(files)
		case idAttributes:
			known := make([]bool, n)
			if p.byte() == 0 {
				known = p.bits(n)
			} else {
				for i := range known {
					known[i] = true
				}
			}
			p.byte() // external
			for i := range files {
				if b := p.take(4 * uint64(btoi(known[i]))); len(b) == 4 {
					files[i].attributes = binary.LittleEndian.Uint32(b)
				}
			}
		}
		if p.err != nil {
			c.err = p.err
		}
	}
	return nil
}

// names reads UTF-16 texts, each ended by a zero.
func (c *cursor) names(files []file) {
	if external := c.byte(); external != 0 {
		c.fail("names elsewhere")
		return
	}
	for i := range files {
		var units []uint16
		for {
			b := c.take(2)
			if b == nil {
				return
			}
			u := binary.LittleEndian.Uint16(b)
			if u == 0 {
				break
			}
			units = append(units, u)
		}
		files[i].name = string(utf16.Decode(units))
	}
}
