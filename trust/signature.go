package trust

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/trust/modelsigning"
	"github.com/secure-torch/secure-torch/trust/sigstore"
)

// Signature tells what a bundle signs and who did. Whatever fails is in the answer: there is no error to drop.
func Signature(q *evidence.SignatureQuestion) *evidence.SignatureAnswer {
	j := &judge{q: q}
	manifest, err := j.judge()
	sig := &j.out
	switch {
	case err != nil && evidence.CodeOf(err) == evidence.NoAuthority && len(q.Authorities) == 0:
		sig.State, sig.Code, sig.Message = evidence.Unverified, evidence.NoAuthority, err.Error()
	case err != nil:
		manifest = nil
		sig.State, sig.Code, sig.Message = evidence.Invalid, evidence.CodeOf(err), err.Error()
	case len(q.Authorities) == 0:
		sig.State, sig.Code = evidence.Valid, evidence.NoAuthority
	default:
		sig.State, sig.Code = evidence.Trusted, evidence.Verified
	}
	if manifest != nil {
		sig.Files = len(manifest.Files)
	}
	for _, text := range []*string{&sig.Message, &sig.Signer, &sig.Issuer, &sig.Log, &sig.Repository, &sig.Workflow, &sig.Predicate, &sig.Fingerprint} {
		*text = clean(*text)
	}
	return &evidence.SignatureAnswer{Signature: *sig, Manifest: manifest}
}

