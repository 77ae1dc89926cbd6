package secure_torch.policy

test_remote_code if {
	count(deny_remote_code) == 1 with input as {"findings": [{"rule": "ST501", "path": "config.json", "message": "auto_map"}]}
}

test_other_finding if {
	count(deny_remote_code) == 0 with input as {"findings": [{"rule": "ST201", "path": "a.pt", "message": "system"}]}
}

test_ignored_code if count(deny_remote_code) == 1 with input as {"signature": {"ignored_files": [".github/x.py", "notes.md"]}}
