package analyzers

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// Skim is what one pass over the bytes of a source tells, without parsing it.
type Skim struct {
	// Relevant is false when Link would find nothing at all.
	Relevant bool
	// Calls are the hashes (see Hash) of the names that are called, and those (see HashBase) of the classes that others
	// are derived from, ascending.
	Calls []uint32
	// Passes are the hashes of the names of loaders and of their modules that are imported, Renames of other names that such
	// ones get, in no order: if the source is relevant, others can import loaders by them.
	Passes, Renames []uint32
	// Imports are those of Passes that are imported from a module: what another file of the workspace may have passed on.
	Imports []uint32
}

// Hash of a name, as in Skim.Calls: FNV-1a.
func Hash(name string) uint32 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return h
}

// words are the names that make a source worth parsing.
type words struct {
	bits  [1 << 11]uint64     // a set of 17 bits of the hashes: most names are turned away here
	of    map[uint32][]uint32 // by a word's hash: bits of the modules one of which has to be named too; empty: none
	roots map[uint32]int      // by a module's hash: its number
}

func (w *words) mark(h uint32) { w.bits[h>>21] |= 1 << (h >> 15 & 63) }

func (w *words) has(h uint32) bool { return w.bits[h>>21]&(1<<(h>>15&63)) != 0 }

