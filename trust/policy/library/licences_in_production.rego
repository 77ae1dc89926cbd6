# METADATA
# title: Licences in production
# description: No data set or model under a copyleft or non-commercial licence is loaded in production.
package secure_torch.policy

# The beginnings of SPDX licence identifiers that production must not depend on.
refused_licences := ["GPL-", "AGPL-", "LGPL-", "CC-BY-NC", "OpenRAIL-NC"]

refused_licence(licence) if {
	some prefix in refused_licences
	startswith(upper(licence), upper(prefix))
}

deny_licence contains {"msg": msg, "code": "dataset-licence"} if {
	input.environment == "production"
	some dataset in input.aiProfile.trainingDatasets
	refused_licence(dataset.license)
	msg := sprintf("data set %v is under %v", [dataset.name, dataset.license])
}

deny_licence contains {"msg": msg, "code": "model-licence"} if {
	input.environment == "production"
	some licence in input.aiProfile.licenses
	refused_licence(licence)
	msg := sprintf("the model is under %v", [licence])
}
