# METADATA
# title: Signed by a trusted publisher
# description: Every model is signed, and by one of these.
package secure_torch.policy

# Who may sign: the signer and who vouches for it. A trust policy can say the same, and more.
trusted_signers := [{"signer": "ml-releases@example.org", "issuer": "https://accounts.google.com"}]

signer_trusted if input.signature.state == "verified"

signer_trusted if {
	input.signature.state == "valid"
	some who in trusted_signers
	input.signature.signer == who.signer
	input.signature.issuer == who.issuer
}

deny_signer contains msg if {
	not signer_trusted
	msg := sprintf("not signed by a trusted publisher (signature: %v, signer: %v)", [
		object.get(input, ["signature", "state"], "none"),
		object.get(input, ["signature", "signer"], "nobody"),
	])
}
