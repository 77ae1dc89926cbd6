package secure_torch.policy

signature(state, signer, issuer) := {"signature": {"state": state, "signer": signer, "issuer": issuer}}

test_verified if count(deny_signer) == 0 with input as signature("verified", "anybody", "")

test_valid_by_a_trusted_signer if {
	count(deny_signer) == 0 with input as signature("valid", "ml-releases@example.org", "https://accounts.google.com")
}

test_valid_from_another_issuer if {
	count(deny_signer) == 1 with input as signature("valid", "ml-releases@example.org", "https://github.com")
}

test_invalid_by_a_trusted_signer if {
	count(deny_signer) == 1 with input as signature("invalid", "ml-releases@example.org", "https://accounts.google.com")
}

test_unsigned if count(deny_signer) == 1 with input as {"signature": {"state": "none"}}

test_nothing_known if count(deny_signer) == 1 with input as {}
