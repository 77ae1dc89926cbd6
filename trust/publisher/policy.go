// Package publisher reads trust policies: who may sign which models. A policy is the user's own word. It is read from
// the user's configuration or a trusted workspace, and never from a model's folder.
package publisher

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/trust/modelsigning"
	"github.com/secure-torch/secure-torch/trust/sigstore"
)

// Version of the policy's layout.
const Version = 1

// maxText bounds a policy, in bytes.
const maxText = 1 << 20

// The YAML of a policy; docs/sigstore.md shows one.
type (
	wirePolicy struct {
		Version int        `yaml:"version"`
		Default string     `yaml:"default"`
		Roots   wireRoots  `yaml:"roots"`
		Rules   []wireRule `yaml:"rules"`
		Revoked struct {
			Keys         []string `yaml:"keys"`
			Certificates []string `yaml:"certs"`
			LogIndexes   []int64  `yaml:"logIndex"`
		} `yaml:"revoked"`
	}
	wireRoots struct {
		Sigstore string   `yaml:"sigstore"`
		X509     []string `yaml:"x509"`
	}
	wireRule struct {
		Name          string    `yaml:"name"`
		Match         []string  `yaml:"match"`
		Mode          string    `yaml:"mode"`
		AnyOf         []wireWho `yaml:"anyOf"`
		Predicates    []string  `yaml:"predicates"`
		UnsignedFiles string    `yaml:"unsignedFiles"`
		MinSignedAt   string    `yaml:"minSignedAt"`
	}
	// wireWho is one of: github, gitlab, identity with issuer, key, or oms: certificate.
	wireWho struct {
		GitHub         *wireGitHub `yaml:"github"`
		GitLab         *wireGitLab `yaml:"gitlab"`
		Identity       string      `yaml:"identity"`
		IdentityRegexp string      `yaml:"identityRegExp"`
		Issuer         string      `yaml:"issuer"`
		IssuerRegexp   string      `yaml:"issuerRegExp"`
		Key            string      `yaml:"key"`
		OMS            string      `yaml:"oms"`
		Roots          []string    `yaml:"roots"`
		SubjectCN      string      `yaml:"subjectCN"`
		CheckTime      string      `yaml:"checkTime"`
	}
	wireGitHub struct {
		Repository string `yaml:"repository"`
		Workflow   string `yaml:"workflow"`
		Ref        string `yaml:"ref"`
	}
	wireGitLab struct {
		Project string `yaml:"project"`
		Ref     string `yaml:"ref"`
	}
)

// Parse reads a policy. read returns the content of a file that the policy names: a key, certificates, a root.
func Parse(text []byte, read func(name string) ([]byte, error)) (*evidence.TrustPolicy, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("trust policy: more than %d bytes", maxText)
	}
	w, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("trust policy: %w", err)
	}
	if w.Version != Version {
		return nil, fmt.Errorf("trust policy: version %d: this program reads version %d", w.Version, Version)
	}
	p := &parser{w: w, read: read, out: &evidence.TrustPolicy{Revoked: evidence.Revocations{LogIndexes: w.Revoked.LogIndexes}}}
	if err := p.policy(); err != nil {
		return nil, fmt.Errorf("trust policy: %w", err)
	}
	return p.out, nil
}

// fingerprints are SHA-256 sums as reports show them: in hexadecimal, or a Sigstore key's hint in base64. Any other text
// would revoke nothing.
func fingerprints(texts []string) ([]string, error) {
	var out []string
	for _, text := range texts {
		text = strings.TrimPrefix(text, "key:")
		lower := strings.ToLower(strings.ReplaceAll(text, ":", ""))
		if sum, err := hex.DecodeString(lower); err == nil && len(sum) == sha256.Size {
			text = lower
		} else if sum, err := base64.StdEncoding.DecodeString(text); err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("%q is no SHA-256 fingerprint", text)
		}
		out = append(out, text)
	}
	return out, nil
}

type parser struct {
	w    *wirePolicy
	read func(string) ([]byte, error)
	out  *evidence.TrustPolicy
}

func (p *parser) policy() (err error) {
	if p.out.Default, err = mode(p.w.Default, evidence.Warn); err != nil {
		return fmt.Errorf("default: %w", err)
	}
	if file, ok := strings.CutPrefix(p.w.Roots.Sigstore, "file:"); ok {
		if p.out.TrustedRoot, err = p.read(file); err == nil {
			_, err = sigstore.ParseRoot(p.out.TrustedRoot)
		}
		if err != nil {
			return fmt.Errorf("roots: sigstore: %w", err)
		}
	} else if p.w.Roots.Sigstore != "" && p.w.Roots.Sigstore != "builtin" {
		return fmt.Errorf("roots: sigstore: %q is neither builtin nor file:…", p.w.Roots.Sigstore)
	}
	for i, r := range p.w.Rules {
		rule, err := p.rule(r)
		if err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
		if rule.Name == "" {
			rule.Name = fmt.Sprintf("rule %d (%s)", i+1, r.Match[0])
		}
		p.out.Rules = append(p.out.Rules, rule)
	}
	if p.out.Revoked.Keys, err = fingerprints(p.w.Revoked.Keys); err != nil {
		return fmt.Errorf("revoked: keys: %w", err)
	}
	if p.out.Revoked.Certificates, err = fingerprints(p.w.Revoked.Certificates); err != nil {
		return fmt.Errorf("revoked: certs: %w", err)
	}
	return nil
}

