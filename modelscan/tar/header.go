// Package tar reads tar archives as CPython's tarfile does: ustar, GNU and pax. What it reads is scanned; what
// unpacking would do to the machine is reported.
package tar

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

const blockSize = 512

// entry is a member with what long-name and pax records before it say.
type entry struct {
	name, link string
	kind       byte
	header     int64 // offset of its own header
	data, size int64 // bytes
	sparse     bool
}

var (
	errChecksum = errors.New("header checksum does not fit")
	errZero     = errors.New("block of zeros")
)

// reader walks the headers.
type reader struct {
	src modelscan.Source
	off int64
}

// next reads the member at r.off and moves behind it.
func (r *reader) next() (entry, error) {
	var longName, longLink string
	pax := map[string]string{}
	for {
		e, err := r.header()
		if err != nil {
			return e, err
		}
		r.off = e.data + (e.size+blockSize-1)/blockSize*blockSize
		switch e.kind {
		case 'L', 'K', 'x', 'X':
			b, err := r.src.Bytes(e.data, e.size, maxRecord)
			if err != nil {
				return e, fmt.Errorf("record %q at %#x: %w", e.kind, e.header, err)
			}
			switch e.kind {
			case 'L':
				longName = cString(b)
			case 'K':
				longLink = cString(b)
			default:
				if err := parsePax(b, pax); err != nil {
					return e, fmt.Errorf("pax record at %#x: %w", e.header, err)
				}
			}
			continue
		case 'g': // global pax records: names in them count for nothing that is scanned
			continue
		}
		if longName != "" {
			e.name = longName
		}
		if longLink != "" {
			e.link = longLink
		}
		return r.applyPax(e, pax)
	}
}

// maxRecord bounds a long name or a pax record.
const maxRecord = 1 << 20

func (r *reader) applyPax(e entry, pax map[string]string) (entry, error) {
	if v, ok := pax["path"]; ok {
		e.name = v
	}
	if v, ok := pax["linkpath"]; ok {
		e.link = v
	}
	for key, value := range pax {
		if strings.HasPrefix(key, "GNU.sparse.") {
			e.sparse = true
		}
		if key == "GNU.sparse.name" {
			e.name = value
		}
	}
	if v, ok := pax["size"]; ok {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			return e, fmt.Errorf("pax size %q of %q", v, e.name)
		}
		e.size = n
		if !e.hasData() {
			return e, nil
		}
		if n > r.src.Size-e.data {
			return e, fmt.Errorf("%q of %d bytes is cut off: %w", e.name, n, errCut)
		}
		r.off = e.data + (n+blockSize-1)/blockSize*blockSize
	}
	return e, nil
}

var errCut = errors.New("the archive ends within a member")

// header decodes one block. A size that does not fit the source is cut to what there is, with errCut.
func (r *reader) header() (entry, error) {
	e := entry{header: r.off, data: r.off + blockSize}
	b, err := r.src.Bytes(r.off, blockSize, blockSize)
	if err != nil {
		return e, err
	}
	if !validChecksum(b) {
		if bytes.Count(b, []byte{0}) == blockSize {
			return e, errZero
		}
		return e, errChecksum
	}
	e.kind = b[156]
	e.name, e.link = cString(b[:100]), cString(b[157:257])
	if string(b[257:262]) == "ustar" && b[262] != ' ' {
		if prefix := cString(b[345:500]); prefix != "" {
			e.name = prefix + "/" + e.name
		}
	}
	size, ok := number(b[124:136])
	if !ok || size < 0 {
		return e, fmt.Errorf("size of %q is no number", e.name)
	}
	e.size = size
	e.sparse = e.kind == 'S'
	if !e.hasData() {
		e.size = 0
	}
	if e.size > r.src.Size-e.data {
		return e, fmt.Errorf("%q of %d bytes: %w", e.name, e.size, errCut)
	}
	if e.sparse { // old GNU: more maps follow the header for as long as a flag says so
		more := b[482] != 0
		for more {
			b, err := r.src.Bytes(e.data, blockSize, blockSize)
			if err != nil {
				return e, err
			}
			more = b[504] != 0
			e.data += blockSize
		}
		if e.size > r.src.Size-e.data {
			return e, fmt.Errorf("%q of %d bytes: %w", e.name, e.size, errCut)
		}
	}
	return e, nil
}

// hasData: links, devices, FIFOs and folders have none; unknown types do (tarfile: "treat as regular file").
func (e *entry) hasData() bool { return e.kind < '1' || e.kind > '6' }

// validChecksum sums as unsigned or as signed bytes: both were written.
func validChecksum(b []byte) bool {
	want, ok := number(b[148:156])
	if !ok {
		return false
	}
	unsigned, signed := int64(8*' '), int64(8*' ')
	for i, c := range b {
		if i < 148 || i >= 156 {
			unsigned += int64(c)
			signed += int64(int8(c))
		}
	}
	return want == unsigned || want == signed
}

// number is octal text, or binary where the first bit is set (GNU).
func number(b []byte) (int64, bool) {
	if b[0]&0x80 != 0 {
		if b[0] != 0x80 || bytes.ContainsFunc(b[1:max(len(b)-8, 1)], func(r rune) bool { return r != 0 }) {
			return 0, false // negative, or more than 63 bits
		}
		v := binary.BigEndian.Uint64(b[len(b)-8:])
		return int64(v), v < 1<<62
	}
	text := strings.Trim(cString(b), " ")
	if text == "" {
		return 0, true
	}
	v, err := strconv.ParseInt(text, 8, 64)
	return v, err == nil && v >= 0
}

func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// parsePax reads records "25 ctime=1084839148.1212\n".
func parsePax(b []byte, into map[string]string) error {
	for len(b) > 0 {
		digits, _, ok := bytes.Cut(b, []byte(" "))
		n, err := strconv.Atoi(string(digits))
		if !ok || err != nil || n <= len(digits)+1 || n > len(b) {
			return errors.New("length of a record")
		}
		key, value, ok := strings.Cut(strings.TrimSuffix(string(b[len(digits)+1:n]), "\n"), "=")
		if !ok {
			return errors.New("record without =")
		}
		into[key] = value
		b = b[n:]
	}
	return nil
}
