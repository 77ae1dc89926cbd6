package sbom

import (
	"fmt"
	"regexp"
	"strings"
)

// spdx2 is the inventory as SPDX 2.3, which has no words for models: the package stands for it, its comment says the
// rest.
func (v *Inventory) spdx2() object {
	namespace := "https://spdx.org/spdxdocs/secure-torch-" + v.uuid()
	pkg := object{
		"SPDXID": "SPDXRef-Model", "name": v.Name, "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
		"licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION", "supplier": "NOASSERTION",
	}.set("versionInfo", v.Version).set("comment", v.comment())
	var extracted []object
	if l := v.Profile.Licenses; len(l) > 0 {
		var ids []string
		for _, name := range l {
			id := expression(name)
			ids = append(ids, id)
			if strings.HasPrefix(id, "LicenseRef-") {
				extracted = append(extracted, object{"licenseId": id, "name": name, "extractedText": "The model card names the licence " + name + "."})
			}
		}
		pkg["licenseDeclared"] = strings.Join(ids, " AND ")
	}
	if v.Profile.Supplier != "" {
		pkg["supplier"] = "Organization: " + v.Profile.Supplier
	}
	if v.PURL != "" {
		pkg["externalRefs"] = []object{{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": v.PURL}}
	}
	relationships := []object{{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-Model"}}
	packages := []object{pkg}
	for i, f := range v.Files { // as packages of one file: SPDX 2 wants a SHA-1 of what it calls a file, which nobody should rely on
		id := fmt.Sprintf("SPDXRef-File-%d", i+1)
		packages = append(packages, object{
			"SPDXID": id, "name": f.Name, "packageFileName": "./" + f.Name, "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
			"primaryPackagePurpose": "FILE", "checksums": []object{{"algorithm": "SHA256", "checksumValue": f.SHA256}},
		}.set("comment", f.comment()))
		relationships = append(relationships, object{"spdxElementId": id, "relationshipType": "DATA_FILE_OF", "relatedSpdxElement": "SPDXRef-Model"})
	}
	return object{
		"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": v.Name, "documentNamespace": namespace,
		"creationInfo": object{"created": v.when(), "creators": []string{"Tool: " + toolName(v.Tool, v.ToolVer)}},
		"packages":     packages, "relationships": relationships,
	}.set("hasExtractedLicensingInfos", extracted)
}

// toolName is "name-version" as SPDX 2 wants it.
func toolName(name, version string) string {
	return strings.TrimSuffix(name+"-"+regexp.MustCompile(`[^A-Za-z0-9.+-]`).ReplaceAllString(version, "-"), "-")
}

func (v *Inventory) comment() string {
	p := v.Profile
	var lines []string
	line := func(name, value string) {
		if value != "" {
			lines = append(lines, name+": "+value)
		}
	}
	line("Model type", p.ModelType)
	line("Architecture", p.Architecture)
	line("Task", p.Task)
	line("Base models", strings.Join(p.BaseModels, ", "))
	var sets []string
	for _, d := range p.TrainingDatasets {
		if d.License != "" {
			d.Name += " (" + d.License + ")"
		}
		sets = append(sets, d.Name)
	}
	line("Training data sets", strings.Join(sets, ", "))
	for _, h := range v.hyperparameters() {
		line(h[0], h[1])
	}
	return strings.Join(lines, "\n")
}

func (f *File) comment() string {
	var lines []string
	if f.Verdict != "" {
		lines = append(lines, "verdict: "+f.Verdict)
	}
	for _, x := range f.Findings {
		lines = append(lines, fmt.Sprintf("%s %s (%s): %s", x.Rule, x.Name, x.Severity, x.Message))
	}
	return strings.Join(lines, "\n")
}
