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
	if why := modelscan.Escapes(m.Name); why != "" {
		find(rule.ArchivePathEscape, "unpacking would write %q outside the target folder: the name %s", m.Name, why)
	}
	switch m.Kind {
	case Symlink:
		if leads(m.Name, m.Target) {
			find(rule.ArchiveLinkEscape, "symbolic link %q points outside the target folder, to %q", m.Name, m.Target)
		}
	case Hardlink:
		if modelscan.Escapes(m.Target) != "" {
			find(rule.ArchiveLinkEscape, "hard link %q points outside the target folder, to %q", m.Name, m.Target)
		}
	case Device:
		find(rule.ArchiveSpecialFile, "unpacking would create the special file %q", m.Name)
	}
}

// leads tells whether a symbolic link points out of the target folder. Its target may climb as far as that.
func leads(name, target string) bool {
	slashed := func(s string) string { return strings.ReplaceAll(s, `\`, "/") }
	return modelscan.Rooted(target) != "" || modelscan.Escapes(path.Join(path.Dir(slashed(name)), slashed(target))) != ""
}
