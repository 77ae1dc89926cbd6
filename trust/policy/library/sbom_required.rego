# METADATA
# title: Bill of materials
# description: Every model comes with an SBOM that names the file's digest, or lies in it; without one only a warning outside of production.
package secure_torch.policy

sbom_good if {
	input.sbom.present
	input.sbom.bound
}

# One in the file itself is about the file. Single values of its metadata are no bill of materials.
sbom_good if {
	input.sbom.embedded
	input.sbom.format != "metadata"
}

sbom_problem := "there is no SBOM" if not object.get(input, ["sbom", "present"], false)

else := "the SBOM does not name this file's digest" if not sbom_good

deny_sbom contains sbom_problem if object.get(input, "environment", "") == "production"

warn_sbom contains sbom_problem if object.get(input, "environment", "") != "production"