// alone are the words that count without any module beside them.
var alone = []string{"add_safe_globals", "safe_globals", "enable_unsafe_deserialization", "allow_dangerous_deserialization", "check_torch_load_is_safe",
	"_create_default_https_context", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "HF_HUB_DISABLE_SSL_VERIFICATION", "HF_HUB_DISABLE_SSL_VERIFY",
	"HF_DATASETS_TRUST_REMOTE_CODE", "HF_ENDPOINT", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PYTHONHTTPSVERIFY", "Unpickler"}

var standard = sync.OnceValue(func() *words { return wordsOf(allLoaders()) })

func wordsOf(loaders []*Loader) *words {
	w := &words{of: map[uint32][]uint32{}, roots: map[uint32]int{}}
	free := map[uint32]bool{}
	for _, h := range byNameHashes {
		w.mark(h)
	}
	root := func(name string) uint32 {
		first, _, _ := strings.Cut(name, ".")
		h := Hash(first)
		if _, ok := w.roots[h]; !ok {
			w.roots[h] = len(w.roots)
			w.mark(h)
		}
		return h
	}
	word := func(name string, needs ...uint32) {
		h := Hash(name)
		w.mark(h)
		if len(needs) == 0 {
			free[h] = true
		}
		w.of[h] = append(w.of[h], needs...)
	}
	for _, l := range loaders {
		for _, name := range append([]string{l.Func}, l.Also...) {
			if strings.Contains(name, ".") {
				word(strings.TrimSuffix(lastPart(name), "[]"), root(name))
			}
		}
		for _, name := range []string{l.Method, l.Suffix} {
			if name != "" {
				word(name)
			}
		}
	}
	for _, name := range fetchers {
		word(lastPart(name), root(name))
	}
	for _, name := range alone {
		word(name)
	}
	for h := range free {
		w.of[h] = nil
	}
	return w
}

// SkimSource reads a source once: with what it says, most files need no parser.
func SkimSource(src []byte, sinks []*Loader) Skim {
	w := standard()
	if len(sinks) > 0 {
		w = wordsOf(append(allLoaders(), sinks...))
	}
	s := skimmer{words: w, src: src}
	s.scan()
	slices.Sort(s.calls)
	_, encoded := Encoded(src)                            // it cannot be skimmed, and that has to be said
	derived := bytes.Contains(src, []byte(unpicklerName)) // a class of the user's own, as CPU_Unpickler
	return Skim{Relevant: encoded || derived || s.relevant() || mayHoldToken(src), Calls: slices.Compact(s.calls), Passes: s.passes, Renames: s.renames, Imports: s.imports}
}

// skimmer is a lexer that knows strings and comments from code, and nothing else.
type skimmer struct {
	*words
	src    []byte
	seen   map[uint32]bool // words and modules named in code
	quoted []uint32        // words that are a whole string
	byName bool            // getattr, import_module or another that takes a name as text is named
	last   uint32          // the name read last, and where it ended
	ended  int
	calls  []uint32

	passes, renames, imports []uint32
}

func (s *skimmer) relevant() bool {
	if s.byName {
		for _, h := range s.quoted {
			s.seen[h] = true
		}
	}
	for h := range s.seen {
		needs, ok := s.of[h]
		if ok && (len(needs) == 0 || slices.ContainsFunc(needs, func(n uint32) bool { return s.seen[n] })) {
			return true
		}
	}
	for _, h := range s.quoted { // names of environment variables
		if needs, ok := s.of[h]; ok && len(needs) == 0 {
			return true
		}
	}
	return false
}

// class of a byte.
type class uint8

const (
	classOther class = iota
	className        // may begin a name
	classDigit
	classComment
	classQuote
)

var classes = func() (t [256]class) {
	for b := range t {
		switch {
		case b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' || b >= 0x80:
			t[b] = className
		case b >= '0' && b <= '9':
			t[b] = classDigit
		}
	}
	t['#'], t['"'], t['\''] = classComment, classQuote, classQuote
	return t
}()

// inName says whether a byte may stand in a name.
func inName(b byte) bool { c := classes[b]; return c == className || c == classDigit }

func (s *skimmer) scan() {
	s.seen = map[uint32]bool{}
	src := s.src
	for i := 0; i < len(src); {
		switch classes[src[i]] {
		case className:
			i = s.ident(i)
		case classComment:
			end := bytes.IndexByte(src[i:], '\n')
			if end < 0 {
				return
			}
			i += end
		case classQuote:
			i = s.str(i, false)
		case classDigit:
			for i < len(src) && (inName(src[i]) || src[i] == '.') {
				i++
			}
		default:
			i++
		}
	}
}

var byNameHashes = []uint32{Hash("getattr"), Hash("import_module"), Hash("__import__"), Hash("attrgetter"), Hash("__dict__"), Hash("vars"), Hash("modules")}

// blank is the offset behind the white space at i.
func blank(src []byte, i int) int {
	for i < len(src) && (src[i] == ' ' || src[i] == '\t') {
		i++
	}
	return i
}

// ident reads a name, or the prefix of a string.
func (s *skimmer) ident(i int) int {
	src, start := s.src, i
	h := uint32(2166136261)
	for i < len(src) && inName(src[i]) {
		h = (h ^ uint32(src[i])) * 16777619
		i++
	}
	if i < len(src) && (src[i] == '"' || src[i] == '\'') && i-start <= 3 {
		return s.str(i, bytes.ContainsAny(src[start:i], "fFtT"))
	}
	s.name(h, start)
	class := s.last == hashClass && blank(src, s.ended) == start
	s.last, s.ended = h, i
	switch open := blank(src, i); {
	case open < len(src) && src[open] == '(':
		s.calls = append(s.calls, h)
		if class {
			s.bases(open)
		}
	case s.has(h):
		s.pass(h, start, i)
	}
	return i
}

// pass notes the name that a word which is not called gets, where it is a loader's or a module's:
// from torch import load, from torch import load as read, import joblib as jl, read = torch.load.
func (s *skimmer) pass(h uint32, start, end int) {
	_, word := s.of[h]
	if _, module := s.roots[h]; !word && !module {
		return
	}
	line := s.src[bytes.LastIndexByte(s.src[:start], '\n')+1 : start]
	as, renamed := bytes.CutPrefix(s.src[blank(s.src, end):], []byte("as "))
	from, plain := s.imported(line, end, renamed)
	switch {
	case renamed && (from || plain):
		s.renames = append(s.renames, hashOfName(as[blank(as, 0):]))
	case from:
		s.passes, s.imports = append(s.passes, h), append(s.imports, h)
	case plain:
		s.passes = append(s.passes, h)
	case word && start > 0 && s.src[start-1] == '.':
		name, module, ok := bytes.Cut(line, []byte("="))
		if ok && len(line) > 0 && classes[line[0]] == className && bytes.IndexByte(module, '(') < 0 {
			s.renames = append(s.renames, hashOfName(name))
		}
	}
}

// imported says whether a name behind the beginning of a line is imported from a module, or is a module that is imported.
func (s *skimmer) imported(line []byte, end int, renamed bool) (from, plain bool) {
	before := bytes.TrimSpace(line)
	if len(before) == 0 { // an item of a list that goes over several lines
		return renamed || s.itemEnd(end), false
	}
	return bytes.HasPrefix(before, []byte("from ")) && bytes.Contains(before, []byte("import")), bytes.HasPrefix(before, []byte("import"))
}

// itemEnd says whether what ends at an offset may be an item of an import's list that goes over several lines.
func (s *skimmer) itemEnd(end int) bool {
	end = blank(s.src, end)
	return end == len(s.src) || bytes.IndexByte([]byte(",)#\r\n\\"), s.src[end]) >= 0
}

// hashOfName is the hash of the name at the beginning of a text.
func hashOfName(text []byte) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(text) && inName(text[i]); i++ {
		h = (h ^ uint32(text[i])) * 16777619
	}
	return h
}

