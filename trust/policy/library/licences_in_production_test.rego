package secure_torch.policy

licensed(environment, licence) := {
	"environment": environment,
	"aiProfile": {"trainingDatasets": [{"name": "The Stack", "license": licence}]},
}

test_gpl_data_in_production if {
	some d in deny_licence with input as licensed("production", "GPL-3.0-only")
	d.msg == "data set The Stack is under GPL-3.0-only"
}

test_gpl_data_in_development if count(deny_licence) == 0 with input as licensed("development", "GPL-3.0-only")

test_mit_data_in_production if count(deny_licence) == 0 with input as licensed("production", "MIT")

test_non_commercial_model if {
	count(deny_licence) == 1 with input as {"environment": "production", "aiProfile": {"licenses": ["cc-by-nc-4.0"]}}
}

test_no_profile if count(deny_licence) == 0 with input as {"environment": "production"}
