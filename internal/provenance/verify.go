package provenance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Bounds of a signature and of what the worker says of it.
const (
	maxBundle = 64 << 20 // bytes
	maxAnswer = 80 << 20
	maxText   = 4096
	maxSigned = 1_000_000
)

// Terms are under which a signature counts.
type Terms struct {
	Authorities []evidence.Authority
	TrustedRoot []byte // nil for the one that is built in
	Revoked     evidence.Revocations
	MinSignedAt time.Time
	// Lenient lets files pass that nobody signed.
	Lenient bool
	// Within is the name of the model, a single file, in the folder that the bundle may sign; empty for none.
	Within string
	// Ignore are paths in the model that are left out besides those that the signer left out: bundles written
	// before model_signing 1.1.0 do not tell.
	Ignore []string
}

// Verify tells whether the model is what the bundle signs, under the terms. The error is that of reading the files or
// of having no worker; that the signature does not hold is in the Signature.
func Verify(ctx context.Context, to Asker, model *Model, bundle []byte, terms Terms) (*evidence.Signature, error) {
	if len(model.Files) == 0 {
		return nil, ErrNoFiles
	}
	if IsRaw(bundle) {
		return VerifyRaw(ctx, model, bundle, terms)
	}
	answer, err := askSignature(ctx, to, bundle, terms)
	if err != nil {
		return nil, err
	}
	sig, manifest := &answer.Signature, answer.Manifest
	if manifest == nil || sig.State != evidence.Trusted && sig.State != evidence.Valid {
		return sig, nil
	}
	manifest.Plan.Ignore = append(manifest.Plan.Ignore, terms.Ignore...)
	if manifest.Anonymous && !model.Single {
		refuse(sig, &evidence.Error{Code: evidence.Unsupported, Err: errors.New("the signature is over one file, and this is a folder")})
		return sig, nil
	}
	if err := model.Hash(ctx, manifest.Plan); err != nil {
		return nil, err
	}
	c := manifest.Compare(listing(model, manifest, terms.Within))
	sig.Files = c.Signed
	sig.Changed, sig.Missing, sig.Unsigned = few(c.Changed), few(c.Missing), few(c.Unsigned)
	sig.Ignored, sig.Links = few(codeFirst(c.Ignored)), few(c.Links)
	if err := c.Err(terms.Lenient); err != nil {
		refuse(sig, err)
	}
	return sig, nil
}

// listing is the model as it is compared: a folder's signature says of a single file in it what it says of that name.
func listing(model *Model, manifest *evidence.Manifest, within string) evidence.Listing {
	l := model.Listing()
	if model.Single && signs(manifest, within) {
		l.Single, l.Partial, l.Entries = false, true, slices.Clone(l.Entries)
		l.Entries[0].Name = within
	}
	return l
}

// signs tells whether a folder's signature lists a file of that name.
func signs(manifest *evidence.Manifest, name string) bool {
	return name != "" && !manifest.Anonymous && slices.ContainsFunc(manifest.Files, func(f evidence.SignedFile) bool { return f.Name == name })
}

func refuse(sig *evidence.Signature, err error) {
	sig.State, sig.Code, sig.Message = evidence.Invalid, evidence.CodeOf(err), err.Error()
}

// few cuts a list to what a report names.
func few(list []string) []string { return list[:min(len(list), evidence.MaxNames)] }

// codeFirst puts names that some loader would execute before the others.
func codeFirst(list []string) []string {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b string) int {
		switch x, y := Executable(a), Executable(b); {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	})
	return out
}

// Executable tells whether a file of that name can run code where a model is loaded: Python source that comes with the
// weights, or a pickle.
func Executable(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".py", ".pyc", ".so", ".pkl", ".pickle", ".bin", ".pt", ".pth", ".ckpt", ".joblib", ".dill":
		return true
	}
	return false
}

// ReadBundle reads a signature file, within its bounds.
func ReadBundle(path string, within ...string) ([]byte, error) {
	return readFile(path, maxBundle, within...)
}

// readFile reads a whole regular file of at most most bytes.
func readFile(path string, most int64, within ...string) ([]byte, error) {
	f, err := artifact.Open(path, within...)
	if err != nil {
		return nil, err
	}
	defer f.Close() // opened for reading
	if f.Key.Size > most {
		return nil, &evidence.Error{Code: evidence.OverLimit, Err: fmt.Errorf("%s: %d bytes, more than %d", path, f.Key.Size, most)}
	}
	return io.ReadAll(io.LimitReader(f, most))
}

// askSignature has the worker read a bundle, and checks what it says.
func askSignature(ctx context.Context, to Asker, bundle []byte, terms Terms) (*evidence.SignatureAnswer, error) {
	answer, err := ask[evidence.SignatureAnswer](ctx, to, evidence.AskSignature, evidence.SignatureQuestion{
		Now: time.Now(), Bundle: bundle, Authorities: terms.Authorities, TrustedRoot: terms.TrustedRoot,
		Revoked: terms.Revoked, MinSignedAt: terms.MinSignedAt,
	}, maxAnswer)
	if err != nil {
		return nil, err
	}
	if err := checkAnswer(answer, len(terms.Authorities) > 0); err != nil {
		return nil, fmt.Errorf("the trust worker's answer: %w", err)
	}
	return answer, nil
}

// checkAnswer refuses what an honest worker does not say.
func checkAnswer(a *evidence.SignatureAnswer, asked bool) error {
	s := &a.Signature
	states := []evidence.State{evidence.Valid, evidence.Trusted, evidence.Unverified, evidence.Invalid}
	switch {
	case !slices.Contains(states, s.State), s.State == evidence.Trusted && !asked:
		return fmt.Errorf("state %q", s.State)
	case (s.State == evidence.Trusted || s.State == evidence.Valid) != (a.Manifest != nil):
		return fmt.Errorf("state %q and a manifest: %t", s.State, a.Manifest != nil)
	case len(s.Changed)+len(s.Missing)+len(s.Unsigned)+len(s.Ignored)+len(s.Links) > 0:
		return errors.New("a comparison is not for the worker to make")
	}
	for _, text := range []string{string(s.Code), s.Message, string(s.Kind), string(s.Method), s.Signer, s.Issuer, s.Log, s.Repository, s.Workflow, s.Predicate, s.Fingerprint} {
		if len(text) > maxText || !utf8.ValidString(text) {
			return fmt.Errorf("a text of %d bytes", len(text))
		}
	}
	return checkManifest(a.Manifest)
}

func checkManifest(m *evidence.Manifest) error {
	if m == nil {
		return nil
	}
	if len(m.Files) == 0 || len(m.Files) > maxSigned || len(m.Plan.Ignore) > maxSigned || m.Plan.ShardSize < 0 {
		return fmt.Errorf("a manifest of %d files", len(m.Files))
	}
	for _, f := range m.Files {
		if f.Digest == "" || len(f.Digest) > 128 || len(f.Name) > evidence.MaxNameBytes || f.Start < 0 || f.End < 0 {
			return errors.New("a manifest that is not valid")
		}
	}
	return nil
}
