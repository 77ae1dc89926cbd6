// Package media recognises pictures, sounds and documents: files that no model loader is ever given.
package media

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Format is every kind of media at once. It claims by signature; what else the bytes may be, other
// formats say for themselves.
var Format = &modelscan.Format{Name: "media", Sniff: sniff, Inert: true,
	Scan: func(context.Context, *modelscan.Pass) error { return nil }}

// signatures stand at a fixed offset. Short ones that other formats could start with are checked further below.
var signatures = []struct {
	off   int
	magic string
}{
	{0, "\x89PNG\r\n\x1a\n"}, {0, "\xff\xd8\xff"}, {0, "GIF87a"}, {0, "GIF89a"}, {0, "%PDF-1."}, {0, "%PDF-2."},
	{0, "fLaC"}, {0, "OggS"}, {0, "ID3\x02"}, {0, "ID3\x03"}, {0, "ID3\x04"}, {0, "\x1aE\xdf\xa3"},
	{0, "II*\x00"}, {0, "MM\x00*"}, {4, "ftyp"}, {0, "wOFF"}, {0, "wOF2"}, {0, "\x00\x01\x00\x00\x00"}, {0, "OTTO\x00"},
}

func sniff(p modelscan.Probe) modelscan.Confidence {
	for _, s := range signatures {
		if len(p.Head) > s.off && bytes.HasPrefix(p.Head[s.off:], []byte(s.magic)) {
			return modelscan.Yes
		}
	}
	if riff(p) || bitmap(p) {
		return modelscan.Yes
	}
	return modelscan.No
}

// riff: WAVE, AVI and WEBP with a chunk size that is the file's.
func riff(p modelscan.Probe) bool {
	if len(p.Head) < 12 || string(p.Head[:4]) != "RIFF" {
		return false
	}
	kind := string(p.Head[8:12])
	return kind == "WAVE" || kind == "WEBP" || kind == "AVI "
}

// bitmap: "BM" is short, so the file size it states must be right.
func bitmap(p modelscan.Probe) bool {
	return len(p.Head) >= 14 && string(p.Head[:2]) == "BM" && int64(binary.LittleEndian.Uint32(p.Head[2:])) == p.Size &&
		binary.LittleEndian.Uint32(p.Head[6:]) == 0
}
