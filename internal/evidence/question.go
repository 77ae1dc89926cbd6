package evidence

import (
	"encoding/json"
	"time"
)

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

// PolicyQuestion asks what policies make of one artifact.
type PolicyQuestion struct {
	Now     time.Time `json:"now"`
	Modules []Module  `json:"modules"`
	// Inputs are documents of docs/schema/policy-input.json; each gets one decision.
	Inputs []json.RawMessage `json:"inputs,omitempty"`
	// Timeout is the processor time of one evaluation, in nanoseconds; 0 for 100 ms.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Test runs the modules' own tests instead.
	Test bool `json:"test,omitempty"`
}

// Module is the text of one policy file.
type Module struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// PolicyAnswer has a decision for each input, in order, or the outcome of each test.
type PolicyAnswer struct {
	Decisions []Decision   `json:"decisions,omitempty"`
	Tests     []TestResult `json:"tests,omitempty"`
	// Error says why no policy could be evaluated at all. Nothing is allowed then.
	Error string `json:"error,omitempty"`
}

// Decision is what the policies say of one input. It allows only if Allowed is set: the zero Decision denies.
type Decision struct {
	Allowed bool      `json:"allowed"`
	Deny    []Message `json:"deny,omitempty"`
	Warn    []Message `json:"warn,omitempty"`
	// Exempted are what an exception of the policy lets pass.
	Exempted []Message `json:"exempted,omitempty"`
	// Error says why a policy could not be evaluated; nothing is allowed then.
	Error string `json:"error,omitempty"`
}

// Message is one reason.
type Message struct {
	Rule     string `json:"rule"` // deny, violation_licence …
	Msg      string `json:"msg"`
	Code     string `json:"code,omitempty"`
	Severity string `json:"severity,omitempty"`
}

// TestResult is the outcome of one test_ rule.
type TestResult struct {
	Module string `json:"module"`
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Error  string `json:"error,omitempty"`
}
