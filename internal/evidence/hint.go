package evidence

// hints say what to do about a signature that does not count, by its code.
var hints = map[Code]string{
	Unsigned:             "ask its publisher for a signature, or sign it yourself once you know what it is: secure-torch sign",
	Malformed:            "fetch the signature again: what is there is no signature",
	Unsupported:          "have it signed with OpenSSF Model Signing or as a Sigstore bundle",
	NoAuthority:          "name who may have signed it: --key, --roots, --identity with --issuer, or a trust policy",
	WrongMethod:          "it is signed another way than you asked for: look at how its publisher says that it is signed",
	WrongKey:             "get the publisher's key from the publisher, not from where the model lies; if it is the right one, do not use the model",
	WrongIdentity:        "compare with the identity that the publisher announces; if yours is right, do not use the model",
	UntrustedCertificate: "get the publisher's root certificate from the publisher and name it with --roots; for Sigstore: secure-torch trust update, or --trusted-root",
	CertificateExpired:   "ask the publisher to sign again: nobody vouches for this signer any more",
	CertificateUsage:     "ask the publisher for a signature by a certificate that is meant for signing",
	InvalidSignature:     "do not use the model: fetch it and its signature again from the publisher",
	UnknownLog:           "secure-torch trust update, or name the signer's instance with --trusted-root",
	NoLogEntry:           "ask the publisher for a bundle with its log entry: signed with a short-lived certificate, nothing tells when",
	InvalidLogEntry:      "do not use the model: fetch the signature again from the publisher",
	NoTimestamp:          "ask the publisher for a bundle with a timestamp: its certificate was valid for minutes",
	NoSCT:                "secure-torch trust update, or name the signer's instance with --trusted-root",
	BadStatement:         "ask the publisher to sign the model's files: what is signed here is something else",
	Tampered:             "do not use the model: fetch it again from the publisher",
	Missing:              "fetch the files that are missing, or verify the folder that was signed",
	UnsignedFiles:        "take away the files that nobody signed, or let them pass with --ignore-unsigned-files",
	Revoked:              "your trust policy revokes this signer: fetch a version that is signed anew",
	TooOld:               "fetch the newest version: your trust policy takes none that was signed before its date",
	Denied:               "your trust policy lets in nothing from there: secure-torch trust explain tells which rule",
	NotHashed:            "scan with --full: the content is hashed then",
	OverLimit:            "it is larger than any honest one: fetch it again from the publisher",
}

// Hint says what to do about a signature with this code; empty for one that needs nothing.
func (c Code) Hint() string { return hints[c] }
