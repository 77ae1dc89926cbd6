package zip

import (
	"context"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Lookup finds members by the name a loader asks for. It answers only where all loaders mean the same
// member; what they disagree about is an error, for a loader of ours must not be a further opinion.
type Lookup struct {
	a     *Archive
	names map[string]*Entry // folded: miniz ignores ASCII case. Nil: more than one
}

// Lookup over the members of the archive's one central directory.
func (a *Archive) Lookup() (*Lookup, error) {
	if len(a.Dirs) != 1 {
		return nil, fmt.Errorf("%d central directories: loaders disagree", len(a.Dirs))
	}
	d := a.Dirs[0]
	if d.By&Miniz == 0 || d.By&Zipfile == 0 || d.Claimed != uint64(len(d.Entries)) || d.end.disk != 0 {
		return nil, fmt.Errorf("unusual end record: loaders disagree")
	}
	l := &Lookup{a: a, names: make(map[string]*Entry, len(d.Entries))}
	for i := range d.Entries {
		e, name := &d.Entries[i], strings.ToLower(d.Entries[i].Name)
		if _, twice := l.names[name]; twice || strings.ContainsAny(name, "\x00\\") {
			e = nil
		}
		l.names[name] = e
	}
	return l, nil
}

// Find returns the member of that name, nil if there is none.
func (l *Lookup) Find(name string) (*Entry, error) {
	e, ok := l.names[strings.ToLower(name)]
	if ok && e == nil {
		return nil, fmt.Errorf("member %q is there more than once: loaders disagree", name)
	}
	return e, nil
}

// Place is where a member's bytes are in the file, as they are stored: size bytes at off, compressed
// unless Method is 0.
func (a *Archive) Place(e *Entry) (off, size int64, err error) {
	if e.Flags&(FlagEncrypted|FlagPatch|FlagStrong|FlagMasked) != 0 {
		return 0, 0, fmt.Errorf("member %q is encrypted or a patch", e.Name)
	}
	h, err := a.window.local(e.Header)
	if err != nil {
		return 0, 0, fmt.Errorf("member %q: %w", e.Name, err)
	}
	if e.Compressed > a.Source.Size-h.data {
		return 0, 0, fmt.Errorf("member %q of %d bytes is cut off after %d", e.Name, e.Compressed, a.Source.Size-h.data)
	}
	if e.Method == 0 && e.Compressed != e.Size {
		return 0, 0, fmt.Errorf("stored member %q has two sizes: %d and %d", e.Name, e.Compressed, e.Size)
	}
	return h.data, e.Compressed, nil
}

// Content of a member, decompressed.
func (a *Archive) Content(_ context.Context, e *Entry) (modelscan.Source, error) {
	m, err := a.open(e)
	return m.Source, err
}
