# METADATA
# title: Pinned revision
# description: A model from a hub is loaded at a commit, not at a branch or tag that its owner can move.
package secure_torch.policy

deny_pinned contains msg if {
	input.source.kind == "hub"
	not input.source.pinned
	msg := sprintf("%v is not pinned to a commit (revision %v)", [input.source.repo, object.get(input, ["source", "revision"], "default branch")])
}
