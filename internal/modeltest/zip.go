package modeltest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// zipEntry is a member with everything that a writer could get wrong.
type zipEntry struct {
	name, localName                  string
	data                             []byte // before compression
	packed                           []byte
	method, localMethod              uint64
	flags, localFlags                uint64
	crc, localCRC                    uint64
	size, csize, localSize, localC   uint64
	external, creator, header        uint64
	disk, comment                    uint64 // comment: a length that is claimed
	extra, localExtra                []byte
	descriptor, hidden, zip64, moved bool
}

// makeZip knows these lines, all optional:
//
//	zip                 as the first line
//	torch               the members as torch.save writes them: stored, aligned to 64, flags 0x800
//	set NAME[#N] k=v…   changes the N-th member of that name: name local-name method local-method flags local-flags crc local-crc
//	                    size csize local-size local-csize external creator header extra local-extra disk comment-length
//	                    descriptor=1 hidden=1 zip64=1
//	prefix HEX          bytes in front; offset=keep leaves the offsets uncorrected
//	gap NAME HEX        bytes in front of that member
//	end k=v…            of the end record: count here size offset disk comment=TEXT comment-length zip64=1
//	                    and with zip64: record-size locator-disk locator-at locator-disks
//	trailing HEX        bytes behind
//
// NAME, TEXT and HEX may be quoted; HEX is the notation of func Bytes, quoted where it has blanks.
func makeZip(children []*node, how []line) ([]byte, error) {
	z := &zipWriter{end: map[string]string{}, gaps: map[string][]byte{}}
	for _, c := range children {
		z.entries = append(z.entries, &zipEntry{name: c.name, localName: c.name, data: c.data, creator: 3, external: 0o100644 << 16})
	}
	for _, l := range how {
		if err := z.apply(l); err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(l.words, " "), err)
		}
	}
	return z.bytes()
}

type zipWriter struct {
	entries          []*zipEntry
	sets             []line
	end              map[string]string
	gaps             map[string][]byte
	prefix, trailing []byte
	keepOffsets      bool
	align            int
}

func (z *zipWriter) apply(l line) (err error) {
	arg := func(i int) []byte {
		if i >= len(l.words) {
			return nil
		}
		var b []byte
		if b, err = Bytes(l.words[i]); err != nil {
			err = fmt.Errorf("%q: %w", l.words[i], err)
		}
		return b
	}
	switch l.words[0] {
	case "zip":
	case "torch":
		z.align = 64
		for _, e := range z.entries {
			e.flags, e.localFlags, e.creator, e.external = 0x800, 0x800, 0, 0
		}
	case "set":
		z.sets = append(z.sets, l)
	case "prefix":
		z.prefix, z.keepOffsets = arg(1), l.opts["offset"] == "keep"
	case "gap":
		z.gaps[l.words[1]] = arg(2)
	case "trailing":
		z.trailing = arg(1)
	case "end":
		z.end = l.opts
	default:
		err = fmt.Errorf("unknown word")
	}
	return err
}

// find returns the member "name" or "name#2".
func (z *zipWriter) find(name string) (*zipEntry, error) {
	nth := 1
	if base, n, ok := strings.Cut(name, "#"); ok {
		name = base
		nth, _ = strconv.Atoi(n)
	}
	for _, e := range z.entries {
		if e.name == name {
			if nth--; nth == 0 {
				return e, nil
			}
		}
	}
	return nil, fmt.Errorf("no member %q", name)
}

