package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/trust/signtest/virtual"
)

func writeFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeKeys writes a private key and its public one.
func writeKeys(t *testing.T, private, public string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	open, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, private, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}))
	writeFile(t, public, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}))
}

// A model signed by somebody else than the user's policy wants is an error on the call that loads it, and no longer
// when the user changes his policy.
func TestWrongSignerInEditor(t *testing.T) {
	home, dir, exe := t.TempDir(), t.TempDir(), program(t)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	t.Setenv("XDG_CONFIG_HOME", home)
	own := filepath.Join(home, "secure-torch")
	writeKeys(t, filepath.Join(home, "ours.pem"), filepath.Join(own, "ours.pub"))
	writeKeys(t, filepath.Join(home, "theirs.pem"), filepath.Join(own, "theirs.pub"))
	model, source := filepath.Join(dir, "m", "model.pkl"), filepath.Join(dir, "a.py")
	writeFile(t, model, []byte("\x80\x04K\x01."))
	if out, err := exec.Command(exe, "sign", filepath.Dir(model), "--key", filepath.Join(home, "theirs.pem")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	policy := func(key string) {
		writeFile(t, filepath.Join(own, "trust.yaml"), []byte("version: 1\nrules:\n- name: "+key+"\n  match: [\"path:"+dir+"/**\"]\n  mode: require\n  anyOf: [{key: "+key+"}]\n"))
	}
	policy("ours.pub")
	s := openLSP(t, exe, dir, nil)
	s.open(source, "import pickle\npickle.load(open('m/model.pkl', 'rb'))\n")
	if severity := s.shown(source, "ST304", true); severity != 1 {
		t.Errorf("severity %d", severity)
	}
	policy("theirs.pub")
	s.command("secure-torch.scanAgain", model)
	s.shown(source, "ST304", false)
	s.quit()
}

// Who signed a model through Sigstore is told over the call that loads it; at the user's word he alone may sign it from
// then on.
func TestTrustPublisherInEditor(t *testing.T) {
	home, dir, exe := t.TempDir(), t.TempDir(), program(t)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	t.Setenv("XDG_CONFIG_HOME", home)
	own, instance := filepath.Join(home, "secure-torch"), virtual.New(t)
	const issuer = "https://accounts.org.test"
	weights := []byte("\x80\x04K\x01.")
	model, source := filepath.Join(dir, "model.pkl"), filepath.Join(dir, "a.py")
	writeFile(t, model, weights)
	writeFile(t, model+".sigstore.json", instance.Sign(t, "ml@org.test", issuer, weights))
	writeFile(t, filepath.Join(own, "root.json"), instance.Root(t, nil))
	writeFile(t, filepath.Join(own, "trust.yaml"), []byte("version: 1\nroots: {sigstore: \"file:root.json\"}\n"))
	s := openLSP(t, exe, dir, nil)
	s.open(source, "import pickle\npickle.load(open('model.pkl', 'rb'))\n")
	var hover struct{ Contents struct{ Value string } }
	for !strings.Contains(hover.Contents.Value, "signature: good, by ` ml@org.test `") {
		s.call("textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": fileURI(source)}, "position": map[string]any{"line": 1, "character": 8}}, &hover)
	}
	s.command("secure-torch.trustPublisher", model)
	writeFile(t, model+".sigstore.json", instance.Sign(t, "mallory@org.test", issuer, weights))
	s.command("secure-torch.scanAgain", model)
	if severity := s.shown(source, "ST304", true); severity != 1 {
		t.Errorf("severity %d", severity)
	}
	s.quit()
}

// A publisher that the user trusts stands in his own policy, in front of what was there.
func TestTrustPublisher(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	m, err := newModelScanner(scannerOptions{sandbox: "auto"}, engine.New)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	a := &engine.Artifact{Path: "/models/m.safetensors", Signature: &evidence.Signature{
		State: evidence.Valid, Method: evidence.Sigstore, Signer: "ml@org.test", Issuer: "https://accounts.org.test",
	}}
	choices := m.Choices(a)
	if len(choices) != 2 || choices[0].Match != "path:/models/m.safetensors" || choices[1].Match != "path:/models/*" {
		t.Fatalf("choices %+v", choices)
	}
	hub := *a
	hub.Path = "/c/models--org--name/snapshots/0123456789012345678901234567890123456789/m.safetensors"
	if got := m.Choices(&hub); len(got) != 2 || got[0].Match != "hf:org/name" || got[1].Match != "hf:org/*" {
		t.Errorf("choices of a hub's file %+v", got)
	}
	for range 2 {
		if err := m.Trust(a, choices[1].Match); err != nil {
			t.Fatal(err)
		}
	}
	policy, err := loadTrustPolicy("")
	if err != nil {
		t.Fatal(err)
	}
	if rule := policy.Rule("path:/models/m.safetensors"); rule.Mode != evidence.Require || rule.Authorities[0].Identity.Subject != "ml@org.test" {
		t.Errorf("rule %+v", rule)
	}
	a.Signature.Method = evidence.Key
	if got := m.Choices(a); got != nil {
		t.Errorf("a key that is nowhere can be trusted: %+v", got)
	}
}
