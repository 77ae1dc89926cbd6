package secure_torch.policy

test_approved if count(deny_source) == 0 with input as {"source": {"kind": "hub", "repo": "example-org/model"}}

test_similar_name if count(deny_source) == 1 with input as {"source": {"kind": "hub", "repo": "example-org-2/model"}}

test_local if count(deny_source) == 0 with input as {"source": {"kind": "path"}}
