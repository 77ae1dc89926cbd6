package publisher

import (
	"errors"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

func TestAdd(t *testing.T) {
	person := Publisher{Signer: "ml@myorg.com", Issuer: "https://accounts.google.com"}
	job := Publisher{Signer: "https://github.com/org/repo/.github/workflows/release.yml@refs/tags/v1", Issuer: githubIssuer,
		Repository: "https://github.com/org/repo", Workflow: "release.yml"}
	for name, text := range map[string]string{
		"no policy":           "",
		"no rules":            "version: 1\ndefault: warn",
		"rules":               good,
		"a comment, indented": "version: 1\nrules: # ours\n  # first\n  - match: [\"hf:a/*\"]\n    mode: deny\nrevoked: {keys: [6ad6cb12c8d56985a9ff529ccff60179ce57d30c9b34f7eb9f4d3ffcc9fb3178]}\n",
	} {
		out, err := Add([]byte(text), "hf:org/model", person, reader(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if out, err = Add(out, "hf:org/*", job, reader(t)); err != nil {
			t.Errorf("%s, again: %v", name, err)
			continue
		}
		p, err := Parse(out, reader(t))
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		got := p.Rule("hf:org/model")
		if got.Mode != evidence.Require || got.Authorities[0].Identity.SubjectRegexp != `^https://github\.com/org/repo/\.github/workflows/release\.yml@.+$` {
			t.Errorf("%s: %+v", name, got)
		}
		if id := p.Rules[1].Authorities[0].Identity; id.Subject != person.Signer || id.Issuer != person.Issuer || p.Rules[1].Match[0] != "hf:org/model" {
			t.Errorf("%s: %+v", name, p.Rules[1])
		}
		for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
			if !strings.Contains(string(out), line+"\n") {
				t.Errorf("%s: lost %q", name, line)
			}
		}
	}
	for name, bad := range map[string]struct{ text, match string }{
		"flow":         {"version: 1\nrules: [{match: [\"hf:a/*\"], mode: deny}]\n", "hf:org/model"},
		"broken":       {"version: 1\nrule: []\n", "hf:org/model"},
		"no such kind": {"", "s3:bucket"},
	} {
		if out, err := Add([]byte(bad.text), bad.match, person, reader(t)); err == nil {
			t.Errorf("%s: %s", name, out)
		} else if name == "flow" && !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Add(nil, "hf:org/model", Publisher{Signer: "x"}, reader(t)); err == nil {
		t.Error("an identity without an issuer was trusted")
	}
}
