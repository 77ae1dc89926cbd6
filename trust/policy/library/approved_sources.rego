# METADATA
# title: Approved sources
# description: Models from a hub come from organisations that were approved. An exception names what is let in anyway.
package secure_torch.policy

approved_organisations := {"example-org", "sentence-transformers"}

deny_source contains msg if {
	input.source.kind == "hub"
	organisation := split(input.source.repo, "/")[0]
	not approved_organisations[organisation]
	msg := sprintf("%v is not from an approved organisation", [input.source.repo])
}
