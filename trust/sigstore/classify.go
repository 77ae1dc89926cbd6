package sigstore

import (
	"encoding/hex"
	"errors"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// stages tell sigstore-go's errors apart, most of which have no type: it puts the name of the stage that failed
// before them (pkg/verify/signed_entity.go, Verify). The first that fits counts.
var stages = []struct {
	text string
	code evidence.Code
	say  string
}{
	{"integrated time outside certificate validity", evidence.CertificateExpired, "the certificate was not valid when it signed"},
	{"failed to verify log inclusion", evidence.InvalidLogEntry, "the transparency log's entry is not valid for this signature"},
	{"failed to verify timestamps", evidence.NoTimestamp, "nothing trusted tells when it was signed"},
	{"must provide timestamp", evidence.NoTimestamp, "nothing trusted tells when it was signed"},
	{"failed to verify leaf certificate", evidence.UntrustedCertificate, "no trusted certificate authority vouched for the signer at the time"},
	{"failed to verify signed certificate timestamp", evidence.NoSCT, "the certificate is in no trusted certificate log"},
	{"failed to summarize certificate", evidence.Malformed, "the certificate names nobody"},
	{"failed to verify signature", evidence.InvalidSignature, "the signature is not over this content"},
	{"provided artifact digests do not match", evidence.Tampered, "it signs another file"},
}

// classify gives an error of sigstore-go a stable code. Which log an entry is from decides between "unknown log" and
// "no entry", which sigstore-go reports alike.
func (r *Root) classify(pb *protobundle.Bundle, err error) error {
	if errors.Is(err, bundle.ErrUnsupportedMediaType) {
		return fail(evidence.Unsupported, "%s", brief(err))
	}
	if known, all := r.logs(pb); strings.Contains(err.Error(), "not enough verified log entries") {
		switch {
		case all == 0:
			return fail(evidence.NoLogEntry, "the bundle has no transparency log entry")
		case known == 0:
			return fail(evidence.UnknownLog, "the transparency log that has the entry is not in the trusted root")
		}
	}
	for _, s := range stages {
		if strings.Contains(err.Error(), s.text) {
			return fail(s.code, "%s (%s)", s.say, brief(err))
		}
	}
	return fail(evidence.Malformed, "%s", brief(err))
}

// logs counts the entries of logs that the root knows, and all.
func (r *Root) logs(pb *protobundle.Bundle) (known, all int) {
	for _, e := range pb.GetVerificationMaterial().GetTlogEntries() {
		all++
		if _, ok := r.material.RekorLogs()[hex.EncodeToString(e.GetLogId().GetKeyId())]; ok {
			known++
		}
	}
	return known, all
}
