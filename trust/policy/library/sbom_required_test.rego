package secure_torch.policy

materials(environment, sbom) := {"environment": environment, "sbom": sbom}

test_bound if {
	count(deny_sbom) == 0 with input as materials("production", {"present": true, "bound": true})
	count(warn_sbom) == 0 with input as materials("", {"present": true, "bound": true})
}

test_of_another_file if {
	deny_sbom == {"the SBOM does not name this file's digest"} with input as materials("production", {"present": true, "bound": false})
}

test_embedded if {
	count(deny_sbom) == 0 with input as materials("production", {"present": true, "bound": false, "embedded": true, "format": "SPDX-3.0.1"})
	count(deny_sbom) == 1 with input as materials("production", {"present": true, "bound": false, "embedded": true, "format": "metadata"})
}

test_absent if deny_sbom == {"there is no SBOM"} with input as {"environment": "production"}

test_absent_in_development if {
	count(deny_sbom) == 0 with input as {"environment": "development"}
	warn_sbom == {"there is no SBOM"} with input as {"environment": "development"}
}