func (z *zipWriter) bytes() ([]byte, error) {
	names := map[*zipEntry]string{}
	byLine := map[*zipEntry][]line{}
	for _, l := range z.sets {
		e, err := z.find(l.words[1])
		if err != nil {
			return nil, err
		}
		byLine[e] = append(byLine[e], l)
	}
	for _, e := range z.entries {
		names[e] = e.name
		if err := e.fill(byLine[e]); err != nil {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
	}
	out := bytes.Clone(z.prefix)
	shift := 0
	if z.keepOffsets {
		shift = len(out)
	}
	for _, e := range z.entries {
		out = append(out, z.gaps[names[e]]...)
		if z.align > 0 {
			used := len(out) + 30 + len(e.localName) + 4
			pad := (z.align - used%z.align) % z.align
			e.localExtra = binary.LittleEndian.AppendUint16([]byte("FB"), uint16(pad))
			e.localExtra = append(e.localExtra, strings.Repeat("Z", pad)...)
		}
		if !e.moved {
			e.header = uint64(len(out) - shift)
		}
		out = e.local(out)
	}
	start := len(out)
	count := 0
	for _, e := range z.entries {
		if !e.hidden {
			out = e.central(out)
			count++
		}
	}
	return z.finish(out, start, start-shift, count)
}

// finish appends the end records.
func (z *zipWriter) finish(out []byte, start, offset, count int) ([]byte, error) {
	get := func(key string, v int) uint64 {
		if s, ok := z.end[key]; ok {
			n, err := strconv.ParseUint(s, 0, 64)
			if err != nil {
				return 0
			}
			return n
		}
		return uint64(v)
	}
	le := binary.LittleEndian
	n, size, off := get("count", count), get("size", len(out)-start), get("offset", offset)
	if z.end["zip64"] != "" {
		at := len(out)
		out = append(out, "PK\x06\x06"...)
		out = le.AppendUint64(out, get("record-size", 44))
		out = append(out, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		out = le.AppendUint64(le.AppendUint64(out, n), n)
		out = le.AppendUint64(le.AppendUint64(out, size), off)
		out = append(out, "PK\x06\x07"...)
		out = le.AppendUint32(out, uint32(get("locator-disk", 0)))
		out = le.AppendUint64(out, get("locator-at", at))
		out = le.AppendUint32(out, uint32(get("locator-disks", 1)))
		n, size, off = 0xffff, 0xffffffff, 0xffffffff
	}
	comment := z.end["comment"]
	out = append(out, "PK\x05\x06"...)
	out = le.AppendUint16(out, uint16(get("disk", 0)))
	out = le.AppendUint16(out, uint16(get("disk", 0)))
	out = le.AppendUint16(le.AppendUint16(out, uint16(get("here", int(n)))), uint16(n))
	out = le.AppendUint32(le.AppendUint32(out, uint32(size)), uint32(off))
	out = le.AppendUint16(out, uint16(get("comment-length", len(comment))))
	return append(append(out, comment...), z.trailing...), nil
}

// fill compresses the member, sets every field to what it should be, then applies the changes.
func (e *zipEntry) fill(sets []line) error {
	for _, l := range sets {
		if m, ok := l.opts["method"]; ok {
			e.method = methods[m]
			if _, known := methods[m]; !known {
				e.method, _ = strconv.ParseUint(m, 0, 16)
			}
		}
	}
	var err error
	if e.packed, err = e.pack(); err != nil {
		return err
	}
	sum := uint64(crc32.ChecksumIEEE(e.data))
	e.localMethod, e.crc, e.localCRC = e.method, sum, sum
	e.size, e.localSize = uint64(len(e.data)), uint64(len(e.data))
	e.csize, e.localC = uint64(len(e.packed)), uint64(len(e.packed))
	for _, l := range sets {
		for _, key := range slices.Sorted(maps.Keys(l.opts)) {
			if err := e.set(key, l.opts[key]); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	return nil
}

var methods = map[string]uint64{"stored": 0, "deflate": 8, "lzma": 14, "zstd": 93, "xz": 95}

func (e *zipEntry) set(key, value string) (err error) {
	numbers := map[string]*uint64{
		"local-method": &e.localMethod, "flags": &e.flags, "local-flags": &e.localFlags, "crc": &e.crc, "local-crc": &e.localCRC,
		"size": &e.size, "csize": &e.csize, "local-size": &e.localSize, "local-csize": &e.localC,
		"external": &e.external, "creator": &e.creator, "disk": &e.disk, "comment-length": &e.comment,
	}
	switch key {
	case "method":
	case "name":
		e.name = value
	case "local-name":
		e.localName = value
	case "extra":
		e.extra, err = Bytes(value)
	case "local-extra":
		e.localExtra, err = Bytes(value)
	case "descriptor":
		e.descriptor = true
		e.flags, e.localFlags = e.flags|8, e.localFlags|8
		e.localCRC, e.localC, e.localSize = 0, 0, 0
	case "hidden":
		e.hidden = true
	case "zip64":
		e.zip64 = true
	case "header":
		e.moved = true
		e.header, err = strconv.ParseUint(value, 0, 32)
	default:
		p, ok := numbers[key]
		if !ok {
			return fmt.Errorf("unknown key")
		}
		*p, err = strconv.ParseUint(value, 0, 64)
	}
	return err
}

func (e *zipEntry) pack() ([]byte, error) {
	var b bytes.Buffer
	switch e.method {
	case 8:
		w, err := flate.NewWriter(&b, 6)
		return finish(&b, w, e.data, err)
	case 14:
		w, err := lzma.WriterConfig{EOSMarker: true}.NewWriter(&b)
		p, err := finish(&b, w, e.data, err)
		if err != nil {
			return nil, err
		}
		return append([]byte{9, 20, 5, 0}, append(p[:5:5], p[13:]...)...), nil
	case 93:
		w, err := zstd.NewWriter(&b)
		return finish(&b, w, e.data, err)
	case 95:
		w, err := xz.NewWriter(&b)
		return finish(&b, w, e.data, err)
	}
	return e.data, nil
}

func (e *zipEntry) local(out []byte) []byte {
	le := binary.LittleEndian
	out = append(out, "PK\x03\x04\x14\x00"...)
	out = le.AppendUint16(le.AppendUint16(out, uint16(e.localFlags)), uint16(e.localMethod))
	out = append(out, 0, 0, 0x21, 0)
	extra := e.localExtra
	size, csize := e.localSize, e.localC
	if e.zip64 {
		extra = append(le.AppendUint64(le.AppendUint64([]byte{1, 0, 16, 0}, size), csize), extra...)
		size, csize = 0xffffffff, 0xffffffff
	}
	out = le.AppendUint32(le.AppendUint32(le.AppendUint32(out, uint32(e.localCRC)), uint32(csize)), uint32(size))
	out = le.AppendUint16(le.AppendUint16(out, uint16(len(e.localName))), uint16(len(extra)))
	out = append(append(append(out, e.localName...), extra...), e.packed...)
	if e.descriptor {
		out = le.AppendUint32(append(out, "PK\x07\x08"...), uint32(e.crc))
		out = le.AppendUint32(le.AppendUint32(out, uint32(e.csize)), uint32(e.size))
	}
	return out
}

func (e *zipEntry) central(out []byte) []byte {
	le := binary.LittleEndian
	out = append(out, "PK\x01\x02\x14"...)
	out = append(out, byte(e.creator), 20, 0)
	out = le.AppendUint16(le.AppendUint16(out, uint16(e.flags)), uint16(e.method))
	out = append(out, 0, 0, 0x21, 0)
	extra := e.extra
	size, csize, header := e.size, e.csize, e.header
	if e.zip64 {
		extra = le.AppendUint64(le.AppendUint64(le.AppendUint64([]byte{1, 0, 24, 0}, size), csize), header)
		extra = append(extra, e.extra...)
		size, csize, header = 0xffffffff, 0xffffffff, 0xffffffff
	}
	out = le.AppendUint32(le.AppendUint32(le.AppendUint32(out, uint32(e.crc)), uint32(csize)), uint32(size))
	out = le.AppendUint16(le.AppendUint16(out, uint16(len(e.name))), uint16(len(extra)))
	out = le.AppendUint16(le.AppendUint16(out, uint16(e.comment)), uint16(e.disk))
	out = append(out, 0, 0)
	out = le.AppendUint32(le.AppendUint32(out, uint32(e.external)), uint32(header))
	return append(append(out, e.name...), extra...)
}