func (p *parser) rule(r wireRule) (out evidence.TrustRule, err error) {
	out = evidence.TrustRule{Name: r.Name, Match: r.Match}
	if len(r.Match) == 0 {
		return out, fmt.Errorf("match names no models")
	}
	for _, m := range r.Match {
		if err := checkGlob(m); err != nil {
			return out, err
		}
	}
	if out.Mode, err = mode(r.Mode, evidence.Require); err != nil {
		return out, err
	}
	if out.Mode == evidence.Require && len(r.AnyOf) == 0 {
		return out, fmt.Errorf("mode require, and anyOf names nobody who may sign")
	}
	switch r.UnsignedFiles {
	case "", "error":
	case "warn":
		out.Lenient = true
	default:
		return out, fmt.Errorf("unsignedFiles: %q is neither error nor warn", r.UnsignedFiles)
	}
	if r.MinSignedAt != "" {
		if out.MinSignedAt, err = time.Parse(time.DateOnly, r.MinSignedAt); err != nil {
			if out.MinSignedAt, err = time.Parse(time.RFC3339, r.MinSignedAt); err != nil {
				return out, fmt.Errorf("minSignedAt: %q is no date as in 2026-01-31", r.MinSignedAt)
			}
		}
	}
	for i, who := range r.AnyOf {
		a, err := p.authority(who)
		if err != nil {
			return out, fmt.Errorf("anyOf %d: %w", i+1, err)
		}
		a.Predicates = r.Predicates
		out.Authorities = append(out.Authorities, a)
	}
	return out, nil
}

func mode(word string, absent evidence.Mode) (evidence.Mode, error) {
	switch m := evidence.Mode(word); m {
	case "":
		return absent, nil
	case evidence.Warn, evidence.Require, evidence.Deny:
		return m, nil
	}
	return "", fmt.Errorf("mode %q is none of warn, require and deny", word)
}

// authority reads one entry of anyOf, which has to be of exactly one kind.
func (p *parser) authority(w wireWho) (evidence.Authority, error) {
	if kinds := w.kinds(); kinds != 1 {
		return evidence.Authority{}, fmt.Errorf("an entry is one of github, gitlab, identity with issuer, key, and oms: certificate; this is %d of them", kinds)
	}
	if w.OMS == "" && (len(w.Roots) > 0 || w.SubjectCN+w.CheckTime != "") {
		return evidence.Authority{}, fmt.Errorf("roots, subjectCN and checkTime belong to oms: certificate")
	}
	switch {
	case w.GitHub != nil:
		return github(*w.GitHub)
	case w.GitLab != nil:
		return gitlab(*w.GitLab)
	case w.Key != "":
		text, err := p.read(w.Key)
		if err == nil {
			err = modelsigning.CheckKey(text)
		}
		return evidence.Authority{Name: "key " + path.Base(w.Key), Key: text}, err
	case w.OMS != "":
		return p.certificate(w)
	}
	return match("identity "+w.Identity+w.IdentityRegexp, evidence.Identity{
		Subject: w.Identity, SubjectRegexp: w.IdentityRegexp, Issuer: w.Issuer, IssuerRegexp: w.IssuerRegexp,
	})
}

// kinds counts what an entry says.
func (w *wireWho) kinds() int {
	n := 0
	for _, given := range []bool{w.GitHub != nil, w.GitLab != nil, w.Identity+w.IdentityRegexp+w.Issuer+w.IssuerRegexp != "", w.Key != "", w.OMS != ""} {
		if given {
			n++
		}
	}
	return n
}

func (p *parser) certificate(w wireWho) (evidence.Authority, error) {
	a := evidence.Authority{Name: "certificate of " + strings.Join(w.Roots, ", "), Subject: w.SubjectCN}
	switch {
	case w.OMS != "certificate":
		return a, fmt.Errorf("oms: %q is not certificate", w.OMS)
	case w.CheckTime != "" && w.CheckTime != "now":
		return a, fmt.Errorf("checkTime: %q is not supported yet: certificates have to be valid now", w.CheckTime)
	}
	roots := w.Roots
	if len(roots) == 0 {
		roots = p.w.Roots.X509
	}
	if len(roots) == 0 {
		return a, fmt.Errorf("no roots, here or under roots: x509")
	}
	for _, name := range roots {
		text, err := p.read(name)
		if err == nil {
			_, err = modelsigning.ParseCertificates(text)
		}
		if err != nil {
			return a, fmt.Errorf("%s: %w", name, err)
		}
		a.Roots = append(append(a.Roots, text...), '\n')
	}
	return a, nil
}

// match checks that an identity is complete, and its regular expressions anchored.
func match(name string, id evidence.Identity) (evidence.Authority, error) {
	_, err := sigstore.NewMatcher(id)
	return evidence.Authority{Name: name, Identity: &id}, err
}

// checkGlob refuses patterns that can match nothing.
func checkGlob(pattern string) error {
	kind, rest, ok := strings.Cut(pattern, ":")
	switch {
	case !ok || kind != "hf" && kind != "path" && kind != "s3" && kind != "https":
		return fmt.Errorf("match: %q begins with none of hf:, path:, s3:// and https://", pattern)
	case (kind == "s3" || kind == "https") && (!strings.HasPrefix(rest, "//") || len(rest) == 2):
		return fmt.Errorf("match: %q names no place: %s://…", pattern, kind)
	case rest == "":
		return fmt.Errorf("match: %q names nothing", pattern)
	case kind == "path" && !strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, "**") && !regexp.MustCompile(`^[A-Za-z]:/`).MatchString(rest):
		return fmt.Errorf("match: %q is no absolute path", pattern)
	}
	return nil
}
