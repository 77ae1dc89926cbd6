package sigstore

import (
	"path"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Matcher is an identity that was checked to be complete.
type Matcher struct {
	want evidence.Identity
	id   verify.CertificateIdentity
}

// NewMatcher takes an identity. Both a subject and an issuer are needed: anybody can get a certificate for any subject
// from some issuer. A regular expression has to say where it begins and ends, or "example.com" would match
// "example.com.attacker.net".
func NewMatcher(want evidence.Identity) (*Matcher, error) {
	for _, re := range []string{want.SubjectRegexp, want.IssuerRegexp} {
		if re != "" && !Anchored(re) {
			return nil, fail(evidence.NoAuthority, "the regular expression %q has to begin with ^ and end with $", re)
		}
	}
	san, err := verify.NewSANMatcher(want.Subject, want.SubjectRegexp)
	if err != nil {
		return nil, fail(evidence.NoAuthority, "subject: %s", brief(err))
	}
	issuer, err := verify.NewIssuerMatcher(want.Issuer, want.IssuerRegexp)
	if err != nil {
		return nil, fail(evidence.NoAuthority, "issuer: %s", brief(err))
	}
	id, err := verify.NewCertificateIdentity(san, issuer, certificate.Extensions{SourceRepositoryURI: want.Repository})
	if err != nil {
		return nil, fail(evidence.NoAuthority, "%s", brief(err))
	}
	return &Matcher{want, id}, nil
}

// Anchored tells whether a regular expression matches whole texts alone: whatever else it is, it begins with the
// beginning of the text and ends with its end, outside of alternatives.
func Anchored(re string) bool {
	tree, err := syntax.Parse(re, syntax.Perl)
	return err == nil && tree.Op == syntax.OpConcat &&
		tree.Sub[0].Op == syntax.OpBeginText && tree.Sub[len(tree.Sub)-1].Op == syntax.OpEndText
}

// Match tells why a signer is not the wanted one, nil when it is.
func (m *Matcher) Match(s *Signer) error {
	if err := m.id.Verify(s.summary); err != nil {
		return fail(evidence.WrongIdentity, "signed by %s (issuer %s): %s", clip(s.Subject), clip(s.Issuer), brief(err))
	}
	if ref := s.summary.SourceRepositoryRef; m.want.Ref != "" {
		if ok, err := path.Match(m.want.Ref, ref); err != nil || !ok {
			return fail(evidence.WrongIdentity, "signed for the ref %q, not for %q", clip(ref), m.want.Ref)
		}
	}
	if m.want.Log != "" && !slices.ContainsFunc(s.Entries, func(e Entry) bool { return sameURL(e.Log, m.want.Log) }) {
		return fail(evidence.UnknownLog, "not recorded in the log %q", m.want.Log)
	}
	return nil
}

func sameURL(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }
