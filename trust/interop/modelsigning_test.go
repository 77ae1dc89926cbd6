package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/worker"
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

// tool runs a program of the environment that scripts/interop.sh made, and tells whether it succeeded.
func tool(t *testing.T, name string, args ...string) (string, bool) {
	t.Helper()
	dir := os.Getenv("INTEROP")
	if dir == "" {
		t.Skip("run by scripts/interop.sh, which installs the tools")
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "bin", name), args...).CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out), err == nil
}

// write makes files in a new folder.
func write(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestModelSigning signs with each of the two and verifies with the other: PyPI's model_signing, and this program. The
// reference tool takes seconds to start, so that each curve and each shape of a model is tried once.
func TestModelSigning(t *testing.T) {
	root := signtest.NewAuthority(t, "root", nil)
	inter := signtest.NewAuthority(t, "intermediate", root)
	for _, c := range []struct {
		name   string
		curve  elliptic.Curve
		chain  bool
		single bool
	}{
		{"key, folder", elliptic.P256(), false, false},
		{"certificate, folder", elliptic.P384(), true, false},
		{"key, one file", elliptic.P521(), false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := signtest.Key(t, c.curve)
			leaf := inter.Leaf(t, "signer", key, nil)
			material := write(t, map[string][]byte{
				"key.pem": signtest.PrivatePEM(t, key), "key.pub": signtest.PublicPEM(t, key),
				"leaf.pem": signtest.CertificatePEM(leaf), "inter.pem": signtest.CertificatePEM(inter.Cert), "root.pem": signtest.CertificatePEM(root.Cert),
			})
			at := func(name string) string { return filepath.Join(material, name) }
			w := bothWays{
				key: key, sign: []string{"sign", "key", "--private_key", at("key.pem")}, verify: []string{"verify", "key", "--public_key", at("key.pub")},
				terms: provenance.Terms{Authorities: []evidence.Authority{{Name: "key", Key: signtest.PublicPEM(t, key)}}},
			}
			if c.chain {
				w.chain = []*x509.Certificate{leaf, inter.Cert}
				w.sign = []string{"sign", "certificate", "--private_key", at("key.pem"), "--signing_certificate", at("leaf.pem"), "--certificate_chain", at("inter.pem")}
				w.verify = []string{"verify", "certificate", "--certificate_chain", at("root.pem")}
				w.terms = provenance.Terms{Authorities: []evidence.Authority{{Name: "root", Roots: signtest.CertificatePEM(root.Cert)}}}
			}
			w.model = write(t, map[string][]byte{
				"config.json": []byte("{}"), "sub/weights.bin": []byte("w"), "sub-x": []byte("x"), "empty": nil,
				"ünï 模型.bin": []byte("u"), ".github/x.yml": []byte("g"),
			})
			if c.single {
				w.model = filepath.Join(w.model, "config.json")
			}
			w.run(t)
		})
	}
}

// bothWays is one model and what it is signed with.
type bothWays struct {
	key          *ecdsa.PrivateKey
	chain        []*x509.Certificate
	model        string
	sign, verify []string // the reference tool's arguments
	terms        provenance.Terms
}

func (w bothWays) run(t *testing.T) {
	t.Helper()
	bundle, theirs := filepath.Join(t.TempDir(), "model.sig"), filepath.Join(t.TempDir(), "theirs.sig")
	ours(t, w.key, w.chain, w.model, bundle)
	if out, ok := tool(t, "model_signing", append(w.verify, "--signature", bundle, w.model)...); !ok {
		t.Errorf("model_signing refuses our signature: %s", out)
	}
	if out, ok := tool(t, "model_signing", append(w.sign, "--signature", theirs, w.model)...); !ok {
		t.Fatal(out)
	}
	if s := check(t, w.model, theirs, w.terms); s.State != evidence.Trusted {
		t.Errorf("their signature: %s %s", s.Code, s.Message)
	}
}

func ours(t *testing.T, key *ecdsa.PrivateKey, chain []*x509.Certificate, path, out string) {
	t.Helper()
	signer, err := modelsigning.NewSigner(key, chain)
	if err != nil {
		t.Fatal(err)
	}
	model, err := provenance.List(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := model.Hash(t.Context(), evidence.Plan{Hash: modelsigning.SHA256}); err != nil {
		t.Fatal(err)
	}
	bundle, err := signer.Sign(model.Name(), model.Listing(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(out, bundle, 0o600); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, path, bundle string, terms provenance.Terms) *evidence.Signature {
	t.Helper()
	data, err := provenance.ReadBundle(bundle)
	if err != nil {
		t.Fatal(err)
	}
	model, err := provenance.List(t.Context(), path, bundle)
	if err != nil {
		t.Fatal(err)
	}
	asker := provenance.NewAsker(sandbox.Auto, "")
	defer asker.Close()
	s, err := provenance.Verify(t.Context(), asker, model, data, terms)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
