package publisher

import (
	"crypto/elliptic"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/trust/signtest"
)

func reader(t *testing.T) func(string) ([]byte, error) {
	key := signtest.PublicPEM(t, signtest.Key(t, elliptic.P256()))
	root := signtest.CertificatePEM(signtest.NewAuthority(t, "root", nil).Cert)
	return func(name string) ([]byte, error) {
		switch name {
		case "myorg.pub":
			return key, nil
		case "root.pem":
			return root, nil
		}
		return nil, errors.New("not there")
	}
}

const good = `
version: 1
default: warn
roots: {sigstore: builtin, x509: [root.pem]}
rules:
- match: ["hf:nvidia/*", "path:/models/nvidia/**"]
  anyOf:
  - {oms: certificate, subjectCN: NVIDIA, checkTime: now}
- name: our own
  match: ["hf:myorg/*"]
  mode: require
  anyOf:
  - {github: {repository: myorg/models, workflow: release.yml, ref: "refs/tags/*"}}
  - {gitlab: {project: group/sub/models}}
  - {identity: ml-releases@myorg.com, issuer: https://accounts.google.com}
  - {key: myorg.pub}
  predicates: ["https://model_signing/signature/v1.0"]
  unsignedFiles: warn
  minSignedAt: 2026-01-01
- match: ["hf:evil/**"]
  mode: deny
revoked:
  keys: ["key:6ad6cb12c8d56985a9ff529ccff60179ce57d30c9b34f7eb9f4d3ffcc9fb3178", "46dj6SVhu6ty+pyA7OzNTrJ95fz+VXgvUUZHGAWDCpo="]
  certs: ["A1:E3:69:3D:EB:C0:96:D9:2F:9F:02:A6:93:50:6E:5C:09:5C:EC:CB:91:B9:DC:B7:39:A0:B4:A9:BC:3F:72:BF"]
  logIndex: [7]
`

func TestParse(t *testing.T) {
	p, err := Parse([]byte(good), reader(t))
	if err != nil {
		t.Fatal(err)
	}
	own := p.Rule("hf:myorg/model")
	gh := own.Authorities[0].Identity
	if own.Name != "our own" || own.Mode != evidence.Require || !own.Lenient || !own.MinSignedAt.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) || len(own.Authorities) != 4 ||
		gh.SubjectRegexp != `^https://github\.com/myorg/models/\.github/workflows/release\.yml@refs/tags/[^/]*$` || gh.Issuer != githubIssuer ||
		gh.Repository != "https://github.com/myorg/models" || own.Authorities[3].Key == nil || own.Authorities[0].Predicates[0] == "" {
		t.Errorf("%+v", own)
	}
	nvidia := p.Rule("hf:nvidia/x")
	if nvidia.Mode != evidence.Require || nvidia.Authorities[0].Subject != "NVIDIA" || nvidia.Authorities[0].Roots == nil {
		t.Errorf("%+v", nvidia)
	}
	for source, want := range map[string]evidence.Mode{
		"hf:nvidia/x": evidence.Require, "path:/models/nvidia/a/b.pt": evidence.Require, "path:/models/nvidia2/b.pt": evidence.Warn,
		"hf:evil/a": evidence.Deny, "hf:nvidia": evidence.Warn, "hf:anybody/x": evidence.Warn, "hf:nvidia/x/y": evidence.Warn,
	} {
		if got := p.Rule(source).Mode; got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
	if len(p.Revoked.Keys) != 2 || p.Revoked.Keys[0] != "6ad6cb12c8d56985a9ff529ccff60179ce57d30c9b34f7eb9f4d3ffcc9fb3178" || p.Revoked.LogIndexes[0] != 7 ||
		p.Revoked.Certificates[0] != "a1e3693debc096d92f9f02a693506e5c095ceccb91b9dcb739a0b4a9bc3f72bf" {
		t.Errorf("%+v", p.Revoked)
	}
}

