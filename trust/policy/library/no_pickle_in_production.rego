# METADATA
# title: No pickle in production
# description: Formats that can run code when they are loaded stay out of production.
package secure_torch.policy

formats_with_code := {"pickle", "torch", "torchscript", "joblib", "numpy-object", "keras", "skops", "dill"}

deny_pickle contains msg if {
	input.environment == "production"
	some format in input.artifact.formats
	formats_with_code[lower(format)]
	msg := sprintf("%v can run code when it is loaded: convert it to safetensors", [format])
}
