package modelsigning

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/trust/signtest"
)

var model = map[string]string{"config.json": "{}", "sub/weights.bin": "weights", "sub-x": "x"}

func sign(t testing.TB, key *ecdsa.PrivateKey, chain ...*x509.Certificate) []byte {
	t.Helper()
	signer, err := NewSigner(key, chain)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := signer.Sign("model", signtest.Listing(model), []string{"notes"})
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

func parse(t testing.TB, data []byte) *Bundle {
	t.Helper()
	b, err := read(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(data []byte) (*Bundle, error) {
	pb, err := ParseProto(data)
	if err != nil {
		return nil, err
	}
	return New(pb)
}

func verifyKey(b *Bundle, key *ecdsa.PublicKey) (*Statement, error) {
	if err := b.CheckKey(key); err != nil {
		return nil, err
	}
	return b.Statement()
}

func TestKey(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key := signtest.Key(t, curve)
		b := parse(t, sign(t, key))
		public, err := ParsePublicKey(signtest.PublicPEM(t, key))
		if err != nil {
			t.Fatal(err)
		}
		st, err := verifyKey(b, public)
		if err != nil {
			t.Fatalf("%s: %v", curve.Params().Name, err)
		}
		if c := st.Compare(signtest.Listing(model)); c.Signed != 3 || c.Err(false) != nil {
			t.Errorf("%s: %+v", curve.Params().Name, c)
		}
		if _, err := verifyKey(b, &signtest.Key(t, curve).PublicKey); evidence.CodeOf(err) != evidence.WrongKey {
			t.Errorf("%s: with another key: %v", curve.Params().Name, err)
		}
		if _, _, err := b.VerifyCertificate(CertificatePolicy{}); evidence.CodeOf(err) != evidence.WrongMethod {
			t.Errorf("as a certificate's: %v", err)
		}
	}
	if _, err := ParsePublicKey(signtest.PublicPEM(t, signtest.Key(t, elliptic.P224()))); err == nil {
		t.Error("a key of the curve P-224 was accepted")
	}
}

func TestCertificate(t *testing.T) {
	root := signtest.NewAuthority(t, "root", nil)
	inter := signtest.NewAuthority(t, "intermediate", root)
	other := signtest.NewAuthority(t, "root", nil)
	key := signtest.Key(t, elliptic.P384())
	leaf := inter.Leaf(t, "signer", key, nil)
	expired := inter.Leaf(t, "signer", key, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-3*time.Hour), time.Now().Add(-2*time.Hour)
	})
	for _, c := range []struct {
		name   string
		chain  []*x509.Certificate
		policy CertificatePolicy
		want   evidence.Code
	}{
		{"good", []*x509.Certificate{leaf, inter.Cert}, CertificatePolicy{Roots: []*x509.Certificate{root.Cert}}, evidence.Verified},
		{"with the root in the bundle", []*x509.Certificate{leaf, inter.Cert, root.Cert}, CertificatePolicy{Roots: []*x509.Certificate{root.Cert}}, evidence.Verified},
		{"the bundle's own root is not believed", []*x509.Certificate{leaf, inter.Cert, root.Cert}, CertificatePolicy{Roots: []*x509.Certificate{other.Cert}}, evidence.UntrustedCertificate},
		{"without the intermediate", []*x509.Certificate{leaf}, CertificatePolicy{Roots: []*x509.Certificate{root.Cert}}, evidence.UntrustedCertificate},
		{"no roots", []*x509.Certificate{leaf}, CertificatePolicy{}, evidence.NoAuthority},
		{"subject", []*x509.Certificate{leaf, inter.Cert}, CertificatePolicy{Roots: []*x509.Certificate{root.Cert}, Subject: "signer"}, evidence.Verified},
		{"another subject", []*x509.Certificate{leaf, inter.Cert}, CertificatePolicy{Roots: []*x509.Certificate{root.Cert}, Subject: "sign"}, evidence.WrongIdentity},
		{"expired", []*x509.Certificate{expired, inter.Cert}, CertificatePolicy{Roots: []*x509.Certificate{root.Cert}}, evidence.CertificateExpired},
		{"not valid yet", []*x509.Certificate{leaf, inter.Cert}, CertificatePolicy{Roots: []*x509.Certificate{root.Cert}, At: time.Now().Add(-2 * time.Hour)}, evidence.CertificateExpired},
		{"pinned", []*x509.Certificate{leaf}, CertificatePolicy{Roots: []*x509.Certificate{leaf}}, evidence.Verified},
		{"revoked", []*x509.Certificate{leaf, inter.Cert}, CertificatePolicy{Roots: []*x509.Certificate{root.Cert}, Revoked: []string{CertificateFingerprint(leaf)}}, evidence.Revoked},
		{"revoked authority", []*x509.Certificate{leaf, inter.Cert}, CertificatePolicy{Roots: []*x509.Certificate{root.Cert}, Revoked: []string{CertificateFingerprint(inter.Cert)}}, evidence.Revoked},
		{"somebody else's is revoked", []*x509.Certificate{leaf, inter.Cert}, CertificatePolicy{Roots: []*x509.Certificate{root.Cert}, Revoked: []string{CertificateFingerprint(other.Cert)}}, evidence.Verified},
	} {
		_, _, err := parse(t, sign(t, key, c.chain...)).VerifyCertificate(c.policy)
		if got := codeOf(err); got != c.want {
			t.Errorf("%s: %s, %v", c.name, got, err)
		}
	}
}

