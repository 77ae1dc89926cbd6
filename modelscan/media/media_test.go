package media

import (
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

func TestPictureIsNoModel(t *testing.T) {
	for name, head := range map[string]string{
		"png": "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "jpeg": "\xff\xd8\xff\xe0\x00\x10JFIF", "pdf": "%PDF-1.7\n", "gif": "GIF89a\x01\x00",
		"mp4": "\x00\x00\x00\x20ftypisom", "wav": "RIFF\x24\x00\x00\x00WAVEfmt ", "bmp": "BM\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		r := scantest.Scan(t, name+".pt", []byte(head), Format)
		if r.Kind != modelscan.KindOther || r.Verdict() != modelscan.Safe || len(r.Formats) != 1 {
			t.Errorf("%s: %s %v %v", name, r.Kind, r.Verdict(), r.Formats)
		}
	}
}

func TestOthersAreNotClaimed(t *testing.T) {
	for _, head := range []string{"", "BM", "BM\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "RIFF\x00\x00\x00\x00evil", "plain text"} {
		if r := scantest.Scan(t, "x.pt", []byte(head), Format); len(r.Formats) != 0 {
			t.Errorf("%q: %v", head, r.Formats)
		}
	}
}
