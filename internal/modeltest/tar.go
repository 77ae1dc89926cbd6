package modeltest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strconv"
)

// makeTar knows these lines, all optional:
//
//	tar [ustar|pax|gnu]  as the first line
//	set NAME k=v…        changes that member: name type=(file|symlink|link|char|block|fifo|dir) target
//	patch OFFSET HEX     overwrites bytes of the finished archive; a header's checksum is not corrected
//	cut OFFSET           drops everything from there on
func makeTar(children []*node, how []line) ([]byte, error) {
	format := tar.FormatUSTAR
	if len(how[0].words) > 1 {
		format = map[string]tar.Format{"pax": tar.FormatPAX, "gnu": tar.FormatGNU}[how[0].words[1]]
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, c := range children {
		h := &tar.Header{Name: c.name, Mode: 0o644, Size: int64(len(c.data)), Format: format, Typeflag: tar.TypeReg}
		for _, l := range how[1:] {
			if l.words[0] != "set" || l.words[1] != c.name {
				continue
			}
			if err := setTar(h, l.opts); err != nil {
				return nil, err
			}
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if h.Size > 0 {
			if _, err := w.Write(c.data); err != nil {
				return nil, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return patch(out.Bytes(), how[1:])
}

func setTar(h *tar.Header, opts map[string]string) error {
	for key, value := range opts {
		switch key {
		case "name":
			h.Name = value
		case "target":
			h.Linkname = value
		case "type":
			types := map[string]byte{"file": tar.TypeReg, "symlink": tar.TypeSymlink, "link": tar.TypeLink, "char": tar.TypeChar, "block": tar.TypeBlock, "fifo": tar.TypeFifo, "dir": tar.TypeDir}
			h.Typeflag = types[value]
			if value != "file" {
				h.Size = 0
			}
		default:
			return fmt.Errorf("%q: unknown key", key)
		}
	}
	return nil
}

// patch applies the lines "patch" and "cut" to a finished file.
func patch(b []byte, how []line) ([]byte, error) {
	for _, l := range how {
		if l.words[0] != "patch" && l.words[0] != "cut" {
			continue
		}
		at, err := strconv.ParseInt(l.words[1], 0, 64)
		if err != nil || at < 0 || at > int64(len(b)) {
			return nil, fmt.Errorf("offset %q in %d bytes", l.words[1], len(b))
		}
		if l.words[0] == "cut" {
			b = b[:at]
			continue
		}
		p, err := Bytes(l.words[2])
		if err != nil {
			return nil, err
		}
		copy(b[at:], p)
	}
	return b, nil
}