func codeOf(err error) evidence.Code {
	if err == nil {
		return evidence.Verified
	}
	return evidence.CodeOf(err)
}

// TestCertificateUsage: a certificate is taken for what its authority made it for, and so is its authority's.
func TestCertificateUsage(t *testing.T) {
	root := signtest.NewAuthority(t, "root", nil)
	key := signtest.Key(t, elliptic.P256())
	servers := signtest.NewAuthorityFor(t, "servers", root, x509.ExtKeyUsageServerAuth)
	for _, c := range []struct {
		name string
		by   *signtest.Authority
		use  x509.KeyUsage
		more []x509.ExtKeyUsage
		want evidence.Code
	}{
		{"signatures over code", root, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, evidence.Verified},
		{"signatures", root, x509.KeyUsageDigitalSignature, nil, evidence.Verified},
		{"code", root, 0, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, evidence.Verified},
		{"anything", root, 0, []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, evidence.Verified},
		{"code and servers", root, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageCodeSigning}, evidence.Verified},
		{"it does not say", root, 0, nil, evidence.CertificateUsage},
		{"key agreement", root, x509.KeyUsageKeyAgreement, nil, evidence.CertificateUsage},
		{"key agreement, code", root, x509.KeyUsageKeyAgreement, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, evidence.CertificateUsage},
		{"servers", root, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, evidence.CertificateUsage},
		{"servers alone", root, 0, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, evidence.CertificateUsage},
		{"by an authority for servers", servers, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, evidence.CertificateUsage},
	} {
		leaf := c.by.Leaf(t, "s", key, func(t *x509.Certificate) { t.KeyUsage, t.ExtKeyUsage = c.use, c.more })
		b := parse(t, rewrite(t, sign(t, key, root.Leaf(t, "s", key, nil)), func(m map[string]any) {
			material, _ := m["verificationMaterial"].(map[string]any)
			material["x509CertificateChain"] = map[string]any{"certificates": []any{
				map[string]any{"rawBytes": leaf.Raw}, map[string]any{"rawBytes": servers.Cert.Raw},
			}}
		}))
		if _, _, err := b.VerifyCertificate(CertificatePolicy{Roots: []*x509.Certificate{root.Cert}}); codeOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := NewSigner(key, []*x509.Certificate{leaf}); (err == nil) != (c.want == evidence.Verified || c.by == servers) {
			t.Errorf("signing, %s: %v", c.name, err)
		}
	}
	if _, err := NewSigner(signtest.Key(t, elliptic.P256()), []*x509.Certificate{root.Leaf(t, "s", key, nil)}); err == nil {
		t.Error("signs with somebody else's certificate")
	}
}

