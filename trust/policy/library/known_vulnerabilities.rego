# METADATA
# title: Known vulnerabilities
# description: A model whose SBOM lists a vulnerability that is not said to be harmless is refused.
package secure_torch.policy

# Vulnerabilities that were looked at and are accepted.
accepted_vulnerabilities := set()

harmless_states := {"resolved", "false_positive", "not_affected", "fixed"}

deny_vulnerability contains msg if {
	some v in input.aiProfile.knownVulnerabilities
	not harmless_states[object.get(v, "state", "")]
	not accepted_vulnerabilities[v.id]
	msg := sprintf("known vulnerability %v", [v.id])
}
