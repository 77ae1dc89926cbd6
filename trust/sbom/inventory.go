package sbom

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Inventory is what a bill of materials is written from: the files as they were hashed and scanned, and what documents
// beside them say of the model.
type Inventory struct {
	Name, Version string
	PURL          string // pkg:huggingface/org/name@commit; empty for none
	Created       time.Time
	Tool, ToolVer string
	Profile       evidence.AIProfile
	// Parameters is the number of numbers in the weights, read from them; 0 where that is not known.
	Parameters int64
	Files      []File
}

// File is one file of the model.
type File struct {
	Name     string
	Size     int64
	SHA256   string // lower-case hexadecimal
	Formats  []string
	Verdict  string
	Findings []Finding
}

// Finding is one of a scan: what loading the file would do.
type Finding struct {
	Rule, Name, Severity, Message string
	CWE                           []string
	Score                         int
}

// Formats that Write knows, in the order that help lists them.
const (
	SPDX3     = "spdx3"
	SPDX2     = "spdx2"
	CycloneDX = "cyclonedx"
)

// Write writes the inventory in one of the formats. The same inventory gives the same bytes.
func Write(format string, v *Inventory) ([]byte, error) {
	v = v.sorted()
	var doc any
	switch format {
	case SPDX3:
		doc = v.spdx3()
	case SPDX2:
		doc = v.spdx2()
	case CycloneDX:
		doc = v.cyclonedx()
	default:
		return nil, fmt.Errorf("format %q is none of %s, %s and %s", format, SPDX3, SPDX2, CycloneDX)
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	return append(out, '\n'), err
}

// object is a JSON object, written with its names in order.
type object map[string]any

// set adds what is not empty.
func (o object) set(name string, value any) object {
	switch v := value.(type) {
	case string:
		if v == "" {
			return o
		}
	case []string:
		if len(v) == 0 {
			return o
		}
	case []object:
		if len(v) == 0 {
			return o
		}
	}
	o[name] = value
	return o
}

func (v *Inventory) sorted() *Inventory {
	out := *v
	out.Files = slices.SortedFunc(slices.Values(v.Files), func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return &out
}

// digest identifies the inventory's files: documents about the same files have the same identifier.
func (v *Inventory) digest() string {
	h := sha256.New()
	for _, f := range v.Files {
		fmt.Fprintf(h, "%s\x00%s\n", f.Name, f.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// uuid is a version 8 UUID (RFC 9562) made from the files' digests.
func (v *Inventory) uuid() string {
	d := []byte(v.digest())
	d[12], d[16] = '8', 'a'
	return fmt.Sprintf("%s-%s-%s-%s-%s", d[0:8], d[8:12], d[12:16], d[16:20], d[20:32])
}

func (v *Inventory) when() string { return v.Created.UTC().Format("2006-01-02T15:04:05Z") }

// hyperparameters are those of the profile, and the number of parameters, sorted by name.
func (v *Inventory) hyperparameters() [][2]string {
	var out [][2]string
	for name, value := range v.Profile.Hyperparameters {
		out = append(out, [2]string{name, value})
	}
	if v.Parameters > 0 {
		out = append(out, [2]string{"parameters", fmt.Sprint(v.Parameters)})
	}
	slices.SortFunc(out, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	return out
}

// expression is a licence as SPDX can hold it: an identifier of its list, or a reference of our own.
func expression(licence string) string {
	if id, ok := spdxIDs[strings.ToLower(licence)]; ok {
		return id
	}
	var b strings.Builder
	for _, r := range licence {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	return "LicenseRef-" + b.String()
}

// spdxIDs are identifiers of the SPDX licence list that models come under, by how model cards write them.
var spdxIDs = map[string]string{
	"apache-2.0": "Apache-2.0", "mit": "MIT", "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause", "gpl-2.0": "GPL-2.0-only",
	"gpl-2.0-only": "GPL-2.0-only", "gpl-3.0": "GPL-3.0-only", "gpl-3.0-only": "GPL-3.0-only", "gpl-3.0-or-later": "GPL-3.0-or-later",
	"agpl-3.0": "AGPL-3.0-only", "agpl-3.0-only": "AGPL-3.0-only", "lgpl-3.0": "LGPL-3.0-only", "lgpl-3.0-only": "LGPL-3.0-only",
	"cc0-1.0": "CC0-1.0", "cc-by-4.0": "CC-BY-4.0", "cc-by-sa-4.0": "CC-BY-SA-4.0", "cc-by-nc-4.0": "CC-BY-NC-4.0",
	"cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0", "cc-by-nd-4.0": "CC-BY-ND-4.0", "cc-by-3.0": "CC-BY-3.0", "cc-by-sa-3.0": "CC-BY-SA-3.0",
	"mpl-2.0": "MPL-2.0", "isc": "ISC", "unlicense": "Unlicense", "artistic-2.0": "Artistic-2.0", "ecl-2.0": "ECL-2.0", "zlib": "Zlib",
	"wtfpl": "WTFPL", "bsl-1.0": "BSL-1.0", "afl-3.0": "AFL-3.0", "osl-3.0": "OSL-3.0", "epl-2.0": "EPL-2.0", "odbl": "ODbL-1.0", "pddl": "PDDL-1.0",
}
