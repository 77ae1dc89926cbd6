package sbom

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// The part of CycloneDX 1.5 to 1.7 that is read.
type (
	cdxBOM struct {
		Metadata struct {
			Component *cdxComponent `json:"component"`
		} `json:"metadata"`
		Components      []cdxComponent     `json:"components"`
		Vulnerabilities []cdxVulnerability `json:"vulnerabilities"`
	}
	cdxComponent struct {
		Ref       string         `json:"bom-ref"`
		Type      string         `json:"type"`
		Name      string         `json:"name"`
		Group     string         `json:"group"`
		Version   string         `json:"version"`
		Publisher string         `json:"publisher"`
		Supplier  cdxNamed       `json:"supplier"`
		Licenses  []cdxLicence   `json:"licenses"`
		Hashes    []cdxHash      `json:"hashes"`
		Refs      []cdxReference `json:"externalReferences"`
		Pedigree  struct {
			Ancestors []cdxComponent `json:"ancestors"`
		} `json:"pedigree"`
		Card       cdxCard        `json:"modelCard"`
		Data       []cdxData      `json:"data"`
		Properties []cdxProperty  `json:"properties"`
		Components []cdxComponent `json:"components"`
	}
	cdxNamed struct {
		Name string `json:"name"`
	}
	cdxHash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	cdxReference struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	}
	cdxLicence struct {
		Expression string `json:"expression"`
		License    struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"license"`
	}
	cdxProperty struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	cdxCard struct {
		Parameters struct {
			Approach struct {
				Type string `json:"type"`
			} `json:"approach"`
			Task         string           `json:"task"`
			Family       string           `json:"architectureFamily"`
			Architecture string           `json:"modelArchitecture"`
			Datasets     []jsontext.Value `json:"datasets"`
		} `json:"modelParameters"`
		Considerations struct {
			Limitations []string `json:"technicalLimitations"`
		} `json:"considerations"`
		Properties []cdxProperty `json:"properties"`
	}
	cdxData struct {
		Ref       string     `json:"bom-ref"`
		Type      string     `json:"type"`
		Name      string     `json:"name"`
		Sensitive []string   `json:"sensitiveData"`
		Contents  cdxContent `json:"contents"`
	}
	cdxContent struct {
		URL        string        `json:"url"`
		Properties []cdxProperty `json:"properties"`
	}
	cdxVulnerability struct {
		ID          string `json:"id"`
		Description string `json:"description"`
		Ratings     []struct {
			Severity string `json:"severity"`
		} `json:"ratings"`
		Analysis struct {
			State string `json:"state"`
		} `json:"analysis"`
	}
)

// maxNesting bounds components inside components.
const maxNesting = 32

func readCycloneDX(text []byte, version string) (*evidence.SBOM, error) {
	var bom cdxBOM
	if err := decode(text, &bom); err != nil {
		return nil, err
	}
	r := cdxReader{out: &evidence.SBOM{Format: "CycloneDX-" + version}, data: map[string]evidence.Dataset{}}
	if c := bom.Metadata.Component; c != nil {
		r.visit(c, 0)
	}
	for i := range bom.Components {
		r.visit(&bom.Components[i], 0)
	}
	if r.model != nil {
		r.profile()
	}
	for _, v := range bom.Vulnerabilities {
		found := evidence.Vulnerability{ID: v.ID, Description: v.Description, State: v.Analysis.State}
		if len(v.Ratings) > 0 {
			found.Severity = v.Ratings[0].Severity
		}
		r.out.Profile.KnownVulnerabilities = append(r.out.Profile.KnownVulnerabilities, found)
	}
	return r.out, nil
}

type cdxReader struct {
	out   *evidence.SBOM
	model *cdxComponent
	data  map[string]evidence.Dataset // by reference
}

// visit gathers digests, data sets and the first model.
func (r *cdxReader) visit(c *cdxComponent, depth int) {
	if depth > maxNesting {
		return
	}
	for _, h := range c.Hashes {
		if h.Algorithm == "SHA-256" {
			r.out.Digests = append(r.out.Digests, evidence.SignedFile{Name: c.Name, Digest: h.Content})
		}
	}
	switch {
	case c.Type == "machine-learning-model" && r.model == nil:
		r.model = c
	case c.Type == "data":
		set := evidence.Dataset{Name: c.Name, License: strings.Join(licences(c.Licenses), " AND ")}
		for _, d := range c.Data {
			set = merge(set, d)
		}
		r.data[c.Ref] = set
	}
	for i := range c.Components {
		r.visit(&c.Components[i], depth+1)
	}
}

// merge adds what a component's data says.
func merge(set evidence.Dataset, d cdxData) evidence.Dataset {
	set.Name, set.URL = cmp.Or(set.Name, d.Name), cmp.Or(set.URL, d.Contents.URL)
	if len(d.Sensitive) > 0 {
		set.PersonalData = "yes"
	}
	for _, p := range d.Contents.Properties {
		if strings.EqualFold(p.Name, "license") || strings.EqualFold(p.Name, "licence") {
			set.License = cmp.Or(set.License, p.Value)
		}
	}
	return set
}

func (r *cdxReader) profile() {
	c, p := r.model, &r.out.Profile
	p.Name, p.Version = c.Name, c.Version
	if c.Group != "" {
		p.Name = c.Group + "/" + c.Name
	}
	p.Supplier = cmp.Or(c.Supplier.Name, c.Publisher)
	p.Licenses = licences(c.Licenses)
	m := c.Card.Parameters
	p.ModelType, p.Task, p.Architecture = cmp.Or(m.Family, m.Approach.Type), m.Task, cmp.Or(m.Architecture, m.Family)
	p.Limitations = c.Card.Considerations.Limitations
	p.Hyperparameters = map[string]string{}
	for _, prop := range append(c.Card.Properties, c.Properties...) {
		if name, ok := strings.CutPrefix(prop.Name, "hyperparameter:"); ok {
			p.Hyperparameters[name] = prop.Value
		}
	}
	for _, a := range c.Pedigree.Ancestors {
		p.BaseModels = add(p.BaseModels, strings.TrimPrefix(a.Group+"/"+a.Name, "/"))
	}
	for _, x := range c.Refs {
		if x.Type == "documentation" || x.Type == "website" || x.Type == "model-card" {
			p.ModelCard = cmp.Or(p.ModelCard, x.URL)
		}
	}
	for _, raw := range m.Datasets { // a reference to a component, or the data itself
		var ref struct {
			Ref string `json:"ref"`
		}
		var d cdxData
		if json.Unmarshal(raw, &ref) == nil && ref.Ref != "" {
			if set, ok := r.data[ref.Ref]; ok {
				p.TrainingDatasets = append(p.TrainingDatasets, set)
			}
		} else if json.Unmarshal(raw, &d) == nil {
			p.TrainingDatasets = append(p.TrainingDatasets, merge(evidence.Dataset{}, d))
		}
	}
}

func licences(list []cdxLicence) []string {
	var out []string
	for _, l := range list {
		out = add(out, cmp.Or(l.Expression, l.License.ID, l.License.Name))
	}
	return out
}
