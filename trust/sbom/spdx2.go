package sbom

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// spdx2 is what is read of an SPDX 2.2 or 2.3 document. That version knows no models: tools write a package, and the
// rest into its comment.
type spdx2 struct {
	Name      string   `json:"name"`
	Describes []string `json:"documentDescribes"`
	Packages  []struct {
		ID        string `json:"SPDXID"`
		Name      string `json:"name"`
		Version   string `json:"versionInfo"`
		Supplier  string `json:"supplier"`
		Homepage  string `json:"homepage"`
		Declared  string `json:"licenseDeclared"`
		Concluded string `json:"licenseConcluded"`
		Comment   string `json:"comment"`
		Checksums []sum2 `json:"checksums"`
		Refs      []ref2 `json:"externalRefs"`
	} `json:"packages"`
	Files []struct {
		Name      string `json:"fileName"`
		Checksums []sum2 `json:"checksums"`
	} `json:"files"`
	Relationships []struct {
		From string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	} `json:"relationships"`
}

type (
	sum2 struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	ref2 struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
)

func readSPDX2(text []byte, version string) (*evidence.SBOM, error) {
	var doc spdx2
	if err := decode(text, &doc); err != nil {
		return nil, err
	}
	out := &evidence.SBOM{Format: version}
	sums := func(name string, list []sum2) {
		for _, s := range list {
			if s.Algorithm == "SHA256" {
				out.Digests = append(out.Digests, evidence.SignedFile{Name: strings.TrimPrefix(name, "./"), Digest: s.Value})
			}
		}
	}
	for _, f := range doc.Files {
		sums(f.Name, f.Checksums)
	}
	main := doc.main()
	for i, p := range doc.Packages {
		sums(p.Name, p.Checksums)
		if i != main {
			continue
		}
		profile := &out.Profile
		profile.Name, profile.Version, profile.ModelCard, profile.TrainingInformation = p.Name, p.Version, none(p.Homepage), p.Comment
		_, profile.Supplier, _ = strings.Cut(p.Supplier, ": ")
		profile.Licenses = add(add(nil, none(p.Declared)), none(p.Concluded))
		for _, r := range p.Refs {
			if r.Category == "SECURITY" && (r.Type == "advisory" || r.Type == "fix") {
				profile.KnownVulnerabilities = append(profile.KnownVulnerabilities, evidence.Vulnerability{ID: r.Locator})
			}
		}
	}
	return out, nil
}

// main is the package that the document describes, the first where it does not say; -1 where there is none.
func (d *spdx2) main() int {
	described := d.Describes
	for _, r := range d.Relationships {
		if r.Type == "DESCRIBES" && r.From == "SPDXRef-DOCUMENT" {
			described = append(described, r.To)
		}
	}
	for i, p := range d.Packages {
		if slices.Contains(described, p.ID) {
			return i
		}
	}
	return min(0, len(d.Packages)-1)
}

// none is empty for the texts with which SPDX 2 says that nothing is said.
func none(text string) string {
	if text == "NOASSERTION" || text == "NONE" {
		return ""
	}
	return text
}
