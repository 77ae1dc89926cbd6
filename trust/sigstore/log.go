package sigstore

import (
	"crypto/x509"
	"encoding/hex"
	"errors"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"google.golang.org/protobuf/proto"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Entry is one of a transparency log that the root knows, which holds for the bundle's signature.
type Entry struct {
	Log string // base URL
	// Index is its place in the log; nil where nothing that the log signed tells: the first generation's inclusion
	// proof counts within a shard, and only its promise has the number that bundles and reports show.
	Index *int64
}

// ErrNoEntry says that nobody recorded a signature that needs it: the certificate was valid for minutes.
var ErrNoEntry = fail(evidence.NoLogEntry, "the bundle has no transparency log entry")

// entries are those of a verified bundle that hold. sigstore-go is content with one, and passes over others that do not,
// which anybody can put beside it: each is held against the root by itself.
func (r *Root) entries(pb *protobundle.Bundle) []Entry {
	all := pb.GetVerificationMaterial().GetTlogEntries()
	var out []Entry
	for _, e := range all {
		log, ok := r.material.RekorLogs()[hex.EncodeToString(e.GetLogId().GetKeyId())]
		if !ok || len(all) > 1 && r.alone(pb, e) != nil {
			continue
		}
		entry := Entry{Log: log.BaseURL}
		if parsed, err := tlog.ParseTransparencyLogEntry(e); err == nil && (parsed.HasInclusionPromise() || parsed.IsRekorV2()) {
			index := e.GetLogIndex()
			entry.Index = &index
		}
		out = append(out, entry)
	}
	return out
}

// alone tells why the bundle does not hold with that one log entry.
func (r *Root) alone(pb *protobundle.Bundle, e *protorekor.TransparencyLogEntry) error {
	one, ok := proto.Clone(pb).(*protobundle.Bundle)
	if !ok {
		return errors.ErrUnsupported
	}
	one.VerificationMaterial.TlogEntries = []*protorekor.TransparencyLogEntry{e}
	b, err := bundle.NewBundle(one)
	if err != nil {
		return err
	}
	_, err = verify.VerifyTlogEntry(b, r.material, 1, false)
	return err
}

// Issued tells whether a bundle's certificate is one that Sigstore's authority makes, for an identity of the web. It is
// for telling what is missing, and says nothing of who signed.
func Issued(pb *protobundle.Bundle) bool {
	for _, c := range pb.GetVerificationMaterial().GetX509CertificateChain().GetCertificates() {
		cert, err := x509.ParseCertificate(c.GetRawBytes())
		if err != nil {
			return false
		}
		if summary, err := certificate.SummarizeCertificate(cert); err == nil && summary.Issuer != "" {
			return true
		}
	}
	return false
}
