package evidence

// SBOMQuestion asks what a bill of materials says of a model.
type SBOMQuestion struct {
	Name string `json:"name"` // the document's file name, a label
	Text []byte `json:"text"`
	// Metadata are single values out of the model file, where there is no document.
	Metadata []Value `json:"metadata,omitempty"`
}

// Value is one of a file's metadata.
type Value struct {
	Name string `json:"name"` // general.license
	Text string `json:"text"`
}

// SBOM is what is known of a model's bill of materials.
type SBOM struct {
	State   State  `json:"state"`
	Message string `json:"message,omitempty"`
	// Present is set where there is a document that was understood.
	Present  bool   `json:"present"`
	Document string `json:"document,omitempty"` // file name
	Format   string `json:"format,omitempty"`   // SPDX-3.0.1, SPDX-2.3, CycloneDX-1.6, simple, model-card
	// Embedded is set where the document lies in the model file itself: whoever made the one made the other.
	Embedded bool `json:"embedded,omitempty"`
	// Bound is set where the document names the file's own SHA-256: only then is it about this file.
	Bound   bool      `json:"bound"`
	Profile AIProfile `json:"aiProfile"`
	// Digests are the SHA-256 sums of files that the document names, with their names where it has some.
	Digests []SignedFile `json:"digests,omitempty"`
}

// AIProfile is what bills of materials of all formats come to: docs/sbom.md tells which field of each goes where.
type AIProfile struct {
	Name                 string            `json:"name,omitempty"`
	Version              string            `json:"version,omitempty"`
	Supplier             string            `json:"supplier,omitempty"`
	ModelType            string            `json:"modelType,omitempty"`
	ModelCard            string            `json:"modelCard,omitempty"` // URL
	Task                 string            `json:"task,omitempty"`
	Architecture         string            `json:"architecture,omitempty"`
	Licenses             []string          `json:"licenses,omitempty"` // SPDX expressions
	BaseModels           []string          `json:"baseModels,omitempty"`
	TrainingDatasets     []Dataset         `json:"trainingDatasets,omitempty"`
	KnownVulnerabilities []Vulnerability   `json:"knownVulnerabilities,omitempty"`
	Hyperparameters      map[string]string `json:"hyperparameters,omitempty"`
	Limitations          []string          `json:"limitations,omitempty"`
	Domains              []string          `json:"domains,omitempty"`
	SafetyRisk           string            `json:"safetyRisk,omitempty"`   // serious, high, medium or low
	PersonalData         string            `json:"personalData,omitempty"` // yes, no or noAssertion
	TrainingInformation  string            `json:"trainingInformation,omitempty"`
}

// Dataset is one that a model was trained on.
type Dataset struct {
	Name    string `json:"name"`
	License string `json:"license,omitempty"`
	URL     string `json:"url,omitempty"`
	// PersonalData is what the document says of it: yes, no or noAssertion.
	PersonalData string `json:"personalData,omitempty"`
}

// Vulnerability is one that a document names.
type Vulnerability struct {
	ID          string `json:"id"`
	Description string `json:"description,omitempty"`
	State       string `json:"state,omitempty"` // of CycloneDX's analysis, or of SPDX's VEX: not_affected …
	Severity    string `json:"severity,omitempty"`
}
