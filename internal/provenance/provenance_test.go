package provenance_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/internal/worker"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
	"github.com/secure-torch/secure-torch/trust/modelsigning"
	"github.com/secure-torch/secure-torch/trust/signtest"
)

func TestMain(m *testing.M) {
	if worker.Wanted(os.Args) {
		worker.Main()
	}
	os.Exit(m.Run())
}

// folder writes files ("name": content) and links ("name": "-> target").
func folder(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if target, link := strings.CutPrefix(content, "-> "); link {
			err = errors.Join(err, os.Symlink(target, path))
		} else {
			err = errors.Join(err, os.WriteFile(path, []byte(content), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// signed signs the model at path with a new key and returns the bundle and terms that trust the key.
func signed(t *testing.T, path string, ignore ...string) ([]byte, provenance.Terms) {
	t.Helper()
	key := signtest.Key(t, elliptic.P256())
	signer, err := modelsigning.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := list(t, path)
	if err := m.Hash(t.Context(), evidence.Plan{Hash: modelsigning.SHA256, Ignore: ignore}); err != nil {
		t.Fatal(err)
	}
	bundle, err := signer.Sign(m.Name(), m.Listing(), ignore)
	if err != nil {
		t.Fatal(err)
	}
	return bundle, provenance.Terms{Authorities: []evidence.Authority{{Name: "release", Key: signtest.PublicPEM(t, key)}}}
}

func list(t *testing.T, path string, skip ...string) *provenance.Model {
	t.Helper()
	m, err := provenance.List(t.Context(), path, skip...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func verify(t *testing.T, path string, bundle []byte, terms provenance.Terms) *evidence.Signature {
	t.Helper()
	asker := provenance.NewAsker(sandbox.Auto, "")
	defer asker.Close()
	sig, err := provenance.Verify(t.Context(), asker, list(t, path), bundle, terms)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func TestVerifyFolder(t *testing.T) {
	files := map[string]string{"config.json": "{}", "sub/weights.bin": "w", ".github/x.py": "print()", "notes": "n"}
	dir := folder(t, t.TempDir(), files)
	bundle, terms := signed(t, dir, "notes")
	sig := verify(t, dir, bundle, terms)
	if sig.State != evidence.Trusted || sig.Files != 2 || !cmp.Equal(sig.Ignored, []string{".github/x.py", "notes"}) {
		t.Errorf("%+v", sig)
	}
	folder(t, dir, map[string]string{"new.py": "print()"})
	if sig := verify(t, dir, bundle, terms); sig.Code != evidence.UnsignedFiles || sig.State != evidence.Invalid {
		t.Errorf("an unsigned file: %+v", sig)
	}
	terms.Lenient = true
	if sig := verify(t, dir, bundle, terms); sig.State != evidence.Trusted || !cmp.Equal(sig.Unsigned, []string{"new.py"}) {
		t.Errorf("an unsigned file that may be there: %+v", sig)
	}
	folder(t, dir, map[string]string{"config.json": "[]"})
	if sig := verify(t, dir, bundle, terms); sig.Code != evidence.Tampered || sig.State != evidence.Invalid {
		t.Errorf("a changed file: %+v", sig)
	}
	terms.Authorities = nil
	if sig := verify(t, dir, bundle, terms); sig.Code != evidence.NoAuthority || sig.State != evidence.Unverified {
		t.Errorf("without a key: %+v", sig)
	}
}

// TestVerifyInFolder: a folder's signature says something of each file in it alone.
func TestVerifyInFolder(t *testing.T) {
	dir := folder(t, t.TempDir(), map[string]string{"a.bin": "a", "sub/b.bin": "b", "c.bin": "b"})
	bundle, terms := signed(t, dir)
	folder(t, dir, map[string]string{"model.sig": string(bundle), "new.bin": "b"})
	for name, want := range map[string]evidence.Code{"a.bin": evidence.Verified, "sub/b.bin": evidence.Verified, "new.bin": evidence.Missing} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		var found string
		if found, terms.Within = provenance.FindSignature(path); filepath.Base(found) != "model.sig" || terms.Within != name || provenance.Within(found, path) != name {
			t.Errorf("%s: %s, %s", name, found, terms.Within)
		}
		if sig := verify(t, path, bundle, terms); sig.Code != want {
			t.Errorf("%s: %+v", name, sig)
		}
	}
	terms.Within = "a.bin" // and not b's content under a's name
	if sig := verify(t, filepath.Join(dir, "c.bin"), bundle, terms); sig.Code != evidence.Tampered {
		t.Errorf("%+v", sig)
	}
	if got := provenance.Within(filepath.Join(dir, "sub", "model.sig"), filepath.Join(dir, "a.bin")); got != "" {
		t.Errorf("a file above the bundle: %s", got)
	}
}

func TestVerifyFile(t *testing.T) {
	dir := folder(t, t.TempDir(), map[string]string{"model.pt": "weights", "other.pt": "weights", "evil.pt": "other"})
	bundle, terms := signed(t, filepath.Join(dir, "model.pt"))
	for name, want := range map[string]evidence.State{"model.pt": evidence.Trusted, "other.pt": evidence.Trusted, "evil.pt": evidence.Invalid, ".": evidence.Invalid} {
		if sig := verify(t, filepath.Join(dir, name), bundle, terms); sig.State != want {
			t.Errorf("%s: %+v", name, sig)
		}
	}
}

// TestLinks: a hub cache's snapshot is made of links into its blobs; every other link leads out.
func TestLinks(t *testing.T) {
	snap := "models--org--name/snapshots/" + strings.Repeat("a", 40)
	cache := folder(t, t.TempDir(), map[string]string{
		"models--org--name/blobs/1":  "weights",
		snap + "/model.safetensors":  "-> ../../blobs/1",
		"models--org--other/blobs/2": "others",
		"models--org--name/blobs/3":  "-> ../../models--org--other/blobs/2",
		"secret":                     "secret",
		"plain/model.pt":             "w",
		"plain/inner":                "-> model.pt",
		"plain/outer":                "-> ../secret",
		"plain/nowhere":              "-> nowhere",
		"plain/folder":               "-> ..",
	})
	dir := filepath.Join(cache, filepath.FromSlash(snap))
	bundle, terms := signed(t, dir)
	if sig := verify(t, dir, bundle, terms); sig.State != evidence.Trusted {
		t.Errorf("a snapshot: %+v", sig)
	}
	folder(t, cache, map[string]string{"named": "-> " + snap, "weights.bin": "-> " + snap + "/model.safetensors", "out": "-> plain/outer"})
	if sig := verify(t, filepath.Join(cache, "named"), bundle, terms); sig.State != evidence.Trusted {
		t.Errorf("a link to a folder, named by the user: %+v", sig)
	}
	for name, content := range map[string]string{"weights.bin": "weights", "out": "secret"} {
		one, terms := signed(t, folder(t, t.TempDir(), map[string]string{name: content}))
		terms.Within = name
		if sig := verify(t, filepath.Join(cache, name), one, terms); sig.State != evidence.Trusted {
			t.Errorf("%s, a link to a file, named by the user: %+v", name, sig)
		}
	}
	folder(t, dir, map[string]string{"x.py": "-> ../../../secret"})
	if sig := verify(t, dir, bundle, terms); sig.Code != evidence.Tampered || !cmp.Equal(sig.Links, []string{"x.py"}) {
		t.Errorf("a link out of the repository: %+v", sig)
	}
	if err := syscall.Mkfifo(filepath.Join(cache, "plain", "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := map[string]evidence.EntryType{}
	for _, e := range list(t, filepath.Join(cache, "plain")).Files {
		got[e.Name] = e.Type
	}
	want := map[string]evidence.EntryType{
		"model.pt": evidence.Regular, "inner": evidence.Inner, "outer": evidence.Link, "nowhere": evidence.Link,
		"folder": evidence.Link, "pipe": evidence.Other,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// liar answers what it is told to, as a worker may that its bundle took over.
type liar string

func (l liar) Call(context.Context, sandbox.Call) ([]byte, sandbox.Confinement, error) {
	return []byte(l), sandbox.Confinement{}, nil
}

func TestAnswersAreNotBelieved(t *testing.T) {
	dir := folder(t, t.TempDir(), map[string]string{"a": "a"})
	long, err := json.Marshal(strings.Repeat("x", 5000))
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]string{
		"nothing":                 ``,
		"unknown field":           `{"signature":{"state":"invalid"},"more":1}`,
		"two values":              `{"signature":{"state":"invalid"}}{}`,
		"no state":                `{"signature":{}}`,
		"unsigned":                `{"signature":{"state":"none"}}`,
		"trusted, unasked":        `{"signature":{"state":"verified"},"manifest":{"plan":{"hash":"sha256"},"files":[{"n":"a","d":"1"}]}}`,
		"good without a manifest": `{"signature":{"state":"valid"}}`,
		"bad with a manifest":     `{"signature":{"state":"invalid"},"manifest":{"plan":{"hash":"sha256"},"files":[{"n":"a","d":"1"}]}}`,
		"empty manifest":          `{"signature":{"state":"valid"},"manifest":{"plan":{"hash":"sha256"},"files":[]}}`,
		"no digest":               `{"signature":{"state":"valid"},"manifest":{"plan":{"hash":"sha256"},"files":[{"n":"a","d":""}]}}`,
		"unknown hash":            `{"signature":{"state":"valid"},"manifest":{"plan":{"hash":"md5"},"files":[{"n":"a","d":"1"}]}}`,
		"a comparison of its own": `{"signature":{"state":"invalid","unsigned_files":["a"]}}`,
		"a long text":             `{"signature":{"state":"invalid","message":` + string(long) + `}}`,
	} {
		if sig, err := provenance.Verify(t.Context(), liar(answer), list(t, dir), []byte("{}"), provenance.Terms{}); err == nil {
			t.Errorf("%s: %+v", name, sig)
		}
	}
}

// TestIsRaw: a signature of any first byte is no JSON.
func TestIsRaw(t *testing.T) {
	for text, want := range map[string]bool{"{}": false, "\n {\"a\": 1}": false, "\n{\x9c\xf1": true, "{\xff": true, "MEUC": true, "": false} {
		if got := provenance.IsRaw([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestRaw: what openssl pkeyutl and cosign write.
func TestRaw(t *testing.T) {
	content := []byte("weights")
	sum := sha256.Sum256(content)
	dir := folder(t, t.TempDir(), map[string]string{"model.pt": string(content), "evil.pt": "other"})
	edPublic, edKey, err1 := ed25519.GenerateKey(rand.Reader)
	rsaKey, err2 := rsa.GenerateKey(rand.Reader, 2048)
	pkcs, err3 := rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, sum[:])
	pss, err4 := rsa.SignPSS(rand.Reader, rsaKey, crypto.SHA256, sum[:], nil)
	ecKey := signtest.Key(t, elliptic.P256())
	ec, err5 := ecdsa.SignASN1(rand.Reader, ecKey, sum[:])
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		key       any
		signature []byte
	}{
		{"ed25519", edPublic, ed25519.Sign(edKey, content)},
		{"rsa", &rsaKey.PublicKey, pkcs},
		{"rsa pss", &rsaKey.PublicKey, pss},
		{"ecdsa", &ecKey.PublicKey, ec},
		{"ecdsa in base64", &ecKey.PublicKey, []byte(base64.StdEncoding.EncodeToString(ec) + "\n")},
	} {
		der, err := x509.MarshalPKIXPublicKey(c.key)
		if err != nil {
			t.Fatal(err)
		}
		terms := provenance.Terms{Authorities: []evidence.Authority{{Name: "k", Key: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}}}
		if sig := verify(t, filepath.Join(dir, "model.pt"), c.signature, terms); sig.State != evidence.Trusted {
			t.Errorf("%s: %+v", c.name, sig)
		}
		for name, bad := range map[string]*evidence.Signature{
			"another file":   verify(t, filepath.Join(dir, "evil.pt"), c.signature, terms),
			"a folder":       verify(t, dir, c.signature, terms),
			"cut":            verify(t, filepath.Join(dir, "model.pt"), c.signature[:20], terms),
			"no key":         verify(t, filepath.Join(dir, "model.pt"), c.signature, provenance.Terms{}),
			"revoked":        verify(t, filepath.Join(dir, "model.pt"), c.signature, provenance.Terms{Authorities: terms.Authorities, Revoked: evidence.Revocations{Keys: []string{fingerprint(der)}}}),
			"statements":     verify(t, filepath.Join(dir, "model.pt"), c.signature, provenance.Terms{Authorities: []evidence.Authority{{Name: "k", Key: terms.Authorities[0].Key, Predicates: []string{"x"}}}}),
			"empty":          verify(t, filepath.Join(dir, "model.pt"), nil, terms),
			"nobody's time":  verify(t, filepath.Join(dir, "model.pt"), c.signature, provenance.Terms{Authorities: terms.Authorities, MinSignedAt: time.Unix(1, 0)}),
			"no key of mine": verify(t, filepath.Join(dir, "model.pt"), c.signature, provenance.Terms{Authorities: []evidence.Authority{{Name: "k", Key: signtest.PublicPEM(t, signtest.Key(t, elliptic.P256()))}}}),
		} {
			if bad.State == evidence.Trusted {
				t.Errorf("%s, %s: %+v", c.name, name, bad)
			}
		}
	}
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// TestLinkedSignature: what a link leads to is signed where it lies.
func TestLinkedSignature(t *testing.T) {
	dir := folder(t, t.TempDir(), map[string]string{"real/sub/a.pt": "w", "real/b.pt": "v", "a.pt": "-> real/sub/a.pt", "b.pt": "-> real/b.pt"})
	bundle, terms := signed(t, filepath.Join(dir, "real"))
	if err := os.WriteFile(filepath.Join(dir, "real", "model.sig"), bundle, 0o600); err != nil {
		t.Fatal(err)
	}
	set := provenance.Settings{Trust: &evidence.TrustPolicy{Rules: []evidence.TrustRule{{Match: []string{"path:**"}, Mode: evidence.Require, Authorities: terms.Authorities}}}}
	for _, name := range []string{"a.pt", "b.pt"} {
		if a := scan(t, set, filepath.Join(dir, name)); a.Signature.State != evidence.Trusted {
			t.Errorf("%s: %+v", name, a.Signature)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "real", "b.pt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := scan(t, set, filepath.Join(dir, "b.pt")); a.Signature.Code != evidence.Tampered {
		t.Errorf("%+v", a.Signature)
	}
}

// TestFindSignature: one that can be read goes before one that can't, and that before none: what is too large or cut is
// not absent.
func TestFindSignature(t *testing.T) {
	const bundle = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`
	large := strings.Repeat("x", 9000)
	dir := folder(t, t.TempDir(), map[string]string{
		"model.pt": "w", "model.pt.sig": bundle, "a.pt": "w", "a.pt.sigstore": bundle, "b.pt": "w", "b.pt.sig": "PGP",
		"m/model.sig": bundle, "n/skill.oms.sig": bundle, "o/x": "", "o.sig": bundle,
		"c.pt": "w", "c.pt.sig": large, "d.pt": "w", "d.pt.sigstore.json": `{"mediaType":"appl`, "d.pt.sig": "bare", "e.pt": "w", "e.pt.sigstore": "",
		"f.pt": "w", "f.pt.bundle": "zip", "p/model.sig": large, "p/x/g.pt": "w", "q/model.sig": large, "q/model.sigstore": bundle, "r.pt/x": "", "r.pt.sig/x": "",
	})
	if err := os.Truncate(filepath.Join(dir, "e.pt.sigstore"), 64<<20+1); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"model.pt": "model.pt.sig", "a.pt": "a.pt.sigstore", "b.pt": "b.pt.sig", "m": "m/model.sig", "n": "n/skill.oms.sig", "o": "o.sig", "absent": "",
		"c.pt": "c.pt.sig", "d.pt": "d.pt.sig", "e.pt": "e.pt.sigstore", "f.pt": "", "p": "p/model.sig", "p/x/g.pt": "p/model.sig", "q": "q/model.sigstore", "r.pt": "",
	} {
		got, _ := provenance.FindSignature(filepath.Join(dir, filepath.FromSlash(name)))
		if want != "" {
			want = filepath.Join(dir, filepath.FromSlash(want))
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]evidence.Code{"e.pt": evidence.OverLimit, "c.pt": evidence.Malformed, "p/x/g.pt": evidence.Malformed, "f.pt": evidence.Unsigned} {
		if a := scan(t, provenance.Settings{}, filepath.Join(dir, filepath.FromSlash(name))); a.Signature.Code != want {
			t.Errorf("%s: %+v", name, a.Signature)
		}
	}
}

func TestReadBundleBounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.sig")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<20+1); err != nil {
		t.Fatal(err)
	}
	if data, err := provenance.ReadBundle(path); evidence.CodeOf(err) != evidence.OverLimit {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.sig")
	for _, content := range []string{"old", "new"} {
		if err := provenance.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, []byte(content)) {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := provenance.WriteFile(filepath.Join(path, "x"), nil, 0o644); err == nil {
		t.Error("wrote below a file")
	}
}

// scan judges one file as the engine would, after a scan that found nothing.
func scan(t *testing.T, set provenance.Settings, path string) *engine.Artifact {
	t.Helper()
	return scanWith(t, set, path, nil)
}

// scanWith is scan of a file whose metadata holds these documents.
func scanWith(t *testing.T, set provenance.Settings, path string, docs []modelscan.Document) *engine.Artifact {
	t.Helper()
	asker := provenance.NewAsker(sandbox.Auto, "")
	defer asker.Close()
	f, err := artifact.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	complete := provenance.NewChecker(asker, set).Begin(t.Context(), path, f)
	a := &engine.Artifact{Path: path, Report: &modelscan.Report{Artifact: filepath.Base(path), Kind: modelscan.KindModel, Documents: docs}}
	complete(a)
	return a
}

func rules(a *engine.Artifact) []rule.ID {
	var ids []rule.ID
	for _, f := range a.Report.Findings {
		ids = append(ids, f.Rule)
	}
	return ids
}

// TestJudge: what a signature beside a file means under each mode of a trust policy.
func TestJudge(t *testing.T) {
	dir := folder(t, t.TempDir(), map[string]string{"m/a.bin": "a", "m/sub/b.bin": "b", "m/skip/x.py": "print()", "u/c.bin": "c"})
	bundle, terms := signed(t, filepath.Join(dir, "m"), "skip")
	folder(t, dir, map[string]string{"m/model.sig": string(bundle), "m/new.bin": "n"})
	policy := func(mode evidence.Mode, authorities []evidence.Authority) *evidence.TrustPolicy {
		return &evidence.TrustPolicy{Default: evidence.Warn, Rules: []evidence.TrustRule{{Name: "r", Match: []string{"path:**"}, Mode: mode, Authorities: authorities}}}
	}
	ours := terms.Authorities
	others := []evidence.Authority{{Name: "other", Key: signtest.PublicPEM(t, signtest.Key(t, elliptic.P256()))}}
	for _, c := range []struct {
		name, file string
		set        provenance.Settings
		state      evidence.State
		want       []rule.ID
	}{
		{"unsigned", "u/c.bin", provenance.Settings{}, evidence.StateNone, nil},
		{"unsigned, warn", "u/c.bin", provenance.Settings{Trust: policy(evidence.Warn, nil)}, evidence.StateNone, []rule.ID{rule.Unsigned}},
		{"unsigned, required", "u/c.bin", provenance.Settings{Trust: policy(evidence.Require, ours)}, evidence.StateNone, []rule.ID{rule.SignatureRequired}},
		{"unsigned, required by flag", "u/c.bin", provenance.Settings{Require: true}, evidence.StateNone, []rule.ID{rule.SignatureRequired}},
		{"denied", "m/a.bin", provenance.Settings{Trust: policy(evidence.Deny, ours)}, evidence.Trusted, []rule.ID{rule.SignerRefused}},
		{"good", "m/a.bin", provenance.Settings{Trust: policy(evidence.Require, ours)}, evidence.Trusted, nil},
		{"good, in a folder below", "m/sub/b.bin", provenance.Settings{Trust: policy(evidence.Require, ours)}, evidence.Trusted, nil},
		{"nobody asked", "m/a.bin", provenance.Settings{}, evidence.Unverified, []rule.ID{rule.SignatureUnverified}},
		{"nobody asked, required", "m/a.bin", provenance.Settings{Require: true}, evidence.Unverified, []rule.ID{rule.SignatureRequired}},
		{"by somebody else", "m/a.bin", provenance.Settings{Trust: policy(evidence.Require, others)}, evidence.Invalid, []rule.ID{rule.WrongSigner}},
		{"not in the signature", "m/new.bin", provenance.Settings{Trust: policy(evidence.Require, ours)}, evidence.Invalid, []rule.ID{rule.SignatureRequired}},
		{"left out of it", "m/skip/x.py", provenance.Settings{Trust: policy(evidence.Require, ours)}, evidence.StateNone, []rule.ID{rule.IgnoredCode}},
	} {
		a := scan(t, c.set, filepath.Join(dir, filepath.FromSlash(c.file)))
		if a.Signature.State != c.state || !cmp.Equal(rules(a), c.want) {
			t.Errorf("%s: %+v %v, want %s %v", c.name, a.Signature, rules(a), c.state, c.want)
		}
	}
	folder(t, dir, map[string]string{"m/a.bin": "changed"})
	if a := scan(t, provenance.Settings{Trust: policy(evidence.Require, ours)}, filepath.Join(dir, "m/a.bin")); !cmp.Equal(rules(a), []rule.ID{rule.SignatureInvalid}) || a.Verdict() != modelscan.Unsafe {
		t.Errorf("changed: %+v %v", a.Signature, rules(a))
	}
}

// TestPoliciesDecide: on a signed, described model, through the trust worker.
func TestPoliciesDecide(t *testing.T) {
	dir := folder(t, t.TempDir(), map[string]string{"a.bin": "a", "b.bin": "b"})
	sum := sha256.Sum256([]byte("a"))
	folder(t, dir, map[string]string{"bom.json": `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"machine-learning-model","name":"m","licenses":[{"license":{"id":"MIT"}}],
"hashes":[{"alg":"SHA-256","content":"` + hex.EncodeToString(sum[:]) + `"}]}],"vulnerabilities":[{"id":"CVE-2099-1"},{"id":"CVE-2099-2","analysis":{"state":"not_affected"}}]}`})
	audit, err := provenance.OpenAudit(filepath.Join(t.TempDir(), "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer audit.Close()
	set := provenance.Settings{Environment: "production", Audit: audit, Policies: []evidence.Module{{Name: "p", Text: `package secure_torch.policy
deny contains "not bound" if not input.sbom.bound
warn contains sprintf("%s %s %s", [input.environment, input.aiProfile.licenses[0], input.source.kind]) if true`}}}
	a := scan(t, set, filepath.Join(dir, "a.bin"))
	if !a.Policy.Allowed || !a.SBOM.Bound || a.Policy.Warn[0].Msg != "production MIT path" || !cmp.Equal(rules(a), []rule.ID{rule.KnownVulnerability, rule.PolicyWarning}) {
		t.Errorf("%+v %v", a.Policy, rules(a))
	}
	if b := scan(t, set, filepath.Join(dir, "b.bin")); b.Policy.Allowed || b.SBOM.Bound || b.Verdict() != modelscan.Unsafe {
		t.Errorf("%+v %v", b.Policy, rules(b))
	}
	set.Policies[0].Text = "package other"
	if b := scan(t, set, filepath.Join(dir, "a.bin")); b.Policy.Allowed || b.Policy.Error == "" || b.Verdict() != modelscan.Unsafe {
		t.Errorf("a policy that does not decide: %+v", b.Policy)
	}
	if err := audit.Close(); err != nil {
		t.Fatal(err)
	}
	if b := scan(t, set, filepath.Join(dir, "a.bin")); b.Policy.Allowed {
		t.Errorf("a decision that cannot be written down: %+v", b.Policy)
	}
}

// TestAudit: every decision is in the log or in the one put aside, whoever of several put it there.
func TestAudit(t *testing.T) {
	dir := folder(t, t.TempDir(), map[string]string{"a.bin": "a"})
	log := filepath.Join(t.TempDir(), "audit.jsonl")
	set := provenance.Settings{Policies: []evidence.Module{{Name: "p", Text: "package secure_torch.policy\nwarn contains \"w\" if true"}}}
	var logs [2]*provenance.Audit
	for i := range logs {
		var err error
		if logs[i], err = provenance.OpenAudit(log); err != nil {
			t.Fatal(err)
		}
		defer logs[i].Close()
	}
	decide := func(i int) {
		t.Helper()
		set.Audit = logs[i]
		if a := scan(t, set, filepath.Join(dir, "a.bin")); !a.Policy.Allowed {
			t.Fatalf("%+v", a.Policy)
		}
	}
	lines := func(path string) int {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(text, []byte("\n"))
	}
	decide(0)
	decide(1)
	if err := os.Truncate(log, 64<<20); err != nil {
		t.Fatal(err)
	}
	decide(0) // puts the full one aside
	decide(1) // has that open, and must not put the new one aside
	decide(0)
	if lines(log+".1") != 2 || lines(log) != 3 {
		t.Errorf("%d lines put aside, %d in the log", lines(log+".1"), lines(log))
	}
	if info, err := os.Stat(log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Rename(log, log+".moved"); err != nil {
		t.Fatal(err)
	}
	decide(0)
	if lines(log) != 1 {
		t.Error("nothing in the new log")
	}
}

// TestMemoryBomb: a policy that makes a text of 64 GB is denied, by whatever ends it first.
func TestMemoryBomb(t *testing.T) {
	text := "package secure_torch.policy\ns0 := \"xxxxxxxx\"\n"
	for i := range 33 {
		text += fmt.Sprintf("s%d := concat(\"\", [s%d, s%d])\n", i+1, i, i)
	}
	dir := folder(t, t.TempDir(), map[string]string{"a.bin": "a"})
	set := provenance.Settings{Policies: []evidence.Module{{Name: "p", Text: text + "warn contains \"y\" if contains(s33, \"y\")"}}}
	if a := scan(t, set, filepath.Join(dir, "a.bin")); a.Policy.Allowed || a.Policy.Error == "" || a.Verdict() != modelscan.Unsafe {
		t.Errorf("%+v", a.Policy)
	}
}

func TestSourceOf(t *testing.T) {
	commit := strings.Repeat("a", 40)
	s := provenance.SourceOf("/cache/models--org--name/snapshots/" + commit + "/sub/m.bin")
	if s.Kind != "hub" || s.Repo != "org/name" || s.Commit != commit || s.Names()[0] != "hf:org/name" {
		t.Errorf("%+v", s)
	}
	for _, path := range []string{"/cache/models--org--name/snapshots/main/m.bin", "/cache/models--org--name/snapshots/" + commit, "/models--a", "/"} {
		if s := provenance.SourceOf(path); s.Kind != "path" || len(s.Names()) != 1 {
			t.Errorf("%s: %+v", path, s)
		}
	}
}

// TestLinkedSource: a rule about a folder or a repository holds for what a link elsewhere leads to.
func TestLinkedSource(t *testing.T) {
	dir, err := filepath.EvalSymlinks(folder(t, t.TempDir(), map[string]string{
		"strict/m.pt": "w", "c/models--Org--name/blobs/abc": "w", "c/models--Org--name/snapshots/main/x": "",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{
		"file.pt": "strict/m.pt", "folder": "strict", "c/models--Org--name/snapshots/main/m.pt": "../../blobs/abc", "out.pt": "c/models--Org--name/snapshots/main/m.pt",
	} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Fatal(err)
		}
	}
	p := evidence.TrustPolicy{Default: evidence.Warn, Rules: []evidence.TrustRule{
		{Name: "strict", Match: []string{"path:" + filepath.ToSlash(dir) + "/strict/**"}, Mode: evidence.Deny},
		{Name: "org", Match: []string{"hf:oRG/*"}, Mode: evidence.Deny},
	}}
	for path, want := range map[string]string{"strict/m.pt": "strict", "file.pt": "strict", "folder/m.pt": "strict", "out.pt": "org", "c/m.pt": "default"} {
		if got := p.Rule(provenance.SourceOf(filepath.Join(dir, filepath.FromSlash(path))).Names()...); got.Name != want {
			t.Errorf("%s: rule %s, want %s", path, got.Name, want)
		}
	}
}
