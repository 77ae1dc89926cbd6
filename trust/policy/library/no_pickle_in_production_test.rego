package secure_torch.policy

stored(environment, formats) := {"environment": environment, "artifact": {"formats": formats}}

test_pickle_in_production if count(deny_pickle) == 1 with input as stored("production", ["zip", "torch"])

test_pickle_in_development if count(deny_pickle) == 0 with input as stored("development", ["pickle"])

test_safetensors_in_production if count(deny_pickle) == 0 with input as stored("production", ["safetensors"])
