// Package ci holds what other systems run: the GitHub action's script and a template for GitLab. Its tests run them, and
// the hooks of .pre-commit-hooks.yaml by the real pre-commit.
package ci
