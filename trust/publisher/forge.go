package publisher

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Issuers of the identities of CI jobs.
const (
	githubIssuer = "https://token.actions.githubusercontent.com"
	gitlabIssuer = "https://gitlab.com"
)

// github is a workflow of a repository, as Fulcio's certificates name it:
// https://github.com/ORG/REPO/.github/workflows/FILE@REF.
func github(w wireGitHub) (evidence.Authority, error) {
	if strings.Count(w.Repository, "/") != 1 || strings.ContainsAny(w.Repository, "*? ") {
		return evidence.Authority{}, fmt.Errorf("github: repository %q is not of the form org/name", w.Repository)
	}
	repo := "https://github.com/" + w.Repository
	workflow := `[^@/]+`
	if w.Workflow != "" {
		workflow = regexp.QuoteMeta(w.Workflow)
	}
	re := "^" + regexp.QuoteMeta(repo) + `/\.github/workflows/` + workflow + "@" + refPattern(w.Ref) + "$"
	return match("github "+w.Repository, evidence.Identity{SubjectRegexp: re, Issuer: githubIssuer, Repository: repo, Ref: w.Ref})
}

// gitlab is the pipeline of a project: https://gitlab.com/GROUP/PROJECT//.gitlab-ci.yml@REF.
func gitlab(w wireGitLab) (evidence.Authority, error) {
	if !strings.Contains(w.Project, "/") || strings.ContainsAny(w.Project, "*? ") {
		return evidence.Authority{}, fmt.Errorf("gitlab: project %q is not of the form group/name", w.Project)
	}
	repo := "https://gitlab.com/" + w.Project
	re := "^" + regexp.QuoteMeta(repo) + `//[^@]+@` + refPattern(w.Ref) + "$"
	return match("gitlab "+w.Project, evidence.Identity{SubjectRegexp: re, Issuer: gitlabIssuer, Repository: repo, Ref: w.Ref})
}

// refPattern is a glob over a git ref as a regular expression; none stands for any ref.
func refPattern(glob string) string {
	if glob == "" {
		return ".+"
	}
	parts := strings.Split(glob, "*")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return strings.Join(parts, "[^/]*")
}
