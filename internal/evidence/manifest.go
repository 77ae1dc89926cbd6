package evidence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Manifest is what a signature covers: files by name, or digests that a file has to have under whatever name.
type Manifest struct {
	Plan  Plan         `json:"plan"`
	Files []SignedFile `json:"files"`
	// Anonymous is set where the names are not to be compared: a signature over one file, or over a list of
	// digests. A file is signed if it has one of the digests.
	Anonymous bool `json:"anonymous,omitempty"`
}

// SignedFile is one file of a manifest, or one shard of a file.
type SignedFile struct {
	Name   string `json:"n"` // slash-separated, valid in io/fs's sense
	Start  int64  `json:"b,omitempty"`
	End    int64  `json:"e,omitempty"` // of a shard, exclusive; 0 for a whole file
	Digest string `json:"d"`           // lower-case hexadecimal
}

// SingleName is what the reference tool for model signatures calls a model that is one file.
const SingleName = "."

// Comparison is what a model's files are against a manifest. The lists are sorted.
type Comparison struct {
	Changed  []string // not what was signed
	Missing  []string // signed, and not there
	Unsigned []string // there, and not signed
	Ignored  []string // there, and left out by the signer
	Links    []string // links and other things that the signer's rules do not read
	Signed   int      // files that are what was signed
}

// Compare holds the files that lie there against what was signed.
func (m *Manifest) Compare(l Listing) Comparison {
	var c Comparison
	if m.Anonymous {
		c.anonymous(m, l)
		return c
	}
	signed := m.byFile()
	if l.Single && len(l.Entries) == 1 && len(signed) == 1 && signed[SingleName] != nil {
		signed = map[string][]SignedFile{l.Entries[0].Name: signed[SingleName]}
	}
	seen := make(map[string]bool, len(l.Entries))
	for _, e := range l.Entries {
		seen[e.Name] = true
		c.entry(m, signed[e.Name], e)
	}
	if !l.Partial {
		for name := range signed {
			if !seen[name] {
				c.Missing = append(c.Missing, name)
			}
		}
	}
	for _, list := range [][]string{c.Changed, c.Missing, c.Unsigned, c.Ignored, c.Links} {
		slices.Sort(list)
	}
	return c
}

// entry judges one file. shards is what was signed under its name, nil where nothing was.
func (c *Comparison) entry(m *Manifest, shards []SignedFile, e Entry) {
	listed := shards != nil
	switch {
	case !listed && m.Plan.ignores(e.Name):
		c.Ignored = append(c.Ignored, e.Name)
	case e.Type == Link, e.Type == Other, e.Type == Inner && !m.Plan.Links:
		c.Links = append(c.Links, e.Name)
	case listed && m.Plan.matches(shards, e):
		c.Signed++
	case listed:
		c.Changed = append(c.Changed, e.Name)
	case m.Plan.ShardSize > 0 && e.Size == 0: // has no shard that could be signed (OMS §6.3.2)
	default:
		c.Unsigned = append(c.Unsigned, e.Name)
	}
}

// anonymous looks for each file's digest among those signed.
func (c *Comparison) anonymous(m *Manifest, l Listing) {
	for _, e := range l.Entries {
		ok := len(e.Digests) == 1 && slices.ContainsFunc(m.Files, func(f SignedFile) bool { return f.Digest == e.Digests[0] })
		if ok && (e.Type == Regular || e.Type == Inner) {
			c.Signed++
		} else {
			c.Changed = append(c.Changed, e.Name)
		}
	}
}

// byFile gathers the shards of each file, in order.
func (m *Manifest) byFile() map[string][]SignedFile {
	files := make(map[string][]SignedFile, len(m.Files))
	for _, f := range m.Files {
		files[f.Name] = append(files[f.Name], f)
	}
	if m.Plan.ShardSize > 0 {
		for _, shards := range files {
			slices.SortFunc(shards, func(a, b SignedFile) int { return cmp.Compare(a.Start, b.Start) })
		}
	}
	return files
}

// matches tells whether a file's digests are the signed ones, and its shards all of it.
func (p *Plan) matches(shards []SignedFile, e Entry) bool {
	if len(e.Digests) == 0 || len(e.Digests) != len(shards) || p.ShardSize == 0 && len(shards) != 1 {
		return false
	}
	at := int64(0)
	for i, s := range shards {
		if e.Digests[i] != s.Digest {
			return false
		}
		if p.ShardSize > 0 {
			if s.Start != at || s.End != min(at+p.ShardSize, e.Size) {
				return false
			}
			at = s.End
		}
	}
	return p.ShardSize == 0 || at == e.Size
}

// ignores tells whether the signer left a path out, or a folder above it (OMS §6.2.1: exact paths from the root on).
func (p *Plan) ignores(name string) bool { return Below(p.Ignore, name) }

// Below tells whether name is one of the paths or lies below one.
func Below(paths []string, name string) bool {
	for _, p := range paths {
		if rest, ok := strings.CutPrefix(name, p); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// Err is the first reason why the files are not what was signed, nil when they are. lenient lets files pass that
// nobody signed.
func (c *Comparison) Err(lenient bool) error {
	switch {
	case len(c.Changed) > 0:
		return fail(Tampered, "%s not what was signed: %s", are(c.Changed), names(c.Changed))
	case len(c.Missing) > 0:
		return fail(Missing, "%s signed and not there: %s", are(c.Missing), names(c.Missing))
	case len(c.Links) > 0:
		return fail(Tampered, "%s no file, or a link that the signature does not follow: %s", are(c.Links), names(c.Links))
	case len(c.Unsigned) > 0 && !lenient:
		return fail(UnsignedFiles, "%s there and not signed: %s", are(c.Unsigned), names(c.Unsigned))
	}
	return nil
}

func fail(code Code, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

func are(list []string) string {
	if len(list) == 1 {
		return "1 entry is"
	}
	return fmt.Sprintf("%d entries are", len(list))
}

// names lists a few names for an error.
func names(list []string) string {
	const few, most = 3, 160
	var out []string
	for _, n := range list[:min(len(list), few)] {
		if len(n) > most {
			n = strings.ToValidUTF8(n[:most], "") + "…"
		}
		out = append(out, n)
	}
	if len(list) > few {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}
