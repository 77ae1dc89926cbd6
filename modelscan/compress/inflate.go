package compress

import (
	"io"

	"github.com/klauspost/compress/flate"
)

// Inflater starts one stream of RFC 1951 after the other and lets them share memory: an archive may hold a
// hundred thousand small ones. The zero value is ready. It is not safe for concurrent use.
type Inflater struct {
	idle io.Reader // whose stream has ended
}

// Deflate is a Codec, as the function of that name.
func (i *Inflater) Deflate(in Input) (io.Reader, error) {
	r := i.idle
	i.idle = nil
	if r == nil {
		r = flate.NewReader(in)
	} else if err := r.(flate.Resetter).Reset(in, nil); err != nil {
		return nil, err
	}
	return &inflating{r: r, home: i}, nil
}

// inflating gives its reader back at the end of the stream.
type inflating struct {
	r    io.Reader
	home *Inflater
	err  error // how the stream ended
}

func (f *inflating) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.r.Read(p)
	if err != nil {
		f.home.idle, f.r, f.err = f.r, nil, err
	}
	return n, err
}
