package sbom

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

var sum = strings.Repeat("ab", 32)

func inventory() *Inventory {
	return &Inventory{
		Name: "org/model", Version: "0123abc", PURL: "pkg:huggingface/org/model@0123abc", Created: time.Unix(1_700_000_000, 0),
		Tool: "secure-torch", ToolVer: "0.1.0", Parameters: 7,
		Profile: evidence.AIProfile{
			ModelType: "llama", Architecture: "LlamaForCausalLM", Supplier: "Org", Licenses: []string{"Apache-2.0", "my own"},
			TrainingDatasets: []evidence.Dataset{{Name: "The Stack", License: "GPL-3.0-only"}, {Name: "Other"}},
			BaseModels:       []string{"org/base"}, Hyperparameters: map[string]string{"hidden_size": "64"}, Limitations: []string{"none known"},
			KnownVulnerabilities: []evidence.Vulnerability{{ID: "CVE-2099-1"}},
		},
		Files: []File{
			{Name: "sub/weights.bin", Size: 7, SHA256: sum, Formats: []string{"pickle"}, Verdict: "unsafe", Findings: []Finding{{
				Rule: "ST201", Name: "pickle-os-system", Severity: "critical", Message: "would call os.system", CWE: []string{"CWE-502"},
			}}},
			{Name: "config.json", Size: 2, SHA256: strings.Repeat("cd", 32), Verdict: "safe"},
		},
	}
}

