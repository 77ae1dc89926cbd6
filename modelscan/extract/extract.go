// Package extract judges what unpacking an archive would write: names that leave the target folder, links
// and devices. It is common to zip, tar and 7z.
package extract

import (
	"fmt"
	"path"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Kind of a member. The zero Kind is a regular file.
type Kind uint8

// Kinds of member.
const (
	File Kind = iota
	Folder
	Symlink  // Target is relative to the member's folder
	Hardlink // Target is a member's name
	Device   // character or block device, FIFO, socket
)

// Member is what an archive says about one of its members.
type Member struct {
	Name, Target string
	Kind         Kind
	Offset       int64 // of the record that says so
}

// Check reports a member that unpacking would place or point outside the target folder.
func Check(p *modelscan.Pass, m Member) {
	find := func(id rule.ID, format string, args ...any) {
		p.Emit.Finding(modelscan.Finding{Rule: id, Path: p.Name, Offset: m.Offset, Subject: m.Name, Message: fmt.Sprintf(format, args...)})
	}
	if Escapes(m.Name) {
		find(rule.ArchivePathEscape, "unpacking would write %q outside the target folder", m.Name)
	}
	switch m.Kind {
	case Symlink:
		if absolute(m.Target) || Escapes(path.Join(path.Dir(slashed(m.Name)), slashed(m.Target))) {
			find(rule.ArchiveLinkEscape, "symbolic link %q points outside the target folder, to %q", m.Name, m.Target)
		}
	case Hardlink:
		if Escapes(m.Target) {
			find(rule.ArchiveLinkEscape, "hard link %q points outside the target folder, to %q", m.Name, m.Target)
		}
	case Device:
		find(rule.ArchiveSpecialFile, "unpacking would create the special file %q", m.Name)
	}
}

// Escapes tells whether a name, joined to a folder on any system, leads out of it.
func Escapes(name string) bool {
	if absolute(name) {
		return true
	}
	depth := 0
	for part := range strings.SplitSeq(slashed(name), "/") {
		switch part {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

// absolute holds for /x, \x, \\host\x, C:x.
func absolute(name string) bool {
	s := slashed(name)
	return strings.HasPrefix(s, "/") || len(s) >= 2 && s[1] == ':' && (s[0]|0x20) >= 'a' && (s[0]|0x20) <= 'z'
}

func slashed(name string) string { return strings.ReplaceAll(name, `\`, "/") }