// TestRefused: what would trust more than its author meant is no policy.
func TestRefused(t *testing.T) {
	rule := func(body string) string { return "version: 1\nrules:\n- {match: [\"hf:a/*\"], " + body + "}" }
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":          {"version: 1\nrule: []", `line 2: unknown key "rule" in the policy: did you mean "rules"?`},
		"unknown key, deeper":  {rule("anyOf: [{github: {repositroy: a/b}}]"), `line 3: unknown key "repositroy" in rules[1].anyOf[1].github: did you mean "repository"?`},
		"nothing like it":      {rule("whatever: x"), `unknown key "whatever" in rules[1], which has name, match`},
		"key of another case":  {rule("anyof: []"), `did you mean "anyOf"?`},
		"no list":              {"version: 1\nrules: {match: x}", "line 2: rules is not a list"},
		"no mapping":           {"version: 1\nroots: builtin", "line 2: roots is not a mapping"},
		"no text":              {rule("mode: [deny]"), "line 3: rules[1].mode is not a text"},
		"no number":            {"version: one", "line 1: version is not a whole number"},
		"two documents":        {"version: 1\n---\nversion: 1\ndefault: deny", "second document"},
		"aliases":              {"version: 1\nrules: &a [*a]", "rules[1] is not a mapping"},
		"version":              {"version: 2", "version 2"},
		"no version":           {"default: warn", "version 0"},
		"default":              {"version: 1\ndefault: maybe", "maybe"},
		"no match":             {"version: 1\nrules:\n- {mode: deny}", "match names no models"},
		"match without a kind": {"version: 1\nrules:\n- {match: [\"a/*\"], mode: deny}", "hf:"},
		"relative path":        {"version: 1\nrules:\n- {match: [\"path:models/*\"], mode: deny}", "no absolute path"},
		"nobody":               {rule("mode: require"), "nobody who may sign"},
		"issuer alone":         {rule("anyOf: [{issuer: https://github.com}]"), "subject alternative name"},
		"identity alone":       {rule("anyOf: [{identity: a@b.c}]"), "Issuer"},
		"two kinds":            {rule("anyOf: [{key: myorg.pub, identity: a@b.c, issuer: i}]"), "2 of them"},
		"none":                 {rule("anyOf: [{}]"), "0 of them"},
		"unanchored":           {rule("anyOf: [{identityRegExp: \"a@b.c\", issuer: i}]"), "begin with ^"},
		"unanchored end":       {rule("anyOf: [{identityRegExp: \"^a@b.c\", issuer: i}]"), "begin with ^"},
		"more lines":           {rule("anyOf: [{identityRegExp: \"^(?m)a@b.c$\", issuer: i}]"), "begin with ^"},
		"quoted":               {rule("anyOf: [{identityRegExp: '^\\Q(\\E|a@b.c$', issuer: i}]"), "begin with ^"},
		"alternatives":         {rule("anyOf: [{identityRegExp: \"^a@b.c|x$\", issuer: i}]"), "begin with ^"},
		"broken expression":    {rule("anyOf: [{identityRegExp: \"^(a$\", issuer: i}]"), "begin with ^"},
		"absent key":           {rule("anyOf: [{key: other.pub}]"), "not there"},
		"no key":               {rule("anyOf: [{key: root.pem}]"), "PUBLIC KEY"},
		"no roots":             {rule("anyOf: [{oms: certificate}]"), "no roots"},
		"other times":          {rule("anyOf: [{oms: certificate, roots: [root.pem], checkTime: never}]"), "not supported yet"},
		"oms":                  {rule("anyOf: [{oms: key}]"), "not certificate"},
		"repository":           {rule("anyOf: [{github: {repository: \"myorg/*\"}}]"), "org/name"},
		"project":              {rule("anyOf: [{gitlab: {project: x}}]"), "group/name"},
		"date":                 {rule("mode: deny, minSignedAt: soon"), "no date"},
		"unsigned":             {rule("mode: deny, unsignedFiles: ignore"), "neither error nor warn"},
		"root":                 {"version: 1\nroots: {sigstore: root.json}", "neither builtin nor file"},
		"absent root":          {"version: 1\nroots: {sigstore: \"file:root.json\"}", "not there"},
		"revoked key":          {"version: 1\nrevoked: {keys: [abc]}", "no SHA-256 fingerprint"},
		"revoked certificate":  {"version: 1\nrevoked: {certs: [\"6ad6cb12\"]}", "no SHA-256 fingerprint"},
		"size":                 {"version: 1 #" + strings.Repeat("x", maxText), "more than"},
	} {
		if p, err := Parse([]byte(c.text), reader(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", name, p, err)
		} else if strings.Contains(err.Error(), "publisher.") {
			t.Errorf("%s names a type of this package: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(_ *testing.T, text []byte) {
		p, err := Parse(text, func(string) ([]byte, error) { return nil, errors.New("not there") })
		if err == nil {
			p.Rule("hf:a/b", "path:/a/b")
		}
	})
}