// TestRoundTrip: what is written is read again, as far as the format has words for it.
func TestRoundTrip(t *testing.T) {
	for _, format := range []string{SPDX3, SPDX2, CycloneDX} {
		text, err := Write(format, inventory())
		if err != nil {
			t.Fatal(err)
		}
		again, err := Write(format, inventory())
		if err != nil || !bytes.Equal(text, again) {
			t.Errorf("%s: not the same twice", format)
		}
		got := Read(&evidence.SBOMQuestion{Text: text})
		if got.State != evidence.Valid || len(got.Digests) != 2 || got.Digests[1].Digest != sum {
			t.Errorf("%s: %+v", format, got)
		}
		p := got.Profile
		if p.Name != "org/model" || p.Version != "0123abc" || p.Supplier != "Org" || len(p.Licenses) == 0 || !strings.HasPrefix(p.Licenses[0], "Apache-2.0") {
			t.Errorf("%s: %+v", format, p)
		}
		if format == SPDX2 {
			if !strings.Contains(p.TrainingInformation, "The Stack (GPL-3.0-only)") {
				t.Errorf("%s: %q", format, p.TrainingInformation)
			}
			continue
		}
		if len(p.TrainingDatasets) != 2 || p.TrainingDatasets[0].Name != "The Stack" || p.TrainingDatasets[0].License != "GPL-3.0-only" ||
			p.Hyperparameters["hidden_size"] != "64" || p.Hyperparameters["parameters"] != "7" || !cmp.Equal(p.BaseModels, []string{"org/base"}) ||
			!strings.Contains(p.ModelType, "llama") || len(p.KnownVulnerabilities) == 0 || len(p.Limitations) != 1 {
			t.Errorf("%s: %+v", format, p)
		}
	}
	if _, err := Write("xml", inventory()); err == nil {
		t.Error("wrote xml")
	}
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, text, format string
		want               evidence.AIProfile
	}{
		{
			"the plan's", `{"spdxVersion":"SPDX-3.0","aiProfile":{"modelType":"transformer","trainingDatasets":[{"name":"The Pile","license":"MIT"}],"knownVulnerabilities":["CVE-2099-1",{"id":"X","state":"resolved"}],"modelCard":"https://huggingface.co/org/model"}}`, "simple",
			evidence.AIProfile{
				ModelType: "transformer", ModelCard: "https://huggingface.co/org/model", TrainingDatasets: []evidence.Dataset{{Name: "The Pile", License: "MIT"}},
				KnownVulnerabilities: []evidence.Vulnerability{{ID: "CVE-2099-1"}, {ID: "X", State: "resolved"}},
			},
		},
		{
			"SPDX 3", `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
{"type":"ai_AIPackage","spdxId":"m","name":"M","suppliedBy":"o","ai_typeOfModel":["transformer"],"ai_safetyRiskAssessment":"high","ai_useSensitivePersonalInformation":"no","ai_hyperparameter":[{"type":"DictionaryEntry","key":"k","value":"v"}]},
{"type":"Organization","spdxId":"o","name":"O"},
{"type":"dataset_DatasetPackage","spdxId":"d","name":"D","dataset_hasSensitivePersonalInformation":"yes"},
{"type":"simplelicensing_LicenseExpression","spdxId":"l","simplelicensing_licenseExpression":"GPL-3.0-only"},
{"type":"Relationship","spdxId":"r1","from":"m","relationshipType":"trainedOn","to":["d"]},
{"type":"Relationship","spdxId":"r2","from":"d","relationshipType":"hasConcludedLicense","to":["l"]},
{"type":"Relationship","spdxId":"r3","from":"m","relationshipType":"hasDeclaredLicense","to":["https://spdx.org/licenses/MIT"]},
{"type":"security_Vulnerability","spdxId":"v","name":"n","externalIdentifier":[{"externalIdentifierType":"cve","identifier":"CVE-2099-2"}]},
{"type":"security_VexNotAffectedVulnAssessmentRelationship","spdxId":"r4","from":"v","relationshipType":"doesNotAffect","to":["m"]},
{"type":"Snippet","spdxId":"s","to":"a text and no list"}]}`, "SPDX-3.0.1",
			evidence.AIProfile{
				Name: "M", Supplier: "O", ModelType: "transformer", SafetyRisk: "high", PersonalData: "no", Hyperparameters: map[string]string{"k": "v"}, Licenses: []string{"MIT"},
				TrainingDatasets:     []evidence.Dataset{{Name: "D", License: "GPL-3.0-only", PersonalData: "yes"}},
				KnownVulnerabilities: []evidence.Vulnerability{{ID: "CVE-2099-2", State: "not_affected"}},
			},
		},
		{
			"SPDX 2", `{"spdxVersion":"SPDX-2.2","documentDescribes":["SPDXRef-b"],"packages":[{"SPDXID":"SPDXRef-a","name":"a"},{"SPDXID":"SPDXRef-b","name":"b","licenseDeclared":"MIT","licenseConcluded":"NOASSERTION","supplier":"Organization: O"}]}`, "SPDX-2.2",
			evidence.AIProfile{Name: "b", Licenses: []string{"MIT"}, Supplier: "O"},
		},
		{
			"CycloneDX", `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"library","name":"x"},{"type":"machine-learning-model","name":"m","group":"g","licenses":[{"expression":"MIT OR Apache-2.0"}],
"modelCard":{"modelParameters":{"task":"t","datasets":[{"type":"dataset","name":"inline","contents":{"properties":[{"name":"license","value":"CC0-1.0"}]}},{"ref":"d"},{"ref":"absent"}]}}},
{"bom-ref":"d","type":"data","name":"D","licenses":[{"license":{"id":"MIT"}}],"data":[{"type":"dataset","sensitiveData":["names"]}]}],
"vulnerabilities":[{"id":"CVE-2099-3","ratings":[{"severity":"high"}],"analysis":{"state":"false_positive"}}]}`, "CycloneDX-1.5",
			evidence.AIProfile{
				Name: "g/m", Task: "t", Licenses: []string{"MIT OR Apache-2.0"},
				TrainingDatasets:     []evidence.Dataset{{Name: "inline", License: "CC0-1.0"}, {Name: "D", License: "MIT", PersonalData: "yes"}},
				KnownVulnerabilities: []evidence.Vulnerability{{ID: "CVE-2099-3", Severity: "high", State: "false_positive"}},
			},
		},
		{
			"model card", "---\r\nlicense: other\r\nlicense_name: my-licence\r\nbase_model: org/base\r\ndatasets:\r\n- a\r\n- b\r\npipeline_tag: text-generation\r\n---\r\n# M\r\n", "model-card",
			evidence.AIProfile{Task: "text-generation", Licenses: []string{"my-licence"}, BaseModels: []string{"org/base"}, TrainingDatasets: []evidence.Dataset{{Name: "a"}, {Name: "b"}}},
		},
		{
			"config.json", `{"model_type":"llama","architectures":["A"],"hidden_size":64,"torch_dtype":"bfloat16","vocab_size":null}`, "config",
			evidence.AIProfile{ModelType: "llama", Architecture: "A", Hyperparameters: map[string]string{"hidden_size": "64", "torch_dtype": "bfloat16"}},
		},
	} {
		got := Read(&evidence.SBOMQuestion{Text: []byte(c.text)})
		if got.State != evidence.Valid || !got.Present || got.Format != c.format {
			t.Errorf("%s: %+v", c.name, got)
		}
		if diff := cmp.Diff(c.want, got.Profile); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "no JSON": "{", "another object": `{"a":1}`, "array": "[]", "duplicate names": `{"bomFormat":"CycloneDX","bomFormat":"CycloneDX"}`,
		"a model without a type of its name": `{"@context":"https://spdx.org/rdf/3.0.1/x","@graph":[{"type":"ai_AIPackage","name":1}]}`,
		"components that are no list":        `{"bomFormat":"CycloneDX","specVersion":"1.6","components":{}}`,
		"card without an end":                "---\nlicense: mit\n", "card that is no YAML": "---\na: [\n---\n",
		"aliases":   "---\na: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ntags: [*f,*f,*f,*f,*f,*f,*f,*f]\n---\n",
		"too large": strings.Repeat(" ", MaxDocument+1),
	} {
		if got := Read(&evidence.SBOMQuestion{Text: []byte(text)}); got.State != evidence.Invalid || got.Present || got.Message == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestBounds: a document cannot flood the report.
func TestBounds(t *testing.T) {
	set := `{"name":"` + strings.Repeat("x", 10_000) + `"},`
	got := Read(&evidence.SBOMQuestion{Text: []byte(`{"aiProfile":{"trainingDatasets":[` + strings.TrimSuffix(strings.Repeat(set, 1500), ",") + `]}}`)})
	if len(got.Profile.TrainingDatasets) != 1500 || len(got.Profile.TrainingDatasets[0].Name) > maxText+10 {
		t.Errorf("%d data sets", len(got.Profile.TrainingDatasets))
	}
	nested := strings.Repeat(`{"type":"file","components":[`, 500) + strings.Repeat(`]}`, 500)
	if got := Read(&evidence.SBOMQuestion{Text: []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[` + nested + `]}`)}); got.State != evidence.Valid {
		t.Errorf("nested components: %+v", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, format := range []string{SPDX3, SPDX2, CycloneDX} {
		text, err := Write(format, inventory())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("---\nlicense: mit\n---\n"))
	f.Fuzz(func(_ *testing.T, text []byte) { Read(&evidence.SBOMQuestion{Text: text}) })
}

// TestMetadata: what single values of a model file's own metadata come to.
func TestMetadata(t *testing.T) {
	v := func(pairs ...string) *evidence.SBOMQuestion {
		q := &evidence.SBOMQuestion{}
		for i := 0; i < len(pairs); i += 2 {
			q.Metadata = append(q.Metadata, evidence.Value{Name: pairs[i], Text: pairs[i+1]})
		}
		return q
	}
	for _, c := range []struct {
		q    *evidence.SBOMQuestion
		want evidence.AIProfile
	}{
		{v("general.name", "n", "general.license", "mit", "general.author", "a", "general.organization", "o", "general.base_model.0.name", "b", "general.base_model.0.repo_url", "https://b",
			"general.base_model.1.name", "c", "general.dataset.1.url", "u", "general.dataset.0.name", "d", "general.dataset.x.name", "no", "general.quantized_by", "q"),
			evidence.AIProfile{Name: "n", Supplier: "o", Licenses: []string{"mit"}, BaseModels: []string{"https://b", "c"}, TrainingDatasets: []evidence.Dataset{{Name: "d"}, {Name: "u", URL: "u"}}}},
		{v("modelspec.title", "t", "modelspec.license", "CC0-1.0", "License", "MIT", "Author", "x", "datasets", "d"),
			evidence.AIProfile{Name: "t", Supplier: "x", Licenses: []string{"CC0-1.0", "MIT"}, TrainingDatasets: []evidence.Dataset{{Name: "d"}}}},
	} {
		got := Read(c.q)
		if diff := cmp.Diff(c.want, got.Profile); diff != "" || got.State != evidence.Valid || got.Format != MetadataFormat {
			t.Errorf("%+v: %s", got, diff)
		}
	}
}
