package secure_torch.policy

scored(environment, score) := {"environment": environment, "verdict": "review", "threat": {"score": score}}

test_low_in_production if count(deny_score) == 1 with input as scored("production", 1)

test_none_in_production if count(deny_score) == 0 with input as scored("production", 0)

test_twenty_elsewhere if count(deny_score) == 0 with input as scored("", 20)

test_above_twenty_elsewhere if count(deny_score) == 1 with input as scored("", 21)

test_not_scanned if "the model was not scanned" in deny_score with input as {}

test_incomplete if {
	count(deny_score) == 1 with input as object.union(scored("", 0), {"verdict": "incomplete"})
}
