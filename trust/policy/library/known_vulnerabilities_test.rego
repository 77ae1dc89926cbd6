package secure_torch.policy

vulnerable(v) := {"aiProfile": {"knownVulnerabilities": [v]}}

test_vulnerable if deny_vulnerability == {"known vulnerability CVE-2099-1"} with input as vulnerable({"id": "CVE-2099-1"})

test_not_affected if count(deny_vulnerability) == 0 with input as vulnerable({"id": "CVE-2099-1", "state": "not_affected"})

test_accepted if {
	count(deny_vulnerability) == 0 with input as vulnerable({"id": "CVE-2099-1"})
		with accepted_vulnerabilities as {"CVE-2099-1"}
}