// rewrite changes the JSON of a bundle.
func rewrite(t testing.TB, bundle []byte, change func(map[string]any)) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(bundle, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// resign makes a bundle with this payload and a good signature over it.
func resign(t testing.TB, key *ecdsa.PrivateKey, payload string, encode func([]byte) []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(encode([]byte(payload)))
	sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return rewrite(t, sign(t, key), func(m map[string]any) {
		env, _ := m["dsseEnvelope"].(map[string]any)
		env["payload"] = []byte(payload)
		env["signatures"] = []any{map[string]any{"sig": sig, "keyid": nil}}
	})
}

// statement is one about files whose names hash to their own digests.
func statement(serialization string, names ...string) string {
	root := sha256.New()
	var resources []string
	for _, n := range names {
		sum := sha256.Sum256([]byte(n))
		root.Write(sum[:])
		resources = append(resources, fmt.Sprintf(`{"name":%q,"digest":"%x","algorithm":"sha256"}`, n, sum))
	}
	return fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"m","digest":{"sha256":"%x"}}],
"predicateType":"https://model_signing/signature/v1.0","predicate":{"serialization":{%s},"resources":[%s]}}`, root.Sum(nil), serialization, strings.Join(resources, ","))
}

const files = `"method":"files","hash_type":"sha256","allow_symlinks":false`

func TestStatements(t *testing.T) {
	key := signtest.Key(t, elliptic.P256())
	good := statement(files, "a", "b")
	for _, c := range []struct {
		name, payload string
		want          evidence.Code
	}{
		{"good", good, evidence.Verified},
		{"unsorted", statement(files, "b", "a"), evidence.Verified},
		{"single file", statement(files, "."), evidence.Verified},
		{"a name of 100,000 bytes", statement(files, strings.Repeat("n", 100_000)), evidence.BadStatement},
		{"a shard's name of 100,000 bytes", statement(`"method":"shards","hash_type":"sha256","shard_size":4`, strings.Repeat("n", 100_000)+":0:4"), evidence.BadStatement},
		{"unknown fields", strings.Replace(good, `"resources":[{`, `"more":1,"resources":[{"uri":"x",`, 1), evidence.Verified},
		{"root digest", strings.Replace(good, `"subject":[{"name":"m","digest":{"sha256":"`, `"subject":[{"name":"m","digest":{"sha256":"00`, 1), evidence.BadStatement},
		{"twice", statement(files, "a", "a"), evidence.BadStatement},
		{"climbs", statement(files, "../a"), evidence.BadStatement},
		{"absolute", statement(files, "/a"), evidence.BadStatement},
		{"not normal", statement(files, "a//b"), evidence.BadStatement},
		{"dot inside", statement(files, "a/./b"), evidence.BadStatement},
		{"trailing slash", statement(files, "a/"), evidence.BadStatement},
		{"zero byte", statement(files, "a\x00"), evidence.BadStatement},
		{"empty name", statement(files, ""), evidence.BadStatement},
		{"no files", statement(files), evidence.BadStatement},
		{"duplicate key", strings.Replace(good, `"predicate":{`, `"predicateType":"x","predicate":{`, 1), evidence.BadStatement},
		{"hash", statement(strings.Replace(files, "sha256", "md5", 1), "a"), evidence.Unsupported},
		{"other hash", statement(strings.Replace(files, "sha256", "blake3", 1), "a"), evidence.BadStatement},
		{"method", statement(strings.Replace(files, "files", "rows", 1), "a"), evidence.Unsupported},
		{"shards", statement(`"method":"shards","hash_type":"sha256","shard_size":4.0`, "a:0:4", "a:4:6", "b:c:0:1"), evidence.Verified},
		{"shards of nothing", statement(`"method":"shards","hash_type":"sha256","shard_size":0`, "a:0:4"), evidence.BadStatement},
		{"shards of parts", statement(`"method":"shards","hash_type":"sha256","shard_size":1.5`, "a:0:1"), evidence.BadStatement},
		{"shard of another size", statement(`"method":"shards","hash_type":"sha256","shard_size":4`, "a:0:5"), evidence.BadStatement},
		{"shard that starts nowhere", statement(`"method":"shards","hash_type":"sha256","shard_size":4`, "a:1:4"), evidence.BadStatement},
		{"shard with a sign", statement(`"method":"shards","hash_type":"sha256","shard_size":4`, "a:+0:4"), evidence.BadStatement},
		{"shard without a range", statement(`"method":"shards","hash_type":"sha256","shard_size":4`, "a"), evidence.BadStatement},
		{"statement type", strings.Replace(good, "Statement/v1", "Statement/v0.1", 1), evidence.BadStatement},
		{"predicate type", strings.Replace(good, "signature/v1.0", "signature/v2.0", 1), evidence.BadStatement},
		{"capital digest", strings.Replace(good, `"digest":"ca978112`, `"digest":"CA978112`, 1), evidence.BadStatement},
		{"no JSON", "pickle", evidence.BadStatement},
		{"something after it", good + "{}", evidence.BadStatement},
	} {
		b, err := read(resign(t, key, c.payload, pae))
		if err == nil {
			_, err = verifyKey(b, &key.PublicKey)
		}
		if got := codeOf(err); got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
		}
	}
}

// TestLegacy: model_signing 0.2.0 signed another encoding, of another statement.
func TestLegacy(t *testing.T) {
	key := signtest.Key(t, elliptic.P256())
	old := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"it's\ta \"file\"","digest":{"sha256":"` + strings.Repeat("ab", 32) + `"}}],
"predicateType":"https://model_signing/Digests/v0.1","predicate":{"unused":"Unused, just passed due to API requirements"}}`
	st, err := verifyKey(parse(t, resign(t, key, old, paeLegacy)), &key.PublicKey)
	if err != nil || len(st.Files) != 1 || st.Plan.Hash != SHA256 {
		t.Errorf("0.2.0: %+v, %v", st, err)
	}
	if _, err := verifyKey(parse(t, resign(t, key, statement(files, "a"), paeLegacy)), &key.PublicKey); codeOf(err) != evidence.InvalidSignature {
		t.Errorf("the old encoding of a new statement: %v", err)
	}
}

// TestRepr compares with what CPython prints.
func TestRepr(t *testing.T) {
	for in, want := range map[string]string{
		"a": `b'a'`, "it's": `b"it's"`, `it's "x"`: `b'it\'s "x"'`, "\t\n\r\\\x00\x7f\xff": `b'\t\n\r\\\x00\x7f\xff'`, "é": `b'\xc3\xa9'`,
	} {
		if got := string(appendRepr(nil, []byte(in))); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestMalformed(t *testing.T) {
	key := signtest.Key(t, elliptic.P256())
	good := sign(t, key)
	set := func(part, name string, value any) []byte {
		return rewrite(t, good, func(m map[string]any) {
			if part == "" {
				m[name] = value
				return
			}
			inner, _ := m[part].(map[string]any)
			inner[name] = value
		})
	}
	for _, c := range []struct {
		name string
		data []byte
		want evidence.Code
	}{
		{"empty", nil, evidence.Malformed},
		{"an array", []byte("[]"), evidence.Malformed},
		{"cut", good[:len(good)/2], evidence.Malformed},
		{"media type", set("", "mediaType", "application/json"), evidence.Unsupported},
		{"no envelope", set("", "dsseEnvelope", nil), evidence.Unsupported},
		{"no material", set("", "verificationMaterial", map[string]any{}), evidence.Malformed},
		{"two signatures", set("dsseEnvelope", "signatures", []any{map[string]any{"sig": "AA=="}, map[string]any{"sig": "AA=="}}), evidence.Malformed},
		{"no signature", set("dsseEnvelope", "signatures", []any{}), evidence.Malformed},
		{"empty signature", set("dsseEnvelope", "signatures", []any{map[string]any{"sig": ""}}), evidence.Malformed},
		{"payload type", set("dsseEnvelope", "payloadType", "text/plain"), evidence.Malformed},
		{"too large", make([]byte, MaxBundle+1), evidence.OverLimit},
	} {
		if _, err := read(c.data); codeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// TestTampering: whatever byte of the signed content or of the signature is changed, nothing verifies.
func TestTampering(t *testing.T) {
	key := signtest.Key(t, elliptic.P256())
	good := sign(t, key)
	b := parse(t, good)
	change := func(part string, at int, raw []byte) {
		raw[at] ^= 1 << (at % 8)
		data := rewrite(t, good, func(m map[string]any) {
			env, _ := m["dsseEnvelope"].(map[string]any)
			if part == "payload" {
				env["payload"] = raw
				return
			}
			env["signatures"] = []any{map[string]any{"sig": base64.StdEncoding.EncodeToString(raw)}}
		})
		raw[at] ^= 1 << (at % 8)
		if b, err := read(data); err == nil {
			if _, err := verifyKey(b, &key.PublicKey); err == nil {
				t.Errorf("%s: byte %d changed, and it verifies", part, at)
			}
		}
	}
	for at := range b.payload {
		change("payload", at, b.payload)
	}
	for at := range b.signature {
		change("signature", at, b.signature)
	}
}

func TestSignRefuses(t *testing.T) {
	signer, err := NewSigner(signtest.Key(t, elliptic.P256()), nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := []string{strings.Repeat("0", 64)}
	for name, e := range map[string]evidence.Entry{
		"link": {Name: "a", Type: evidence.Link, Digests: sum}, "inner link": {Name: "a", Type: evidence.Inner, Digests: sum},
		"pipe": {Name: "a", Type: evidence.Other}, "not hashed": {Name: "a"}, "no text": {Name: "a\xff", Digests: sum},
		"another hash": {Name: "a", Digests: []string{"00"}}, "ignored": {Name: "skip/a", Digests: sum},
	} {
		if _, err := signer.Sign("m", evidence.Listing{Entries: []evidence.Entry{e}}, []string{"skip"}); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	for _, ignore := range []string{"../x", "/x", ".", "*.py", "a//b", ""} {
		if _, err := signer.Sign("m", signtest.Listing(model), []string{ignore}); err == nil {
			t.Errorf("left out %q", ignore)
		}
	}
}

func TestPrivateKeys(t *testing.T) {
	key := signtest.Key(t, elliptic.P256())
	if got, err := ParsePrivateKey(signtest.PrivatePEM(t, key)); err != nil || !got.Equal(key) {
		t.Errorf("PKCS #8: %v", err)
	}
	for _, text := range []string{"", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", string(signtest.PublicPEM(t, key))} {
		if _, err := ParsePrivateKey([]byte(text)); err == nil {
			t.Errorf("%q was taken for a private key", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	key := signtest.Key(f, elliptic.P256())
	f.Add(sign(f, key))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := read(data)
		if err != nil {
			return
		}
		if st, err := b.Statement(); err == nil {
			st.Compare(signtest.Listing(model))
		}
	})
}

func BenchmarkVerifyKey(b *testing.B) {
	key := signtest.Key(b, elliptic.P256())
	data := sign(b, key)
	for b.Loop() {
		bundle, err := read(data)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := verifyKey(bundle, &key.PublicKey); err != nil {
			b.Fatal(err)
		}
	}
}
