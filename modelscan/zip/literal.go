package zip

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Holder returns the bounds of the one literal that holds all of [from, to) in a source that is otherwise another
// model from its first byte to its last.
type Holder func(ctx context.Context, p *modelscan.Pass, from, to int64) (start, end int64, ok bool)

// pickleNames are endings that nobody gives to a reader of zips: keras, skops, numpy and archivers go by theirs.
var pickleNames = []string{".pkl", ".pickle", ".p", ".joblib", ".dill", ".cloudpickle", ".sav"}

// literal returns the bytes of a pickle that hold the archive as nothing but data of its own, as pickled Keras models
// do. A reader of zips sees the same members in them as in the whole file.
func (a *Archive) literal(ctx context.Context, p *modelscan.Pass, holder Holder) (in modelscan.Source, ok bool) {
	if holder == nil || p.Claimed != modelscan.Maybe || len(a.Dirs) != 1 || !pickleNamed(p.Name) {
		return in, false
	}
	d := a.Dirs[0]
	from, to := d.Base, d.end.at+endLen+d.end.comment
	// Offsets that count from the file's first byte were written for the file, not for the literal.
	if from <= 0 || d.By&Miniz != 0 || slices.ContainsFunc(d.Entries, func(e Entry) bool { return !e.lies(from, d.Start) }) {
		return in, false
	}
	start, end, ok := holder(ctx, p, from, to)
	if !ok {
		return in, false
	}
	in = p.Member(fmt.Sprintf("[%#x-%#x]", start, end), io.NewSectionReader(p.R, start, end-start), end-start)
	q := *p
	q.Source = in
	b, err := Open(ctx, &q)
	return in, err == nil && len(b.Dirs) == 1 && sameShifted(d, b.Dirs[0], start)
}

// lies tells whether the member is whole within [from, to).
func (e *Entry) lies(from, to int64) bool {
	return e.Header >= from && e.Compressed >= 0 && e.Header <= to && e.Compressed <= to-e.Header-localLen
}

// sameShifted tells whether two directories list the same members, those of the second nearer to the start by shift.
func sameShifted(d, o *Directory, shift int64) bool {
	return d.Start == o.Start+shift && slices.EqualFunc(d.Entries, o.Entries, func(x, y Entry) bool {
		y.At, y.Header = y.At+shift, y.Header+shift
		return x == y
	})
}

// pickleNamed tells whether a source is named as a pickle, compressed or not.
func pickleNamed(name string) bool {
	parts := strings.Split(strings.ToLower(name), "!")
	i := len(parts) - 1
	for i > 0 && slices.Contains([]string{"gzip", "zlib", "bzip2", "xz", "lzma", "lz4", "zstd", "zf"}, parts[i]) {
		i--
	}
	name = parts[i]
	switch ext := path.Ext(name); ext {
	case ".gz", ".z", ".bz2", ".xz", ".lzma", ".lz4", ".zst":
		name = strings.TrimSuffix(name, ext)
	}
	return slices.Contains(pickleNames, path.Ext(name))
}
