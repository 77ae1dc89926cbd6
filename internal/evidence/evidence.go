// Package evidence is what the parent and the trust worker tell each other: who signed a model, what its bill of
// materials says, what a policy makes of both. It holds values alone; package trust judges them.
package evidence

import (
	"errors"
	"time"
)

// Code names one outcome of judging evidence. Codes are stable: scripts and policies compare them.
type Code string

// Codes of a signature.
const (
	Verified             Code = "verified"
	Unsigned             Code = "unsigned"
	Malformed            Code = "malformed-bundle"
	Unsupported          Code = "unsupported-bundle"
	NoAuthority          Code = "no-authority"          // a signature, and nothing said whose is wanted
	WrongMethod          Code = "wrong-method"          // signed with another kind of key material than what is trusted
	WrongKey             Code = "wrong-key"             // by a key other than the trusted one
	WrongIdentity        Code = "wrong-identity"        // by somebody other than the trusted one
	UntrustedCertificate Code = "untrusted-certificate" // the chain ends in no trusted root
	CertificateExpired   Code = "certificate-expired"
	CertificateUsage     Code = "certificate-usage" // not one for signing
	InvalidSignature     Code = "invalid-signature"
	UnknownLog           Code = "unknown-log"         // of a transparency log that the trusted root does not have
	NoLogEntry           Code = "no-log-entry"        // nothing from a transparency log
	InvalidLogEntry      Code = "invalid-log"         // from a known log, and not valid
	NoTimestamp          Code = "no-timestamp"        // nothing tells when it was signed
	NoSCT                Code = "no-sct"              // the certificate is in no known certificate log
	BadStatement         Code = "bad-statement"       // what was signed is no statement about a model
	Tampered             Code = "tampered"            // the files are not what was signed
	Missing              Code = "missing-files"       // signed files are not there
	UnsignedFiles        Code = "unsigned-files"      // files are there that nobody signed
	Revoked              Code = "revoked"             // by a key, certificate or log entry that the trust policy revokes
	TooOld               Code = "signed-too-long-ago" // before the policy's minSignedAt
	Denied               Code = "denied"              // the trust policy lets nothing of this source in
	// NotHashed: what is signed is what the hub lists, and nobody has hashed the content that it serves.
	NotHashed Code = "not-hashed"
	OverLimit Code = "over-limit"
)

// Error is a Code with its reason.
type Error struct {
	Code Code
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// CodeOf is the code of an error, Malformed where it has none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Malformed
}

// State of a signature, an SBOM or a policy decision: the JSON report's "state".
type State string

// States. The zero State reads as NotChecked.
const (
	NotChecked State = "not checked"
	StateNone  State = "none"     // unsigned; no SBOM
	Valid      State = "valid"    // a good signature, by somebody nobody asked for
	Trusted    State = "verified" // a good signature, by somebody the user trusts
	Unverified State = "unverified"
	Invalid    State = "invalid"
)

// Method is the kind of key material that signed.
type Method string

// Methods, as the OpenSSF Model Signing specification names them (§4.1), and Raw for a bare signature over a file's bytes.
const (
	Key         Method = "key"
	Certificate Method = "certificate"
	Sigstore    Method = "sigstore"
	Raw         Method = "raw"
)

// Kind is what a signature is about.
type Kind string

// Kinds.
const (
	Model       Kind = "model"       // OpenSSF Model Signing: a manifest of files
	Attestation Kind = "attestation" // another in-toto statement, that names the file's digest
	Blob        Kind = "blob"        // one file
)

// Signature is what is known about who signed an artifact. Nil pointers stand for what is not known.
type Signature struct {
	State    State      `json:"state"`
	Code     Code       `json:"code,omitempty"`
	Message  string     `json:"message,omitempty"`
	Kind     Kind       `json:"kind,omitempty"`
	Method   Method     `json:"method,omitempty"`
	Bundle   string     `json:"bundle,omitempty"` // file name
	Signer   string     `json:"signer,omitempty"` // e-mail address, workflow, subject of a certificate, "key:" and a fingerprint, or "key hint" and what an unverified bundle says
	Issuer   string     `json:"issuer,omitempty"`
	SignedAt *time.Time `json:"signed_at,omitempty"`
	LogIndex *int64     `json:"log_index,omitempty"`
	Log      string     `json:"log,omitempty"` // base URL of the transparency log
	// Repository and Workflow are what a CI system's certificate says of the job that signed.
	Repository string `json:"repository,omitempty"`
	Workflow   string `json:"workflow,omitempty"`
	Predicate  string `json:"predicate,omitempty"` // type of the statement that was signed
	// Fingerprint is the hexadecimal SHA-256 of the leaf certificate's DER, or of the key's SubjectPublicKeyInfo.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Files is the number of files that the signature covers; the lists name at most MaxNames files each.
	Files    int      `json:"files,omitempty"`
	Changed  []string `json:"changed_files,omitempty"`
	Missing  []string `json:"missing_files,omitempty"`
	Unsigned []string `json:"unsigned_files,omitempty"`
	Ignored  []string `json:"ignored_files,omitempty"` // the signer left these out on purpose
	Links    []string `json:"links,omitempty"`         // symbolic links that the signer's rules do not follow
	// Root tells which trusted root was used and how old it is.
	Root *TrustedRoot `json:"trusted_root,omitempty"`
	Rule string       `json:"trust_rule,omitempty"` // the trust policy's rule that decided
}

// MaxNames bounds each list of file names in a Signature.
const MaxNames = 200

// MaxNameBytes bounds the name of one signed file: that of a path on Linux.
const MaxNameBytes = 4096

// TrustedRoot describes the Sigstore root that was used.
type TrustedRoot struct {
	Origin string `json:"origin"` // "builtin" or "file"
	// Newest is when the newest key or certificate authority in it began to be valid.
	Newest time.Time `json:"newest"`
	SHA256 string    `json:"sha256"`
}
