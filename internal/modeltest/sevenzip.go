package modeltest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"unicode/utf16"

	"github.com/ulikunitz/xz/lzma"
)

// make7z knows these lines, all optional:
//
//	7z [lzma]            as the first line; members are stored where no method is named
//	set NAME name=…      renames a member
//	patch, cut           as for tar
//
// Each member is a folder (a run of compressed bytes) of its own. The format is that of 7zFormat.txt in the LZMA SDK.
func make7z(children []*node, how []line) ([]byte, error) {
	packLZMA := len(how[0].words) > 1 && how[0].words[1] == "lzma"
	var packed, sizes, folders, unpacked, digests, names []byte
	for _, c := range children {
		p, coder := c.data, []byte{1, 0x01, 0x00}
		if packLZMA {
			var b bytes.Buffer
			w, err := lzma.WriterConfig{SizeInHeader: true, Size: int64(len(c.data))}.NewWriter(&b)
			if p, err = finish(&b, w, c.data, err); err != nil {
				return nil, err
			}
			coder = append([]byte{1, 0x23, 0x03, 0x01, 0x01, 5}, p[:5]...)
			p = p[13:]
		}
		packed = append(packed, p...)
		sizes = number7z(sizes, len(p))
		folders = append(folders, coder...)
		unpacked = number7z(unpacked, len(c.data))
		digests = binary.LittleEndian.AppendUint32(digests, crc32.ChecksumIEEE(c.data))
		name := c.name
		for _, l := range how[1:] {
			if l.words[0] == "set" && l.words[1] == c.name {
				name = l.opts["name"]
			}
		}
		for _, u := range utf16.Encode([]rune(name + "\x00")) {
			names = binary.LittleEndian.AppendUint16(names, u)
		}
	}
	n := len(children)
	h := []byte{0x01, 0x04, 0x06, 0x00} // header, streams, pack info, position 0
	h = append(append(number7z(h, n), 0x09), sizes...)
	h = append(h, 0x00, 0x07, 0x0b) // end; unpack info, folders
	h = append(append(number7z(h, n), 0x00), folders...)
	h = append(append(append(h, 0x0c), unpacked...), 0x00)
	h = append(append(append(h, 0x08, 0x0a, 0x01), digests...), 0x00, 0x00) // one stream a folder: digests of all
	h = number7z(append(h, 0x05), n)
	h = append(append(number7z(append(h, 0x11), len(names)+1), 0x00), names...)
	h = append(h, 0x00, 0x00)

	var start []byte
	start = binary.LittleEndian.AppendUint64(start, uint64(len(packed)))
	start = binary.LittleEndian.AppendUint64(start, uint64(len(h)))
	start = binary.LittleEndian.AppendUint32(start, crc32.ChecksumIEEE(h))
	out := binary.LittleEndian.AppendUint32([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), crc32.ChecksumIEEE(start))
	out = append(append(append(out, start...), packed...), h...)
	return patch(out, how[1:])
}

// number7z appends a 7z number; the first byte's high bits count the bytes that follow.
func number7z(b []byte, n int) []byte {
	switch {
	case n < 1<<7:
		return append(b, byte(n))
	case n < 1<<14:
		return append(b, 0x80|byte(n>>8), byte(n))
	case n < 1<<21:
		return append(b, 0xc0|byte(n>>16), byte(n), byte(n>>8))
	}
	return append(b, 0xe0|byte(n>>24), byte(n), byte(n>>8), byte(n>>16))
}
