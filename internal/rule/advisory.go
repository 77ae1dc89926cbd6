package rule

import (
	_ "embed"
	"strings"
)

//go:embed advisories.tsv
var advisoriesText string

// Advisory is a known vulnerability that rules answer for: a CVE, a GHSA, or one of another scanner's advisories
// under the scanner's name ("picklescan GHSA-vvpj").
type Advisory struct {
	ID    string
	Rules []Rule
	Cases []AdvisoryCase
}

// AdvisoryCase is a recipe that is run with every change.
type AdvisoryCase struct {
	Path  string // in the repository
	About string
}

// FindAdvisory looks an advisory up by its identifier, whatever the case. The scanner's name may be left out, and an
// identifier of GitHub may be longer than the part that names the advisory here.
func FindAdvisory(id string) (Advisory, bool) {
	var found Advisory
	for line := range strings.Lines(advisoriesText) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 || !sameAdvisory(fields[0], id) || found.ID != "" && found.ID != fields[0] {
			continue
		}
		if found.ID == "" {
			found.ID = fields[0]
			for id := range strings.FieldsSeq(fields[1]) {
				if r, ok := Get(ID(id)); ok {
					found.Rules = append(found.Rules, r)
				}
			}
		}
		if fields[2] != "" {
			found.Cases = append(found.Cases, AdvisoryCase{fields[2], fields[3]})
		}
	}
	return found, found.ID != ""
}

// sameAdvisory compares a known identifier with the one that was asked for.
func sameAdvisory(known, asked string) bool {
	if strings.EqualFold(known, asked) {
		return true
	}
	_, short, ok := strings.Cut(known, " ")
	const least = len("GHSA-xxxx")
	return ok && len(asked) >= least && (strings.EqualFold(short, asked) || strings.HasPrefix(strings.ToLower(asked), strings.ToLower(short)+"-"))
}
