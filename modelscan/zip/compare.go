package zip

import (
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// directories reports what makes loaders see different lists of members.
func (s *scanner) directories() {
	for i, d := range s.a.Dirs {
		if n := uint64(len(d.Entries)); n != d.Claimed {
			s.find(rule.ZipLoadersDisagree, d.end.at, "entry count",
				fmt.Sprintf("the end record counts %d members, the directory has %d: torch reads the first %d or refuses, zipfile reads all", d.Claimed, n, min(n, d.Claimed)))
		}
		if d.end.disk != 0 {
			s.find(rule.ZipLoadersDisagree, d.end.at, "disk number", "the end record names another disk: torch refuses, zipfile and strict readers read")
		}
		if d.end.refused != "" {
			s.find(rule.ZipLoadersDisagree, d.end.at, "zip64 records", d.end.refused)
		}
		if d.end.here != d.end.count {
			s.find(rule.ZipLoadersDisagree, d.end.at, "entries on this disk",
				fmt.Sprintf("the end record counts %d members, %d of them on this disk: torch refuses, zipfile reads", d.end.count, d.end.here))
		}
		if d.cut || d.end.size != d.End-d.Start && d.Claimed == uint64(len(d.Entries)) {
			s.find(rule.ZipLoadersDisagree, d.end.at, "directory length",
				fmt.Sprintf("the directory has %d bytes, the end record says %d: torch refuses, zipfile reads", d.End-d.Start, d.end.size))
		}
		if i > 0 && !sameMembers(s.a.Dirs[0], d) {
			first := s.a.Dirs[0]
			s.find(rule.ZipLoadersDisagree, d.end.at, "central directory",
				fmt.Sprintf("two central directories: %s would read the one at %#x, %s the one at %#x", first.By, first.Start, d.By, d.Start))
		}
	}
	if len(s.a.Dirs) == 0 {
		return
	}
	d := s.a.Dirs[0]
	if after := s.Size - d.end.at - endLen; after != d.end.comment {
		s.find(rule.ZipUnusual, d.end.at+endLen, "trailing bytes",
			fmt.Sprintf("%d bytes follow the end record, it announces a comment of %d", after, d.end.comment))
	}
}

func sameMembers(a, b *Directory) bool {
	if len(a.Entries) != len(b.Entries) {
		return false
	}
	for i := range a.Entries {
		if a.Entries[i].Name != b.Entries[i].Name || a.Entries[i].Header != b.Entries[i].Header {
			return false
		}
	}
	return true
}

// compare reports where the local header, the central one and the bytes contradict each other. Where the
// member does not matter to a loader the contradiction is only unusual.
func (s *scanner) compare(e *Entry, m Member, matters bool) {
	if e.At < 0 {
		return
	}
	say := func(subject, format string, args ...any) {
		id := rule.ZipLoadersDisagree
		if !matters {
			id = rule.ZipUnusual
		}
		s.find(id, e.place(), e.Name, subject+": "+fmt.Sprintf(format, args...))
	}
	h := m.h
	if h.name != e.Name {
		say("name", "%q in the directory (torch goes by it), %q in front of the bytes (zipfile refuses)", e.Name, h.name)
	}
	const locked = FlagEncrypted | FlagStrong
	switch central := e.Flags & locked; {
	case central != h.flags&locked:
		say("encryption", "flags %#x in the directory, %#x in front of the bytes: loaders refuse or read it", e.Flags, h.flags)
	case central != 0:
		s.gap(e, fmt.Errorf("encrypted: %w", modelscan.ErrNotSupported))
	}
	if e.Flags&FlagPatch != 0 {
		say("patch data", "flags %#x: torch and zipfile refuse, strict readers read", e.Flags)
	}
	if e.Flags&FlagMasked != 0 {
		say("masked headers", "flags %#x: torch refuses, zipfile reads", e.Flags)
	}
	if e.Disk > 1 { // miniz takes 1 for this one
		say("disk number", "begins on disk %d: torch refuses, zipfile and strict readers read", e.Disk)
	}
	if h.method != e.Method {
		say("method", "%d in the directory, %d in front of the bytes", e.Method, h.method)
	}
	s.compareSizes(e, h, say)
}

// compareSizes is the part of compare that is about sizes, checksums and kinds.
func (s *scanner) compareSizes(e *Entry, h local, say func(subject, format string, args ...any)) {
	differs := func(local, central int64) bool { // a data descriptor behind the bytes stands in for a zero
		return local != central && (local != 0 || h.flags&FlagDescriptor == 0)
	}
	if differs(h.compressed, e.Compressed) || differs(h.size, e.Size) {
		say("size", "%d of %d bytes in the directory, %d of %d in front of the bytes", e.Compressed, e.Size, h.compressed, h.size)
	}
	if e.Method == 0 && e.Compressed != e.Size && e.Flags&(FlagEncrypted|FlagStrong) == 0 {
		say("size", "stored as it is, yet %d bytes in and %d out: torch refuses, zipfile reads", e.Compressed, e.Size)
	}
	if e.External&0x10 != 0 && !e.Dir() && e.Size > 0 {
		say("folder", "marked as a folder, yet of %d bytes: torch hands uninitialised memory to the unpickler", e.Size)
	}
	if differs(int64(h.crc), int64(e.CRC)) {
		say("checksum", "%08x in the directory, %08x in front of the bytes", e.CRC, h.crc)
	}
}

// names counts the members under each name that some loader would use for them.
type names map[string][]*Entry

// names that occur more than once; all others are left out.
func (s *scanner) names() names {
	fold := len(s.uses) > 0
	key := func(e *Entry) string {
		k, _, _ := strings.Cut(e.Name, "\x00") // zipfile ends a name at NUL
		if fold {
			k = strings.ToLower(k) // miniz ignores case
		}
		return k
	}
	first := make(map[string]*Entry, len(s.a.Entries))
	again := names{}
	for _, e := range s.a.Entries {
		k := key(e)
		if other, ok := first[k]; !ok {
			first[k] = e
		} else if again[k] = append(again[k], e); len(again[k]) == 1 {
			again[k] = []*Entry{other, e}
		}
	}
	byName := names{}
	for _, all := range again {
		for _, e := range all {
			byName[e.Name] = all
		}
	}
	return byName
}

// compare reports that e shares its name with a member of other content, once for each name.
func (n names) compare(s *scanner, e *Entry, matters bool) {
	if matters && strings.Contains(e.Name, "\x00") {
		s.disagree(e, e.Name, "name %q contains NUL: zipfile ends it there, torch does not", e.Name)
	}
	if up := extraField(e.Extra, 0x7075); matters && len(up) > 5 && up[5:] != e.Name && ascii(e.Name) {
		s.disagree(e, e.Name, "an extra field renames %q to %q for some readers", e.Name, up[5:])
	}
	all := n[e.Name]
	if !matters || len(all) < 2 || all[0] != e {
		return
	}
	for _, o := range all[1:] {
		if o.CRC != e.CRC || o.Size != e.Size || o.Method != e.Method {
			s.disagree(e, e.Name, "%d members are named %q: torch takes the first or one in the middle, zipfile the last", len(all), e.Name)
			return
		}
	}
	s.find(rule.ZipUnusual, e.place(), e.Name, fmt.Sprintf("%d equal members are named %q", len(all), e.Name))
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
