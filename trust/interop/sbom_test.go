package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/trust/sbom"
)

// validators are programs that end in an error where a document is not valid.
var validators = map[string]string{
	sbom.CycloneDX: `
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_7).validate_str(open(sys.argv[1]).read())
sys.exit(str(error) if error else 0)
`,
	sbom.SPDX2: `
import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
messages = validate_full_spdx_document(parse_file(sys.argv[1]))
sys.exit("\n".join(m.validation_message for m in messages) if messages else 0)
`,
	sbom.SPDX3: `
import sys
from spdx_python_model import v3_0_1 as spdx
objects = spdx.SHACLObjectSet()
spdx.JSONLDDeserializer().read(open(sys.argv[1], "rb"), objects)
missing = objects.link()
models = list(objects.foreach_type(spdx.ai_AIPackage))
documents = list(objects.foreach_type(spdx.SpdxDocument))
assert len(models) == 2 and len(documents) == 1, (models, documents)
assert not missing, missing
`,
}

// TestSBOMs: what is written passes the validators of those who define the formats.
func TestSBOMs(t *testing.T) {
	full := &sbom.Inventory{
		Name: "org/model", Version: "0123abc", PURL: "pkg:huggingface/org/model@0123abc", Created: time.Unix(1_700_000_000, 0), Tool: "secure-torch", ToolVer: "v0.1.0-3-gabc",
		Parameters: 7,
		Profile: evidence.AIProfile{
			ModelType: "llama", Architecture: "LlamaForCausalLM", Task: "text-generation", Supplier: "Org", Licenses: []string{"apache-2.0", "my own licence"},
			TrainingDatasets: []evidence.Dataset{{Name: "The Stack", License: "GPL-3.0-only", URL: "https://example.org/d"}, {Name: "Other"}},
			BaseModels:       []string{"org/base"}, Hyperparameters: map[string]string{"hidden_size": "64"}, Limitations: []string{"none known"},
			KnownVulnerabilities: []evidence.Vulnerability{{ID: "CVE-2099-1", Description: "d"}},
		},
		Files: []sbom.File{
			{Name: "sub/weights.bin", Size: 7, SHA256: strings.Repeat("ab", 32), Formats: []string{"pickle"}, Verdict: "unsafe", Findings: []sbom.Finding{{
				Rule: "ST201", Name: "pickle-os-system", Severity: "critical", Message: "would call os.system", CWE: []string{"CWE-502"},
			}}},
			{Name: "config.json", Size: 2, SHA256: strings.Repeat("cd", 32), Verdict: "safe"},
		},
	}
	for format, program := range validators {
		t.Run(format, func(t *testing.T) {
			text, err := sbom.Write(format, full)
			if err != nil {
				t.Fatal(err)
			}
			ending := ".spdx.json"
			if format == sbom.CycloneDX {
				ending = ".cdx.json"
			}
			path := filepath.Join(t.TempDir(), "sbom"+ending)
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if out, ok := tool(t, "python", "-c", program, path); !ok {
				t.Errorf("%s\n%s", out, text)
			}
		})
	}
}
