// Package sbom reads and writes bills of materials of models: SPDX 3.0 with its AI and Dataset profiles, SPDX 2,
// CycloneDX's ML-BOM, the small aiProfile document of secure-torch's first versions, and the front matter of model
// cards. Whatever the format, what is read becomes one evidence.AIProfile.
package sbom

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Bounds of a document and of what is taken from it.
const (
	MaxDocument = 16 << 20 // bytes
	maxItems    = 2000     // of each list
	maxText     = 2000     // bytes of one text
)

// errUnknown says that a document is of none of the formats.
var errUnknown = errors.New("neither SPDX, nor CycloneDX, nor an aiProfile, nor a model card")

// Read reads a document of any of the formats. A failure is in the answer: its State is then Invalid.
func Read(q *evidence.SBOMQuestion) *evidence.SBOM {
	out, err := readAny(q)
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return &evidence.SBOM{State: evidence.Invalid, Message: cut(text)}
	}
	out.State, out.Present = evidence.Valid, true
	bound(out)
	return out
}

func readAny(q *evidence.SBOMQuestion) (*evidence.SBOM, error) {
	if len(q.Text) == 0 && len(q.Metadata) > 0 {
		return readMetadata(q.Metadata), nil
	}
	return read(q.Text)
}

func read(text []byte) (*evidence.SBOM, error) {
	if len(text) > MaxDocument {
		return nil, fmt.Errorf("%d bytes, more than %d", len(text), MaxDocument)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); bytes.HasPrefix(trimmed, []byte("{")) {
		return readJSON(text)
	}
	if bytes.HasPrefix(text, []byte("---")) {
		return readCard(text)
	}
	return nil, errUnknown
}

// readJSON tells the formats apart by the fields that each must have.
func readJSON(text []byte) (*evidence.SBOM, error) {
	var head struct {
		Context     jsontext.Value `json:"@context"`
		Graph       jsontext.Value `json:"@graph"`
		BOMFormat   string         `json:"bomFormat"`
		SpecVersion string         `json:"specVersion"`
		SPDXVersion string         `json:"spdxVersion"`
		AIProfile   jsontext.Value `json:"aiProfile"`
		ModelType   jsontext.Value `json:"model_type"`
		Structure   jsontext.Value `json:"architectures"`
	}
	if err := decode(text, &head); err != nil {
		return nil, err
	}
	switch {
	case head.BOMFormat == "CycloneDX":
		return readCycloneDX(text, head.SpecVersion)
	case head.Graph != nil && bytes.Contains(head.Context, []byte("spdx.org/rdf/3.")):
		return readSPDX3(text)
	case head.AIProfile != nil:
		return readSimple(text)
	case strings.HasPrefix(head.SPDXVersion, "SPDX-2."):
		return readSPDX2(text, head.SPDXVersion)
	case head.ModelType != nil || head.Structure != nil:
		return readConfig(text)
	}
	return nil, errUnknown
}

// decode reads JSON whose names come once and in their own case; unknown ones are passed over.
func decode(text []byte, into any) error { return json.Unmarshal(text, into) }

// readSimple reads {"spdxVersion": …, "aiProfile": {…}}, which is no SPDX 3 although it says so.
func readSimple(text []byte) (*evidence.SBOM, error) {
	var doc struct {
		Profile struct {
			ModelType        string             `json:"modelType"`
			ModelCard        string             `json:"modelCard"`
			License          string             `json:"license"`
			TrainingDatasets []evidence.Dataset `json:"trainingDatasets"`
			Vulnerabilities  []jsontext.Value   `json:"knownVulnerabilities"`
		} `json:"aiProfile"`
	}
	if err := decode(text, &doc); err != nil {
		return nil, err
	}
	p := evidence.AIProfile{ModelType: doc.Profile.ModelType, ModelCard: doc.Profile.ModelCard, TrainingDatasets: doc.Profile.TrainingDatasets}
	if doc.Profile.License != "" {
		p.Licenses = []string{doc.Profile.License}
	}
	for _, raw := range doc.Profile.Vulnerabilities { // a text, or an object with id
		var v evidence.Vulnerability
		if err := json.Unmarshal(raw, &v.ID); err != nil {
			if err := json.Unmarshal(raw, &v); err != nil {
				return nil, err
			}
		}
		p.KnownVulnerabilities = append(p.KnownVulnerabilities, v)
	}
	return &evidence.SBOM{Format: "simple", Profile: p}, nil
}

// bound cuts lists and texts: a report, a policy's input and a terminal have to take them.
func bound(s *evidence.SBOM) {
	p := &s.Profile
	for _, t := range []*string{&p.Version, &p.Supplier, &p.ModelCard} {
		*t = known(*t)
	}
	for _, t := range []*string{
		&s.Format, &p.Name, &p.Version, &p.Supplier, &p.ModelType, &p.ModelCard, &p.Task, &p.Architecture, &p.SafetyRisk, &p.PersonalData, &p.TrainingInformation,
	} {
		*t = cut(*t)
	}
	for _, list := range []*[]string{&p.Licenses, &p.BaseModels, &p.Limitations, &p.Domains} {
		*list = (*list)[:min(len(*list), maxItems)]
		for i, t := range *list {
			(*list)[i] = cut(t)
		}
	}
	p.TrainingDatasets = p.TrainingDatasets[:min(len(p.TrainingDatasets), maxItems)]
	for i := range p.TrainingDatasets {
		d := &p.TrainingDatasets[i]
		d.Name, d.License, d.URL, d.PersonalData = cut(d.Name), cut(d.License), known(cut(d.URL)), cut(d.PersonalData)
	}
	p.KnownVulnerabilities = p.KnownVulnerabilities[:min(len(p.KnownVulnerabilities), maxItems)]
	for i := range p.KnownVulnerabilities {
		v := &p.KnownVulnerabilities[i]
		v.ID, v.Description, v.State, v.Severity = cut(v.ID), cut(v.Description), cut(v.State), cut(v.Severity)
	}
	kept := map[string]string{}
	for k, v := range p.Hyperparameters {
		if len(kept) < maxItems {
			kept[cut(k)] = cut(v)
		}
	}
	if p.Hyperparameters = kept; len(kept) == 0 {
		p.Hyperparameters = nil
	}
	s.Digests = slices.DeleteFunc(s.Digests, func(f evidence.SignedFile) bool {
		raw, err := hex.DecodeString(f.Digest)
		return err != nil || len(raw) != 32
	})
	s.Digests = s.Digests[:min(len(s.Digests), 10*maxItems)]
	for i := range s.Digests {
		s.Digests[i].Name, s.Digests[i].Digest = cut(s.Digests[i].Name), strings.ToLower(s.Digests[i].Digest)
	}
}

// known is empty for what stands where a format wants a value and nobody has one.
func known(s string) string {
	switch strings.ToLower(s) {
	case "unknown", "urn:unknown", "noassertion", "none":
		return ""
	}
	return s
}

func cut(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// add appends a text that is not empty and not there yet.
func add(list []string, text string) []string {
	if text == "" || text == "NOASSERTION" || slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}
