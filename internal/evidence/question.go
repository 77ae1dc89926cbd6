package evidence

import "time"

// Kinds of question to the trust worker.
const (
	AskSignature = "signature" // SignatureQuestion → SignatureAnswer
	AskSBOM      = "sbom"      // SBOMQuestion → SBOM
	AskPolicy    = "policy"    // PolicyQuestion → PolicyAnswer
)

// SignatureQuestion asks what a bundle signs, and who did.
type SignatureQuestion struct {
	Now    time.Time `json:"now"`
	Bundle []byte    `json:"bundle"`
	// Digest is the hexadecimal SHA-256 of the one file that a bundle lies beside, where it was computed.
	Digest string `json:"digest,omitempty"`
	// Authorities are those whose signature is wanted: any one of them. Where there are none, a signature by
	// anybody whom Sigstore vouches for is Valid, and nothing is Trusted.
	Authorities []Authority `json:"authorities,omitempty"`
	// TrustedRoot replaces the Sigstore root that is built in.
	TrustedRoot []byte      `json:"trusted_root,omitempty"`
	Revoked     Revocations `json:"revoked"`
	// MinSignedAt refuses what was signed before, or at a time that nobody vouches for.
	MinSignedAt time.Time `json:"min_signed_at,omitzero"`
}

// Authority is somebody who may sign: exactly one of Key, Roots and Identity is set.
type Authority struct {
	Name     string    `json:"name"`            // for people: "key release.pub"
	Key      []byte    `json:"key,omitempty"`   // PEM public key
	Roots    []byte    `json:"roots,omitempty"` // PEM certificates that chains may end in
	Subject  string    `json:"subject,omitempty"`
	Identity *Identity `json:"identity,omitempty"`
	// Predicates are the types of statement that count; none for any.
	Predicates []string `json:"predicates,omitempty"`
}

// Identity is a signer that Sigstore's certificate authority vouches for. A subject and an issuer are both needed.
type Identity struct {
	Subject       string `json:"subject,omitempty"`
	SubjectRegexp string `json:"subject_regexp,omitempty"`
	Issuer        string `json:"issuer,omitempty"`
	IssuerRegexp  string `json:"issuer_regexp,omitempty"`
	// Repository and Ref, when set, must be what the certificate says of the CI job's source.
	Repository string `json:"repository,omitempty"`
	Ref        string `json:"ref,omitempty"`
	// Log, when set, is the base URL of the transparency log that the entry must be in.
	Log string `json:"log,omitempty"`
}

// Revocations are what no signature may rest on: Sigstore and OMS have no revocation of their own.
type Revocations struct {
	Keys         []string `json:"keys,omitempty"`         // fingerprints or hints
	Certificates []string `json:"certificates,omitempty"` // fingerprints
	LogIndexes   []int64  `json:"log_indexes,omitempty"`
}

// SignatureAnswer is what the worker makes of it. The manifest is nil unless the signature is good; whether the files
// are what was signed is for the parent to see.
type SignatureAnswer struct {
	Signature Signature `json:"signature"`
	Manifest  *Manifest `json:"manifest,omitempty"`
}
