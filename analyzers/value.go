package analyzers

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// A value's text may hold two marks that no path can hold.
const (
	hole       = "\x00" // a part that is not known
	fromSource = "\x01" // the folder of the file being linked

	sourceFile = "__file__.py" // stands for the name of a file: no folder has it
)

// alt is one of the values that an expression may have.
type alt struct {
	kind     ref.Kind // Path while it may still become anything
	text     string
	file     string // Hub: the file inside the repository
	revision string
	repo     string // Hub: the repository's type, as ref.Ref has it
	read     bool   // what the file holds, and not its name
	sure     ref.Sure
}

// value is what is known of an expression: every alternative, and why it is not all or not sure.
type value struct {
	alts  []alt
	why   string
	mixed bool // what may be one of several is combined with another such
}

// same says whether two alternatives are one, however sure they are.
func (a alt) same(b alt) bool {
	return b.kind == a.kind && b.text == a.text && b.file == a.file && b.revision == a.revision && b.repo == a.repo
}

// maxAlts bounds the alternatives of one expression.
const maxAlts = 16

func unknown(why string) value { return value{why: why} }

func text(t string) value {
	if strings.ContainsAny(t, hole+fromSource) {
		return unknown("a path cannot hold a NUL byte")
	}
	return value{alts: []alt{{kind: ref.Path, text: t, sure: ref.Exact}}}
}

// or joins alternatives. With more than one none is exact.
func (v value) or(o value) value {
	out := value{alts: slices.Clone(v.alts), why: v.why, mixed: v.mixed || o.mixed}
	if out.why == "" {
		out.why = o.why
	}
	for _, a := range o.alts {
		if !slices.ContainsFunc(out.alts, a.same) {
			out.alts = append(out.alts, a)
		}
	}
	if len(out.alts) > maxAlts {
		out.alts, out.why = out.alts[:maxAlts], "it has too many possible values"
	}
	return out
}

// atMost lowers how sure every alternative is.
func (v value) atMost(s ref.Sure) value {
	out := value{why: v.why, alts: slices.Clone(v.alts), mixed: v.mixed}
	for i := range out.alts {
		out.alts[i].sure = min(out.alts[i].sure, s)
	}
	return out
}

// each applies f to the text of every alternative that is a path or may become one.
func (v value) each(f func(string) string) value {
	out := value{why: v.why, alts: slices.Clone(v.alts), mixed: v.mixed}
	for i := range out.alts {
		if out.alts[i].kind == ref.Path || out.alts[i].kind == ref.URL {
			out.alts[i].text = f(out.alts[i].text)
		}
	}
	return out
}

// contents marks every alternative as what is read from it.
func (v value) contents() value {
	out := value{why: v.why, alts: slices.Clone(v.alts), mixed: v.mixed}
	for i := range out.alts {
		out.alts[i].read = true
	}
	return out
}

// parts is v where something is known of it, else one hole.
func (v value) parts() value {
	if len(v.alts) > 0 {
		return v
	}
	return value{alts: []alt{{kind: ref.Path, text: hole, sure: ref.Exact}}, why: v.why}
}

// open says whether an expression may be other than one alternative.
func (v value) open() bool {
	return len(v.alts) > 1 || len(v.alts) == 1 && v.alts[0].sure == ref.Guess
}

// cross combines every alternative of a with every one of b.
func cross(a, b value, f func(a, b alt) alt) value {
	out := value{why: a.why, mixed: a.mixed || b.mixed || a.open() && b.open()}
	if out.why == "" {
		out.why = b.why
	}
	for _, x := range a.alts {
		for _, y := range b.alts {
			if len(out.alts) == maxAlts {
				out.why = "it has too many possible values"
				return out
			}
			z := f(x, y)
			z.sure = min(x.sure, y.sure)
			out.alts = append(out.alts, z)
		}
	}
	return out
}

// concat is a + b.
func concat(a, b value) value {
	return cross(a.parts(), b.parts(), func(x, y alt) alt {
		if x.kind == ref.Hub {
			x.file += y.text
			return x
		}
		x.text = strings.ReplaceAll(x.text+flat(y), hole+hole, hole)
		return x
	})
}

// flat is an alternative as text in a longer one.
func flat(a alt) string {
	if a.kind == ref.Hub {
		return hole
	}
	return a.text
}

// join is os.path.join(a, b).
func join(a, b value) value {
	return cross(a.parts(), b.parts(), func(x, y alt) alt {
		if x.kind == ref.Hub {
			x.file = strings.TrimPrefix(x.file+"/"+flat(y), "/")
			return x
		}
		if strings.HasPrefix(y.text, "/") || strings.HasPrefix(y.text, fromSource) || strings.HasPrefix(y.text, "~/") || x.text == "" || y.kind == ref.Hub {
			return y
		}
		x.text = strings.TrimSuffix(x.text, "/") + "/" + y.text
		return x
	})
}

func splitPath(p string) (dir, base string) {
	p = strings.TrimRight(p, "/")
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:max(i, 1)], p[i+1:]
	}
	if p == fromSource {
		return fromSource + "/..", ""
	}
	if p == hole {
		return hole, hole
	}
	return "", p
}

func dirname(p string) string {
	if strings.HasSuffix(p, "/..") {
		return p + "/.."
	}
	dir, _ := splitPath(p)
	return strings.TrimSuffix(dir, "/") + map[bool]string{true: "/"}[dir == "/"]
}

func basename(p string) string { _, base := splitPath(p); return base }

// splitExt is os.path.splitext.
func splitExt(p string) (stem, ext string) {
	_, base := splitPath(p)
	i := strings.LastIndexByte(base, '.')
	if i <= 0 {
		return p, ""
	}
	return p[:len(p)-len(base)+i], base[i:]
}