// name notes a name in code.
func (s *skimmer) name(h uint32, start int) {
	if !s.has(h) {
		return
	}
	if slices.Contains(byNameHashes, h) {
		s.byName = true
	}
	needs, word := s.of[h]
	_, module := s.roots[h]
	if word && (len(needs) == 0 || !s.own(start)) || !word && module {
		s.seen[h] = true
	}
}

var hashSelf, hashCls, hashDef, hashClass = Hash("self"), Hash("cls"), Hash("def"), Hash("class")

// own says whether the name that begins at start is one that the source defines itself: self.load, def
// load. Such a name is no module's.
func (s *skimmer) own(start int) bool {
	if start > 0 && s.src[start-1] == '.' {
		return s.ended == start-1 && (s.last == hashSelf || s.last == hashCls)
	}
	return s.last == hashDef && blank(s.src, s.ended) == start
}

// str skips a string that begins at i. What stands in an f-string may be code and is read as such.
func (s *skimmer) str(i int, format bool) int {
	src, quote := s.src, s.src[i]
	if i+2 < len(src) && src[i+1] == quote && src[i+2] == quote {
		body := src[i+3:]
		end := tripleEnd(body, quote)
		if format {
			s.inner(body[:end])
		}
		return min(i+3+end+3, len(src))
	}
	j := i + 1
	for j < len(src) && src[j] != quote && src[j] != '\n' {
		if src[j] == '\\' {
			j++
		}
		j++
	}
	j = min(j, len(src))
	body := src[i+1 : j]
	if format {
		s.inner(body)
	} else if len(body) < 40 {
		s.whole(body)
	}
	if j < len(src) && src[j] == '\n' {
		return j
	}
	return j + 1
}

// whole notes a string that is a name, or a dotted one.
func (s *skimmer) whole(body []byte) {
	h := uint32(2166136261)
	for _, b := range body {
		if b == '.' {
			s.note(h)
			h = 2166136261
			continue
		}
		if !inName(b) {
			return
		}
		h = (h ^ uint32(b)) * 16777619
	}
	s.note(h)
}

func (s *skimmer) note(h uint32) {
	if s.has(h) {
		s.quoted = append(s.quoted, h)
	}
}

// inner reads the names in an f-string.
func (s *skimmer) inner(body []byte) {
	for i := 0; i < len(body); {
		if classes[body[i]] != className {
			i++
			continue
		}
		h := uint32(2166136261)
		for i < len(body) && inName(body[i]) {
			h = (h ^ uint32(body[i])) * 16777619
			i++
		}
		if s.has(h) {
			s.seen[h] = true
		}
	}
}

// tripleEnd is the offset of the three quotes that end a string.
func tripleEnd(body []byte, quote byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(body[at:], quote)
		if i < 0 {
			return len(body)
		}
		at += i
		slashes := 0
		for at-1-slashes >= 0 && body[at-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 1 {
			at++
			continue
		}
		if at+2 < len(body) && body[at+1] == quote && body[at+2] == quote {
			return at
		}
		if at+2 >= len(body) {
			return len(body)
		}
		at++
	}
}

// mayHoldToken says whether something like a hub token stands anywhere.
func mayHoldToken(src []byte) bool {
	for _, prefix := range [][]byte{[]byte("hf_"), []byte("api_org_")} {
		for rest := src; ; {
			i := bytes.Index(rest, prefix)
			if i < 0 {
				break
			}
			rest = rest[i+len(prefix):]
			n := 0
			for n < len(rest) && n < 30 && alnum(rune(rest[n])) {
				n++
			}
			if n >= 30 {
				return true
			}
		}
	}
	return false
}
