package sbom

import (
	"fmt"
	"strconv"
	"strings"
)

// cyclonedx is the inventory as a CycloneDX 1.7 ML-BOM: the model with its card, its files inside it, data sets as
// components of their own, and what a scan found as vulnerabilities.
func (v *Inventory) cyclonedx() object {
	model := v.cdxModel()
	var data []object
	for i, d := range v.Profile.TrainingDatasets {
		data = append(data, object{"bom-ref": fmt.Sprintf("dataset-%d", i+1), "type": "data", "name": d.Name}.
			set("licenses", cdxLicences([]string{d.License})).
			set("data", []object{object{"type": "dataset", "name": d.Name}.set("contents", cdxURL(d.URL))}))
	}
	tool := object{"type": "application", "name": v.Tool}.set("version", v.ToolVer)
	return object{
		"$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.7", "version": 1,
		"serialNumber": "urn:uuid:" + v.uuid(),
		"metadata":     object{"timestamp": v.when(), "tools": object{"components": []object{tool}}, "component": model},
	}.set("components", data).set("vulnerabilities", v.cdxVulnerabilities())
}

func cdxURL(url string) any {
	if url == "" {
		return ""
	}
	return object{"url": url}
}

func (v *Inventory) cdxModel() object {
	p := v.Profile
	parameters := object{}.set("task", p.Task).set("architectureFamily", p.ModelType).set("modelArchitecture", p.Architecture)
	var sets []object
	for i := range p.TrainingDatasets {
		sets = append(sets, object{"ref": fmt.Sprintf("dataset-%d", i+1)})
	}
	parameters.set("datasets", sets)
	var properties []object
	for _, h := range v.hyperparameters() {
		properties = append(properties, object{"name": "hyperparameter:" + h[0], "value": h[1]})
	}
	card := object{"modelParameters": parameters}.set("properties", properties)
	if len(p.Limitations) > 0 {
		card["considerations"] = object{"technicalLimitations": p.Limitations}
	}
	model := object{"bom-ref": "model", "type": "machine-learning-model", "name": v.Name, "modelCard": card}.
		set("version", v.Version).set("purl", v.PURL).set("licenses", cdxLicences(p.Licenses)).set("components", v.cdxFiles())
	if p.Supplier != "" {
		model["supplier"] = object{"name": p.Supplier}
	}
	if p.ModelCard != "" {
		model["externalReferences"] = []object{{"type": "documentation", "url": p.ModelCard}}
	}
	var ancestors []object
	for _, b := range p.BaseModels {
		ancestors = append(ancestors, object{"type": "machine-learning-model", "name": b})
	}
	if len(ancestors) > 0 {
		model["pedigree"] = object{"ancestors": ancestors}
	}
	return model
}

func (v *Inventory) cdxFiles() []object {
	var files []object
	for i, f := range v.Files {
		properties := []object{{"name": "secure-torch:size", "value": strconv.FormatInt(f.Size, 10)}}
		if len(f.Formats) > 0 {
			properties = append(properties, object{"name": "secure-torch:formats", "value": strings.Join(f.Formats, ", ")})
		}
		if f.Verdict != "" {
			properties = append(properties, object{"name": "secure-torch:verdict", "value": f.Verdict})
		}
		files = append(files, object{
			"bom-ref": fmt.Sprintf("file-%d", i+1), "type": "file", "name": f.Name, "properties": properties,
			"hashes": []object{{"alg": "SHA-256", "content": f.SHA256}},
		})
	}
	return files
}

// cdxLicences are identifiers where SPDX has them, and names else: an expression may not stand beside others.
func cdxLicences(licences []string) []object {
	var out []object
	for _, l := range licences {
		if l == "" {
			continue
		}
		if id := expression(l); !strings.HasPrefix(id, "LicenseRef-") {
			out = append(out, object{"license": object{"id": id}})
		} else {
			out = append(out, object{"license": object{"name": l}})
		}
	}
	return out
}

// cdxVulnerabilities are the findings, one for each rule and file, and those that documents name.
func (v *Inventory) cdxVulnerabilities() []object {
	var out []object
	for i, f := range v.Files {
		for _, x := range f.Findings {
			vuln := object{
				"id": x.Rule, "source": object{"name": v.Tool}, "description": f.Name + ": " + x.Message,
				"ratings":  []object{{"severity": x.Severity, "method": "other", "source": object{"name": v.Tool}}},
				"affects":  []object{{"ref": fmt.Sprintf("file-%d", i+1)}},
				"analysis": object{"state": "exploitable", "detail": x.Name},
			}
			var cwes []int
			for _, c := range x.CWE {
				if n, err := strconv.Atoi(strings.TrimPrefix(c, "CWE-")); err == nil {
					cwes = append(cwes, n)
				}
			}
			if len(cwes) > 0 {
				vuln["cwes"] = cwes
			}
			out = append(out, vuln)
		}
	}
	for _, k := range v.Profile.KnownVulnerabilities {
		out = append(out, object{"id": k.ID, "affects": []object{{"ref": "model"}}}.set("description", k.Description))
	}
	return out
}
