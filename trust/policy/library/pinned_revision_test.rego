package secure_torch.policy

test_branch if {
	deny_pinned == {"org/m is not pinned to a commit (revision main)"} with input as {"source": {"kind": "hub", "repo": "org/m", "revision": "main", "pinned": false}}
}

test_commit if count(deny_pinned) == 0 with input as {"source": {"kind": "hub", "repo": "org/m", "pinned": true}}

test_local_file if count(deny_pinned) == 0 with input as {"source": {"kind": "path"}}
