package provenance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"sync"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/digest"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Settings of a Checker. The zero Settings look at signatures and require nothing.
type Settings struct {
	// Trust is the user's trust policy; nil for none.
	Trust *evidence.TrustPolicy
	// TrustedRoot is the Sigstore root to use where the trust policy names none; nil for the one that is built in.
	TrustedRoot []byte
	// Require makes a missing signature, or one that counts for nothing, a finding everywhere.
	Require bool
	// Policies decide about each model; Environment is what they are told of where it runs.
	Policies    []evidence.Module
	Environment string
	// Signers are those whose signature counts where the trust policy names nobody; one by anybody else is then a finding.
	Signers []evidence.Authority
	// Bundle is the signature of every file, instead of the one beside it; empty for that.
	Bundle string
	// SBOM is the bill of materials of every file, instead of the one beside it; empty for that.
	SBOM string
	// Show, if not nil, is given what policies would be told of each model, and no policy decides.
	Show func(input []byte)
	// Audit, if not nil, is written a line for each decision.
	Audit *Audit
}

// Checker is an engine.Judge: it looks at what lies beside the files that are scanned. It is safe for use by several
// goroutines. What it learns of a signature or an SBOM it keeps as long as it lives.
type Checker struct {
	set  Settings
	asks Asker

	folders folders

	mu     sync.Mutex
	signed map[string]*signedBundle // by content of the bundle and rule of the trust policy
	sboms  map[string]*evidence.SBOM
}

// NewChecker returns a checker that has its questions answered by asks.
func NewChecker(asks Asker, set Settings) *Checker {
	return &Checker{set: set, asks: asks, signed: map[string]*signedBundle{}, sboms: map[string]*evidence.SBOM{}}
}

// Idle tells whether nothing is asked of models beyond what their signatures say by themselves.
func (c *Checker) Idle() bool {
	return c.set.Trust == nil && !c.set.Require && !c.set.decides() && c.set.SBOM == "" && len(c.set.Signers) == 0
}

// decides tells whether policies are told of each model.
func (s *Settings) decides() bool { return len(s.Policies) > 0 || s.Show != nil }

// signedBundle is what the worker made of a bundle, in use by whoever holds done.
type signedBundle struct {
	once   sync.Once
	answer *evidence.SignatureAnswer
	err    error
}

// subject is one file on its way through the checker.
type subject struct {
	c      *Checker
	ctx    context.Context //nolint:containedctx // of the one scan that the subject lives for
	path   string
	file   *artifact.File
	source Source
	bundle found
	sbom   string
	sum    func() (string, error) // waits for the file's SHA-256
	remote *remoteFile            // nil for a file on this machine, where file is set
}

// Begin implements engine.Judge.
func (c *Checker) Begin(ctx context.Context, path string, f *artifact.File) func(*engine.Artifact) {
	full, err := c.folders.absolute(path)
	if err != nil {
		full = path
	}
	s := &subject{c: c, ctx: ctx, path: path, file: f, source: sourceAt(full)}
	if s.bundle = findFor(path, &c.folders); c.set.Bundle != "" {
		s.bundle = found{c.set.Bundle, Within(c.set.Bundle, path)}
	}
	if s.sbom = c.set.SBOM; s.sbom == "" {
		s.sbom = findSBOM(path, c.set.decides(), &c.folders)
	}
	if isEvidence(path) {
		return nil
	}
	s.sum = sync.OnceValues(func() (string, error) { return digest.Sum(ctx, digest.SHA256, f, 0, f.Key.Size) })
	if s.bundle.path != "" || s.sbom != "" { // the scan reads the same pages at the same time
		go s.sum() //nolint:errcheck // whoever needs the sum gets the error too
	}
	return s.complete
}

// complete adds what was found out to the artifact. It waits for the hashing even where nothing needs the sum any
// more: the file is closed afterwards.
func (s *subject) complete(a *engine.Artifact) {
	if a.Report.Kind == modelscan.KindOther && s.bundle.path == "" {
		return // no loader reads it
	}
	s.signature(a)
	if a.Report.Kind != modelscan.KindOther { // policies decide about models; of other files only what was signed counts
		s.materials(a)
		s.policies(a)
	}
	if s.bundle.path != "" || s.sbom != "" {
		if sum, err := s.sum(); err == nil && a.Digest == "" {
			a.Digest = digest.SHA256 + ":" + sum
		}
	}
}

// finding adds one about the artifact as a whole.
func finding(a *engine.Artifact, f modelscan.Finding) {
	f.Path, f.Offset = a.Report.Artifact, -1
	a.Report.Findings = append(a.Report.Findings, f)
}

// key identifies a text by its content.
func key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// base is a path's last part, as a label.
func base(path string) string { return modelscan.Text(filepath.Base(path)) }
