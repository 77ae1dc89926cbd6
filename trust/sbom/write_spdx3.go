package sbom

import (
	"cmp"
	"fmt"
	"strings"
)

// spdx3writer gathers the elements of an SPDX 3.0.1 document.
type spdx3writer struct {
	base     string // of the identifiers
	elements []object
	ids      []string
	links    int
}

// element adds one, under an identifier that ends in name.
func (w *spdx3writer) element(kind, name string, o object) string {
	id := w.base + name
	o["type"], o["spdxId"], o["creationInfo"] = kind, id, "_:creation"
	w.elements = append(w.elements, o)
	w.ids = append(w.ids, id)
	return id
}

// relate adds a relationship.
func (w *spdx3writer) relate(from, kind string, to ...string) {
	w.links++
	w.element("Relationship", fmt.Sprintf("relationship-%d", w.links), object{"from": from, "relationshipType": kind, "to": to})
}

// licence adds a licence expression, and what is declared to be under it.
func (w *spdx3writer) licence(of, name, licence string) {
	if licence != "" {
		id := w.element("simplelicensing_LicenseExpression", name, object{"simplelicensing_licenseExpression": expression(licence)})
		w.relate(of, "hasDeclaredLicense", id)
	}
}

// spdx3 is the inventory as SPDX 3.0.1 with the AI, Dataset, Software and Security profiles.
func (v *Inventory) spdx3() object {
	w := &spdx3writer{base: "https://spdx.org/spdxdocs/secure-torch-" + v.uuid() + "#"}
	tool := w.element("SoftwareAgent", "tool", object{"name": strings.TrimSpace(v.Tool + " " + v.ToolVer)})
	supplier := w.element("Organization", "supplier", object{"name": cmp.Or(v.Profile.Supplier, "unknown")})
	model := w.element("ai_AIPackage", "model", v.spdx3Model(supplier))
	for i, l := range v.Profile.Licenses {
		w.licence(model, fmt.Sprintf("licence-%d", i+1), l)
	}
	v.spdx3Data(w, model, supplier)
	for i, b := range v.Profile.BaseModels {
		base := w.element("ai_AIPackage", fmt.Sprintf("base-%d", i+1), object{
			"name": b, "software_primaryPurpose": "model", "suppliedBy": supplier, "software_packageVersion": "unknown",
			"software_downloadLocation": "urn:unknown", "releaseTime": v.when(),
		})
		w.relate(model, "descendantOf", base)
	}
	v.spdx3Files(w, model, tool)
	document := w.base + "document"
	creation := object{
		"type": "CreationInfo", "@id": "_:creation", "specVersion": "3.0.1", "created": v.when(), "createdBy": []string{tool},
	}
	graph := append([]object{creation, {
		"type": "SpdxDocument", "spdxId": document, "creationInfo": "_:creation", "name": v.Name, "rootElement": []string{model},
		"element": w.ids, "profileConformance": []string{"core", "software", "simpleLicensing", "ai", "dataset", "security"},
	}}, w.elements...)
	return object{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}
}

func (v *Inventory) spdx3Model(supplier string) object {
	p := v.Profile
	o := object{
		"name": v.Name, "suppliedBy": supplier, "software_primaryPurpose": "model", "software_packageVersion": cmp.Or(v.Version, "unknown"),
		"software_downloadLocation": cmp.Or(v.location(), "urn:unknown"), "releaseTime": v.when(),
	}.set("software_packageUrl", v.PURL).set("software_homePage", p.ModelCard).set("ai_domain", p.Domains).
		set("ai_limitation", strings.Join(p.Limitations, "; ")).set("ai_informationAboutTraining", p.TrainingInformation)
	var kinds []string
	for _, k := range []string{p.ModelType, p.Architecture} {
		kinds = add(kinds, k)
	}
	o.set("ai_typeOfModel", kinds)
	if p.Task != "" {
		o["ai_informationAboutApplication"] = "task: " + p.Task
	}
	var entries []object
	for _, h := range v.hyperparameters() {
		entries = append(entries, object{"type": "DictionaryEntry", "key": h[0], "value": h[1]})
	}
	return o.set("ai_hyperparameter", entries)
}

// location is where a package of the hub is downloaded from.
func (v *Inventory) location() string {
	if rest, ok := strings.CutPrefix(v.PURL, "pkg:huggingface/"); ok {
		repo, _, _ := strings.Cut(rest, "@")
		return "https://huggingface.co/" + repo
	}
	return ""
}

func (v *Inventory) spdx3Data(w *spdx3writer, model, supplier string) {
	for i, d := range v.Profile.TrainingDatasets {
		id := w.element("dataset_DatasetPackage", fmt.Sprintf("dataset-%d", i+1), object{
			"name": d.Name, "dataset_datasetType": []string{"noAssertion"}, "originatedBy": []string{supplier}, "software_primaryPurpose": "data",
			"software_downloadLocation": cmp.Or(d.URL, "urn:unknown"), "releaseTime": v.when(), "builtTime": v.when(),
		})
		w.licence(id, fmt.Sprintf("dataset-licence-%d", i+1), d.License)
		w.relate(model, "trainedOn", id)
	}
}

// spdx3Files are the files with their digests; what a scan found in one is a vulnerability that affects it.
func (v *Inventory) spdx3Files(w *spdx3writer, model, tool string) {
	var files []string
	for i, f := range v.Files {
		o := object{
			"name": f.Name, "software_primaryPurpose": "file",
			"verifiedUsing": []object{{"type": "Hash", "algorithm": "sha256", "hashValue": f.SHA256}},
		}
		if f.Verdict != "" {
			o["summary"] = "verdict: " + f.Verdict
		}
		id := w.element("software_File", fmt.Sprintf("file-%d", i+1), o)
		files = append(files, id)
		for j, x := range f.Findings {
			vuln := w.element("security_Vulnerability", fmt.Sprintf("finding-%d-%d", i+1, j+1), object{"name": x.Rule, "summary": x.Name, "description": x.Message})
			w.links++
			w.element("security_VexAffectedVulnAssessmentRelationship", fmt.Sprintf("relationship-%d", w.links), object{
				"from": vuln, "relationshipType": "affects", "to": []string{id}, "security_assessedElement": id, "suppliedBy": tool,
				"security_actionStatement": "do not load this file with a loader that runs what is in it",
			})
		}
	}
	if len(files) > 0 {
		w.relate(model, "contains", files...)
	}
	for i, k := range v.Profile.KnownVulnerabilities {
		id := w.element("security_Vulnerability", fmt.Sprintf("vulnerability-%d", i+1), object{"name": k.ID}.set("description", k.Description))
		w.relate(model, "hasAssociatedVulnerability", id)
	}
}
