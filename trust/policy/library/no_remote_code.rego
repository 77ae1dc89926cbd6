# METADATA
# title: No remote code
# description: A repository that makes its loader run Python of its own is refused.
package secure_torch.policy

remote_code_rules := {"ST501", "ST502", "ST503"}

deny_remote_code contains msg if {
	some finding in input.findings
	remote_code_rules[finding.rule]
	msg := sprintf("%v: %v", [finding.path, finding.message])
}

deny_remote_code contains msg if {
	some file in input.signature.ignored_files
	endswith(file, ".py")
	msg := sprintf("%v is code that the signer left out of the signature", [file])
}
