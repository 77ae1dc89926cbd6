package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// component is something of another author's in a release.
type component struct {
	Name, Version string
	Where         string   // of which part of a release it is
	Licences      []string // SPDX identifiers
	Texts         []string // the licences and notices as the authors wrote them
}

// allowed are the licences of docs/adr/0007. Mozilla's is per file, and no file of ours is one of theirs.
func allowed() []string {
	return []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "Unlicense"}
}

// choice is what an author says of the licences that one may choose from, and the one that is taken here.
type choice struct{ says, taken string }

func choices() map[string]choice {
	return map[string]choice{
		"kernel.org/pub/linux/libs/security/libcap/psx": {"SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only", "BSD-3-Clause"},
	}
}

var legal = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|copyright)([-._].*)?$`)

// The part of a text that has to be known for its licence to be told, in percent. The rest is whom it names.
const known = 75.0

// read fills in a component's texts from folders of its, and what licences those are.
func (c *component) read(folders ...string) error {
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !legal.MatchString(e.Name()) || !e.Type().IsRegular() || slices.Contains([]string{".go", ".docs"}, filepath.Ext(e.Name())) { // a release holds nobody's documentation
				continue
			}
			text, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				return err
			}
			if !c.add(string(text)) && !strings.EqualFold(e.Name()[:min(6, len(e.Name()))], "notice") {
				return fmt.Errorf("%s %s: %s is no licence that is known", c.Name, c.Version, e.Name())
			}
		}
	}
	return c.judge()
}

// spdx is how a text says its licence in a word.
var spdx = regexp.MustCompile(`SPDX-License-Identifier: ([\w.+-]+)(\s*\*/)?\n`)

// add notes a text, once, and the licences that stand in it. It says whether there were any.
func (c *component) add(text string) bool {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if slices.Contains(c.Texts, text) {
		return true // or it would have been refused the first time
	}
	c.Texts = append(c.Texts, text)
	var found []string
	if cover := licensecheck.Scan([]byte(text)); cover.Percent >= known {
		for _, m := range cover.Match {
			if !m.IsURL {
				found = append(found, m.ID)
			}
		}
	}
	for _, m := range spdx.FindAllStringSubmatch(text+"\n", -1) {
		found = append(found, m[1])
	}
	c.Licences = append(c.Licences, found...)
	slices.Sort(c.Licences)
	c.Licences = slices.Compact(c.Licences)
	return len(found) > 0
}

// judge fails where a licence is unknown or not allowed.
func (c *component) judge() error {
	if len(c.Licences) == 0 {
		return fmt.Errorf("%s %s: no licence that is known among %d texts", c.Name, c.Version, len(c.Texts))
	}
	if one, ok := choices()[c.Name]; ok && slices.ContainsFunc(c.Texts, func(text string) bool { return strings.Contains(text, one.says) }) {
		c.Licences = []string{one.taken}
	}
	for _, l := range c.Licences {
		if !slices.Contains(allowed(), l) {
			return fmt.Errorf("%s %s: licence %s is not among those of docs/adr/0007", c.Name, c.Version, l)
		}
	}
	return nil
}
