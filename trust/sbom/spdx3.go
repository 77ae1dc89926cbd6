package sbom

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// element is one of SPDX 3.0's @graph, with the properties that are read of it.
type element struct {
	ID       string `json:"spdxId"`
	AtID     string `json:"@id"`
	Type     string `json:"type"`
	Name     string `json:"name"`
	Version  string `json:"software_packageVersion"`
	URL      string `json:"software_downloadLocation"`
	HomePage string `json:"software_homePage"`
	Supplier string `json:"suppliedBy"`

	Summary         string            `json:"summary"`
	Description     string            `json:"description"`
	Kind            []string          `json:"ai_typeOfModel"`
	Domain          []string          `json:"ai_domain"`
	Hyperparameters []dictionaryEntry `json:"ai_hyperparameter"`
	Limitation      string            `json:"ai_limitation"`
	Training        string            `json:"ai_informationAboutTraining"`
	Risk            string            `json:"ai_safetyRiskAssessment"`
	Personal        string            `json:"ai_useSensitivePersonalInformation"`
	DataPersonal    string            `json:"dataset_hasSensitivePersonalInformation"`

	Expression string `json:"simplelicensing_licenseExpression"`
	LicenseID  string `json:"expandedlicensing_licenseId"`

	Relationship string         `json:"relationshipType"`
	From         string         `json:"from"`
	To           []string       `json:"to"`
	Justify      string         `json:"security_justificationType"`
	Hashes       []spdxHash     `json:"verifiedUsing"`
	Identifiers  []spdxExternal `json:"externalIdentifier"`
}

type (
	dictionaryEntry struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	spdxHash struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"hashValue"`
	}
	spdxExternal struct {
		Kind  string `json:"externalIdentifierType"`
		Value string `json:"identifier"`
	}
)

// graph is a document's elements by identifier.
type graph struct {
	byID  map[string]*element
	order []*element
}

// readSPDX3 follows the relationships from the model on: what it was trained on, and under which licence that is.
func readSPDX3(text []byte) (*evidence.SBOM, error) {
	var doc struct {
		Graph []jsontext.Value `json:"@graph"`
	}
	if err := decode(text, &doc); err != nil {
		return nil, err
	}
	g := graph{byID: map[string]*element{}}
	for _, raw := range doc.Graph {
		e := new(element)
		// An element of a class that is not read may have a property of another type under one of these names.
		if err := json.Unmarshal(raw, e); err != nil {
			var kind struct {
				Type string `json:"type"`
			}
			if json.Unmarshal(raw, &kind) != nil || kind.Type == "ai_AIPackage" || kind.Type == "dataset_DatasetPackage" || kind.Type == "Relationship" {
				return nil, err
			}
			continue
		}
		g.byID[cmp.Or(e.ID, e.AtID)] = e
		g.order = append(g.order, e)
	}
	out := &evidence.SBOM{Format: "SPDX-3.0.1"}
	var model *element
	for _, e := range g.order {
		out.Digests = append(out.Digests, e.digests()...)
		if e.Type == "ai_AIPackage" && model == nil {
			model = e
		}
	}
	if model == nil {
		return out, nil
	}
	out.Profile = model.profile(g)
	for _, r := range g.from(model) {
		g.relate(&out.Profile, r)
	}
	g.vulnerabilities(&out.Profile, model)
	return out, nil
}

func (e *element) digests() []evidence.SignedFile {
	var out []evidence.SignedFile
	for _, h := range e.Hashes {
		if h.Algorithm == "sha256" {
			out = append(out, evidence.SignedFile{Name: e.Name, Digest: h.Value})
		}
	}
	return out
}

func (e *element) profile(g graph) evidence.AIProfile {
	p := evidence.AIProfile{
		Name: e.Name, Version: e.Version, ModelType: strings.Join(e.Kind, ", "), Domains: e.Domain, SafetyRisk: e.Risk,
		PersonalData: e.Personal, TrainingInformation: e.Training, ModelCard: cmp.Or(e.HomePage, e.URL), Hyperparameters: map[string]string{},
	}
	if e.Limitation != "" {
		p.Limitations = []string{e.Limitation}
	}
	if s := g.byID[e.Supplier]; s != nil {
		p.Supplier = s.Name
	}
	for _, h := range e.Hyperparameters {
		p.Hyperparameters[h.Key] = h.Value
	}
	return p
}

// from lists the relationships that start at an element.
func (g graph) from(e *element) []*element {
	var out []*element
	for _, r := range g.order {
		if r.Relationship != "" && r.From == cmp.Or(e.ID, e.AtID) {
			out = append(out, r)
		}
	}
	return out
}

func (g graph) relate(p *evidence.AIProfile, r *element) {
	for _, id := range r.To {
		to := g.byID[id]
		switch r.Relationship {
		case "trainedOn", "finetunedOn", "pretrainedOn":
			if to != nil && len(p.TrainingDatasets) < maxItems {
				p.TrainingDatasets = append(p.TrainingDatasets, evidence.Dataset{
					Name: to.Name, License: strings.Join(g.licences(to), " AND "), URL: to.URL, PersonalData: to.DataPersonal,
				})
			}
		case "hasDeclaredLicense", "hasConcludedLicense":
			p.Licenses = add(p.Licenses, licence(to, id))
		case "descendantOf", "ancestorOf", "dependsOn":
			if r.Relationship == "descendantOf" && to != nil {
				p.BaseModels = add(p.BaseModels, to.Name)
			}
		}
	}
}

// licences are an element's, concluded or declared.
func (g graph) licences(e *element) []string {
	var out []string
	for _, r := range g.from(e) {
		if r.Relationship == "hasDeclaredLicense" || r.Relationship == "hasConcludedLicense" {
			for _, id := range r.To {
				out = add(out, licence(g.byID[id], id))
			}
		}
	}
	return out
}

// licence is the text of a licence element, or of an individual of the licence list, which has no element.
func licence(e *element, id string) string {
	if e != nil {
		return cmp.Or(e.Expression, e.LicenseID, e.Name)
	}
	if _, name, ok := strings.Cut(id, "spdx.org/licenses/"); ok {
		return name
	}
	return ""
}

// vulnerabilities are those that a relationship connects with the model: hasAssociatedVulnerability from it, or one of
// the security profile's assessments of it.
func (g graph) vulnerabilities(p *evidence.AIProfile, model *element) {
	states := map[string]string{"affects": "exploitable", "doesNotAffect": "not_affected", "fixedIn": "resolved", "underInvestigationFor": "in_triage"}
	found := map[string]int{}
	note := func(e *element, state string) {
		if e == nil || len(p.KnownVulnerabilities) >= maxItems {
			return
		}
		id := e.vulnerability()
		if at, ok := found[id]; ok {
			if state != "" {
				p.KnownVulnerabilities[at].State = state
			}
			return
		}
		found[id] = len(p.KnownVulnerabilities)
		p.KnownVulnerabilities = append(p.KnownVulnerabilities, evidence.Vulnerability{ID: id, Description: cmp.Or(e.Summary, e.Description), State: state})
	}
	id := cmp.Or(model.ID, model.AtID)
	for _, r := range g.order {
		if r.Relationship == "hasAssociatedVulnerability" && r.From == id {
			for _, to := range r.To {
				note(g.byID[to], "")
			}
		}
		if state, ok := states[r.Relationship]; ok {
			for _, to := range r.To {
				if to == id {
					note(g.byID[r.From], state)
				}
			}
		}
	}
}

func (e *element) vulnerability() string {
	for _, x := range e.Identifiers {
		if x.Kind == "cve" {
			return x.Value
		}
	}
	return e.Name
}