// clean makes a text from a bundle fit for the way to the parent.
func clean(s string) string {
	const most = 1000
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// judge gathers the answer to one question.
type judge struct {
	q      *evidence.SignatureQuestion
	out    evidence.Signature
	bundle signed
	// entries are the signature's in transparency logs.
	entries []sigstore.Entry
}

// judge returns what was signed if the signature is good and by one of the authorities.
func (j *judge) judge() (*evidence.Manifest, error) {
	var err error
	if j.bundle, err = parse(j.q.Bundle); err != nil {
		return nil, err
	}
	j.out.Method, j.out.Kind, j.out.Predicate = j.bundle.method, j.bundle.kind, j.bundle.predicate
	var m *evidence.Manifest
	switch j.bundle.method {
	case evidence.Sigstore:
		m, err = j.sigstore()
	case evidence.Key:
		m, err = j.key()
	default:
		m, err = j.certificate()
	}
	if err != nil {
		return nil, err
	}
	return m, j.refused()
}

// sigstore verifies once and then looks for an authority that the signer is.
func (j *judge) sigstore() (*evidence.Manifest, error) {
	root, err := j.root()
	if err != nil {
		return nil, err
	}
	j.out.Root = &root.Info
	digest, err := hex.DecodeString(j.q.Digest)
	if err != nil {
		return nil, err
	}
	if len(digest) == 0 {
		digest = nil
	}
	signer, err := root.Verify(j.bundle.proto, digest)
	if err != nil {
		return nil, err
	}
	signer.Fill(&j.out)
	j.entries = signer.Entries
	m, err := j.bundle.manifest(digest)
	if err != nil || len(j.q.Authorities) == 0 {
		return m, err
	}
	return m, j.anyOf(func(a evidence.Authority) error {
		if a.Identity == nil {
			return fail(evidence.WrongMethod, "signed by %s through Sigstore", signer.Subject)
		}
		match, err := sigstore.NewMatcher(*a.Identity)
		if err != nil {
			return err
		}
		return match.Match(signer)
	})
}

func (j *judge) root() (*sigstore.Root, error) {
	if j.q.TrustedRoot != nil {
		return sigstore.ParseRoot(j.q.TrustedRoot)
	}
	return sigstore.Builtin()
}

// key tries the keys there are. Without one nothing is known: anybody can make a key.
func (j *judge) key() (*evidence.Manifest, error) {
	if hint := j.bundle.hint(); hint != "" { // what the bundle says of its key: no fingerprint, and nobody has checked it
		j.out.Signer = "key hint " + hint
	}
	if len(j.q.Authorities) == 0 {
		return nil, fail(evidence.NoAuthority, "signed with a key, and no key is known to verify it with")
	}
	var m *evidence.Manifest
	err := j.anyOf(func(a evidence.Authority) error {
		if a.Key == nil {
			return fail(evidence.WrongMethod, "signed with a key")
		}
		key, err := modelsigning.ParsePublicKey(a.Key)
		if err != nil {
			return err
		}
		if m, err = j.bundle.verifyKey(key, j.q.Digest); err != nil {
			return err
		}
		j.out.Fingerprint = modelsigning.Fingerprint(key)
		j.out.Signer = "key:" + j.out.Fingerprint
		return nil
	})
	return m, err
}

// certificate tries the roots there are.
func (j *judge) certificate() (*evidence.Manifest, error) {
	if j.bundle.oms == nil {
		if sigstore.Issued(j.bundle.proto) {
			return nil, sigstore.ErrNoEntry
		}
		return nil, fail(evidence.Unsupported, "a certificate's signature that is neither Sigstore's nor a model's is not supported yet")
	}
	chain, err := j.bundle.oms.Chain()
	if err != nil {
		return nil, err
	}
	j.out.Signer = modelsigning.Subject(chain[0])
	j.out.Issuer = chain[0].Issuer.String()
	j.out.Fingerprint = modelsigning.CertificateFingerprint(chain[0])
	if len(j.q.Authorities) == 0 {
		return nil, fail(evidence.NoAuthority, "signed with a certificate, and no root is known to verify it with")
	}
	var m *evidence.Manifest
	err = j.anyOf(func(a evidence.Authority) error {
		if a.Roots == nil {
			return fail(evidence.WrongMethod, "signed with a certificate")
		}
		roots, err := modelsigning.ParseCertificates(a.Roots)
		if err != nil {
			return err
		}
		st, _, err := j.bundle.oms.VerifyCertificate(modelsigning.CertificatePolicy{
			Roots: roots, Subject: a.Subject, At: j.q.Now, Revoked: j.q.Revoked.Certificates,
		})
		if err == nil {
			m = &st.Manifest
		}
		return err
	})
	return m, err
}

// anyOf returns nil if one of the authorities accepts, and else the refusal that says most.
func (j *judge) anyOf(accepts func(evidence.Authority) error) error {
	var refusals []error
	for _, a := range j.q.Authorities {
		err := accepts(a)
		if err == nil && len(a.Predicates) > 0 && !slices.Contains(a.Predicates, j.bundle.predicate) {
			err = fail(evidence.WrongIdentity, "%s is trusted for other types of statement than %q", a.Name, j.bundle.predicate)
		}
		if err == nil {
			return nil
		}
		refusals = append(refusals, &evidence.Error{Code: evidence.CodeOf(err), Err: fmt.Errorf("%s: %w", a.Name, err)})
	}
	return slices.MinFunc(refusals, func(a, b error) int { return cmp.Compare(weight(a), weight(b)) })
}

// weight orders refusals: that a signature is bad says more than that it is somebody else's.
func weight(err error) int {
	order := []evidence.Code{
		evidence.InvalidSignature, evidence.BadStatement, evidence.Revoked, evidence.CertificateExpired, evidence.WrongIdentity,
		evidence.CertificateUsage, evidence.UntrustedCertificate, evidence.UnknownLog, evidence.WrongKey,
	}
	if i := slices.Index(order, evidence.CodeOf(err)); i >= 0 {
		return i
	}
	return len(order)
}

// refused looks at what a policy revokes.
func (j *judge) refused() error {
	r := j.q.Revoked
	switch {
	case j.bundle.method == evidence.Key && (slices.Contains(r.Keys, j.out.Fingerprint) || slices.Contains(r.Keys, j.bundle.hint())):
		return fail(evidence.Revoked, "signed with the key %s, which is revoked", j.out.Fingerprint)
	case j.bundle.method != evidence.Key && slices.Contains(r.Certificates, j.out.Fingerprint):
		return fail(evidence.Revoked, "signed with the certificate %s, which is revoked", j.out.Fingerprint)
	case len(r.LogIndexes) > 0 && slices.ContainsFunc(j.entries, func(e sigstore.Entry) bool { return e.Index == nil }):
		return fail(evidence.Revoked, "log entries are revoked, and nothing vouches for this one's place in the log")
	}
	for _, e := range j.entries {
		if e.Index != nil && slices.Contains(r.LogIndexes, *e.Index) {
			return fail(evidence.Revoked, "recorded as log entry %d, which is revoked", *e.Index)
		}
	}
	return j.tooOld()
}

// tooOld holds the time of signing against the policy's.
func (j *judge) tooOld() error {
	switch {
	case j.q.MinSignedAt.IsZero():
		return nil
	case j.out.SignedAt == nil:
		return fail(evidence.TooOld, "nobody vouches for when it was signed, and it has to be after %s", j.q.MinSignedAt.Format("2006-01-02"))
	case j.out.SignedAt.Before(j.q.MinSignedAt):
		return fail(evidence.TooOld, "signed on %s, before %s", j.out.SignedAt.Format("2006-01-02"), j.q.MinSignedAt.Format("2006-01-02"))
	}
	return nil
}

func fail(code evidence.Code, format string, args ...any) error {
	return &evidence.Error{Code: code, Err: fmt.Errorf(format, args...)}
}

var errDigest = errors.New("the digest in the question is no SHA-256")
