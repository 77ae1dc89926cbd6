package modeltest

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// makeStream compresses its only member; "concat" joins all members. The first line is one of
//
//	gzip, zlib, xz, lzma, zstd, lz4, concat
//	zf      joblib before 0.10: "ZF", the length in hexadecimal, zlib
//
// and "patch" and "cut" lines may follow as for tar.
func makeStream(children []*node, how []line) ([]byte, error) {
	var out bytes.Buffer
	if how[0].words[0] == "concat" {
		for _, c := range children {
			out.Write(c.data)
		}
		return patch(out.Bytes(), how[1:])
	}
	if len(children) != 1 {
		return nil, fmt.Errorf("%s of %d members", how[0].words[0], len(children))
	}
	data := children[0].data
	var w io.WriteCloser
	var err error
	switch how[0].words[0] {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zlib":
		w = zlib.NewWriter(&out)
	case "zf":
		fmt.Fprintf(&out, "ZF%-19s", fmt.Sprintf("%#x", len(data)))
		w = zlib.NewWriter(&out)
	case "xz":
		w, err = xz.NewWriter(&out)
	case "lzma":
		w, err = lzma.NewWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out)
	case "lz4":
		w = lz4.NewWriter(&out)
	}
	b, err := finish(&out, w, data, err)
	if err != nil {
		return nil, err
	}
	return patch(b, how[1:])
}

// finish writes data through w and returns what came out.
func finish(out *bytes.Buffer, w io.WriteCloser, data []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
