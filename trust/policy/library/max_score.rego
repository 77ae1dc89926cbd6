# METADATA
# title: Threat score
# description: No model with a threat score above the limit of its environment is loaded, and none that was not scanned whole.
package secure_torch.policy

score_limits := {"production": 0, "staging": 20}

default_score_limit := 20

score_limit := object.get(score_limits, object.get(input, "environment", ""), default_score_limit)

deny_score contains msg if {
	input.threat.score > score_limit
	msg := sprintf("threat score %v is above %v", [input.threat.score, score_limit])
}

deny_score contains "the model was not scanned" if not input.threat

deny_score contains msg if {
	some verdict in {"incomplete", "error", "unknown"}
	input.verdict == verdict
	msg := sprintf("not everything was examined: verdict %v", [verdict])
}
