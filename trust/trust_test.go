package trust

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/trust/modelsigning"
	"github.com/secure-torch/secure-torch/trust/signtest"
	"github.com/secure-torch/secure-torch/trust/signtest/virtual"
)

const (
	identity = "ml-releases@example.org"
	issuer   = "https://accounts.example.org"
)

func wanted(subject, iss string) []evidence.Authority {
	return []evidence.Authority{{Name: "release", Identity: &evidence.Identity{Subject: subject, Issuer: iss}}}
}

// statement is a model's, or another attestation.
func statement(predicate string, content []byte) []byte {
	file := sha256.Sum256(content)
	all := sha256.Sum256(file[:])
	subject := all
	if predicate != modelsigning.PredicateType {
		subject = file
	}
	return fmt.Appendf(nil, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"m","digest":{"sha256":"%x"}}],"predicateType":%q,
"predicate":{"serialization":{"method":"files","hash_type":"sha256","allow_symlinks":false},"resources":[{"name":"a","digest":"%x","algorithm":"sha256"}]}}`, subject, predicate, file)
}

func TestSigstore(t *testing.T) {
	v, other := virtual.New(t), virtual.New(t)
	trusted, content := v.Root(t, nil), []byte("weights")
	model := v.Attest(t, identity, issuer, statement(modelsigning.PredicateType, content))
	expired := v.Root(t, func(l *root.TransparencyLog) { l.ValidityPeriodEnd = time.Now().Add(-time.Hour) })
	for _, c := range []struct {
		name   string
		bundle []byte
		root   []byte
		who    []evidence.Authority
		state  evidence.State
		code   evidence.Code
	}{
		{"model", model, trusted, wanted(identity, issuer), evidence.Trusted, evidence.Verified},
		{"model, by anybody", model, trusted, nil, evidence.Valid, evidence.NoAuthority},
		{"second generation log", v.AttestTiled(t, identity, issuer, statement(modelsigning.PredicateType, content)), trusted, wanted(identity, issuer), evidence.Trusted, evidence.Verified},
		{"attestation", v.Attest(t, identity, issuer, statement("https://slsa.dev/provenance/v1", content)), trusted, wanted(identity, issuer), evidence.Trusted, evidence.Verified},
		{"blob", v.Sign(t, identity, issuer, content), trusted, wanted(identity, issuer), evidence.Trusted, evidence.Verified},
		{"another subject", model, trusted, wanted("ml-releases@example.com", issuer), evidence.Invalid, evidence.WrongIdentity},
		{"part of the subject", model, trusted, wanted("ml-releases", issuer), evidence.Invalid, evidence.WrongIdentity},
		{"another issuer", model, trusted, wanted(identity, "https://github.com"), evidence.Invalid, evidence.WrongIdentity},
		{"no issuer", model, trusted, wanted(identity, ""), evidence.Invalid, evidence.NoAuthority},
		{"no subject", model, trusted, wanted("", issuer), evidence.Invalid, evidence.NoAuthority},
		{"another instance", model, other.Root(t, nil), wanted(identity, issuer), evidence.Invalid, evidence.UnknownLog},
		{"the public instance", model, nil, wanted(identity, issuer), evidence.Invalid, evidence.UnknownLog},
		{"no log entry", edit(t, model, "verificationMaterial", "tlogEntries", []any{}), trusted, wanted(identity, issuer), evidence.Invalid, evidence.NoLogEntry},
		{"a log that had ended", model, expired, wanted(identity, issuer), evidence.Invalid, evidence.InvalidLogEntry},
		{"no root", model, []byte("{}"), wanted(identity, issuer), evidence.Invalid, evidence.Malformed},
		{"any of two", model, trusted, append(wanted("nobody@example.org", issuer), wanted(identity, issuer)...), evidence.Trusted, evidence.Verified},
		{"a key is wanted", model, trusted, []evidence.Authority{{Name: "key", Key: signtest.PublicPEM(t, signtest.Key(t, elliptic.P256()))}}, evidence.Invalid, evidence.WrongMethod},
	} {
		a := Signature(&evidence.SignatureQuestion{Now: time.Now(), Bundle: c.bundle, TrustedRoot: c.root, Authorities: c.who})
		if a.Signature.State != c.state || a.Signature.Code != c.code || (a.Manifest != nil) != (c.state != evidence.Invalid) {
			t.Errorf("%s: %s, %s: %s", c.name, a.Signature.State, a.Signature.Code, a.Signature.Message)
			continue
		}
		if c.state == evidence.Invalid {
			continue
		}
		sum := sha256.Sum256(content)
		cmp := a.Manifest.Compare(evidence.Listing{Single: true, Entries: []evidence.Entry{{Name: "a", Digests: []string{hex.EncodeToString(sum[:])}}}})
		s := a.Signature
		if cmp.Err(false) != nil || s.Signer != identity || s.Issuer != issuer || s.SignedAt == nil || s.LogIndex == nil || s.Root == nil {
			t.Errorf("%s: %+v, %v", c.name, s, cmp.Err(false))
		}
	}
}

// edit sets one field of a bundle's JSON.
func edit(t testing.TB, bundle []byte, part, name string, value any) []byte {
	t.Helper()
	var top map[string]any
	if err := json.Unmarshal(bundle, &top); err != nil {
		t.Fatal(err)
	}
	inner, _ := top[part].(map[string]any)
	inner[name] = value
	out, err := json.Marshal(top)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRefusals: what the user's policy revokes or finds too old.
func TestRefusals(t *testing.T) {
	v := virtual.New(t)
	q := evidence.SignatureQuestion{
		Now: time.Now(), TrustedRoot: v.Root(t, nil), Authorities: wanted(identity, issuer),
		Bundle: v.Attest(t, identity, issuer, statement(modelsigning.PredicateType, []byte("w"))),
	}
	good := Signature(&q)
	key := signtest.Key(t, elliptic.P256())
	signer, err := modelsigning.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := signer.Sign("m", signtest.Listing(map[string]string{"a": "a"}), nil)
	if err != nil {
		t.Fatal(err)
	}
	keyed := evidence.SignatureQuestion{Now: time.Now(), Bundle: bundle, Authorities: []evidence.Authority{{Name: "k", Key: signtest.PublicPEM(t, key)}}}
	for _, c := range []struct {
		name   string
		q      evidence.SignatureQuestion
		change func(*evidence.SignatureQuestion)
		want   evidence.Code
	}{
		{"certificate", q, func(q *evidence.SignatureQuestion) { q.Revoked.Certificates = []string{good.Signature.Fingerprint} }, evidence.Revoked},
		{"log entry", q, func(q *evidence.SignatureQuestion) { q.Revoked.LogIndexes = []int64{*good.Signature.LogIndex} }, evidence.Revoked},
		{"too old", q, func(q *evidence.SignatureQuestion) { q.MinSignedAt = time.Now().Add(time.Hour) }, evidence.TooOld},
		{"new enough", q, func(q *evidence.SignatureQuestion) { q.MinSignedAt = time.Now().Add(-time.Hour) }, evidence.Verified},
		{"other statements", q, func(q *evidence.SignatureQuestion) {
			q.Authorities[0].Predicates = []string{"https://slsa.dev/provenance/v1"}
		}, evidence.WrongIdentity},
		{"key", keyed, func(q *evidence.SignatureQuestion) {
			q.Revoked.Keys = []string{modelsigning.Fingerprint(&key.PublicKey)}
		}, evidence.Revoked},
		{"key without a time", keyed, func(q *evidence.SignatureQuestion) { q.MinSignedAt = time.Now().Add(-time.Hour) }, evidence.TooOld},
		{"good key", keyed, func(*evidence.SignatureQuestion) {}, evidence.Verified},
	} {
		c.q.Authorities = append([]evidence.Authority{}, c.q.Authorities...)
		c.change(&c.q)
		if a := Signature(&c.q); a.Signature.Code != c.want || (a.Manifest != nil) != (c.want == evidence.Verified) && a.Signature.State != evidence.Invalid {
			t.Errorf("%s: %s %s", c.name, a.Signature.Code, a.Signature.Message)
		}
	}
}

// TestEntriesBeside: a log entry that does not hold, which anybody can put beside the one that does, is not the signature's.
func TestEntriesBeside(t *testing.T) {
	v := virtual.New(t)
	for name, bundle := range map[string][]byte{
		"first generation":  v.Sign(t, identity, issuer, []byte("w")),
		"second generation": v.AttestTiled(t, identity, issuer, statement(modelsigning.PredicateType, []byte("w"))),
		"with a proof":      v.Attest(t, identity, issuer, statement(modelsigning.PredicateType, []byte("w"))),
	} {
		q := evidence.SignatureQuestion{Now: time.Now(), TrustedRoot: v.Root(t, nil), Authorities: wanted(identity, issuer), Bundle: bundle}
		good := Signature(&q)
		if good.Signature.State != evidence.Trusted {
			t.Fatal(good.Signature.Message)
		}
		index := *good.Signature.LogIndex
		q.Bundle = entries(t, bundle, func(list []any) []any {
			return []any{with(list[0], "logIndex", fmt.Sprint(index+7)), list[0]}
		})
		if a := Signature(&q); a.Signature.State == evidence.Trusted && *a.Signature.LogIndex != index {
			t.Errorf("%s: log entry %d, not %d", name, *a.Signature.LogIndex, index)
		}
		q.Revoked.LogIndexes = []int64{index}
		if a := Signature(&q); a.Signature.State != evidence.Invalid {
			t.Errorf("%s, revoked: %s", name, a.Signature.State)
		}
		// Without the promise, nothing that the log signed has the entry's number.
		q.Bundle = entries(t, bundle, func(list []any) []any {
			return []any{with(with(list[0], "inclusionPromise", nil), "logIndex", fmt.Sprint(index+7))}
		})
		if a := Signature(&q); a.Signature.State != evidence.Invalid {
			t.Errorf("%s, revoked, without its promise: %s", name, a.Signature.State)
		}
		q.Revoked.LogIndexes = nil
		if a := Signature(&q); a.Signature.State == evidence.Trusted && a.Signature.LogIndex != nil {
			t.Errorf("%s: log entry %d, which nothing vouches for", name, *a.Signature.LogIndex)
		}
	}
}

// entries changes the log entries of a bundle's JSON.
func entries(t testing.TB, bundle []byte, change func([]any) []any) []byte {
	t.Helper()
	var top struct {
		Material struct {
			Entries []any `json:"tlogEntries"`
		} `json:"verificationMaterial"`
	}
	if err := json.Unmarshal(bundle, &top); err != nil {
		t.Fatal(err)
	}
	return edit(t, bundle, "verificationMaterial", "tlogEntries", change(top.Material.Entries))
}

// with is a JSON object with one field set, or without it.
func with(object any, name string, value any) any {
	fields, _ := object.(map[string]any)
	fields = maps.Clone(fields)
	if fields[name] = value; value == nil {
		delete(fields, name)
	}
	return fields
}

// TestTampering: whatever byte of a Sigstore bundle is changed, it either still says the same about the same signer
// and files, or does not verify.
func TestTampering(t *testing.T) {
	v := virtual.New(t)
	q := evidence.SignatureQuestion{Now: time.Now(), TrustedRoot: v.Root(t, nil), Authorities: wanted(identity, issuer)}
	good := v.Attest(t, identity, issuer, statement(modelsigning.PredicateType, []byte("w")))
	q.Bundle = good
	want := Signature(&q)
	if want.Signature.State != evidence.Trusted {
		t.Fatalf("%+v", want.Signature)
	}
	step := max(1, len(good)/150)
	if testing.Short() {
		step *= 4
	}
	for at := 0; at < len(good); at += step {
		q.Bundle = bytes.Clone(good)
		q.Bundle[at] ^= 1
		got := Signature(&q)
		if got.Signature.State != evidence.Trusted {
			continue
		}
		if got.Signature.Signer != identity || fmt.Sprint(got.Manifest) != fmt.Sprint(want.Manifest) {
			t.Errorf("byte %d (%q): %+v", at, good[max(0, at-20):min(len(good), at+20)], got)
		}
	}
}

// TestAnswer: hostile texts do not come through at any length.
func TestAnswer(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	bundle := `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"` + long + `"}},
"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"` + strings.Repeat("A", 43) + `="},"signature":"AAAA"}}`
	body, err := json.Marshal(evidence.SignatureQuestion{Bundle: []byte(bundle)})
	if err != nil {
		t.Fatal(err)
	}
	out, err := (Judge{}).Answer(t.Context(), evidence.AskSignature, body)
	if err != nil || len(out) > 10_000 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	if _, err := (Judge{}).Answer(t.Context(), "scan", nil); err == nil {
		t.Error("answered a question of another role")
	}
}

func FuzzSignature(f *testing.F) {
	v := virtual.New(f)
	f.Add(v.Attest(f, identity, issuer, statement(modelsigning.PredicateType, []byte("w"))))
	f.Add(v.Sign(f, identity, issuer, []byte("w")))
	trusted := v.Root(f, nil)
	f.Fuzz(func(t *testing.T, bundle []byte) {
		a := Signature(&evidence.SignatureQuestion{Bundle: bundle, TrustedRoot: trusted, Authorities: wanted("nobody", issuer)})
		if a.Signature.State == evidence.Trusted {
			t.Error("nobody signed")
		}
	})
}

func BenchmarkSigstore(b *testing.B) {
	v := virtual.New(b)
	q := evidence.SignatureQuestion{Now: time.Now(), TrustedRoot: v.Root(b, nil), Authorities: wanted(identity, issuer)}
	q.Bundle = v.Attest(b, identity, issuer, statement(modelsigning.PredicateType, []byte("w")))
	for b.Loop() {
		if a := Signature(&q); a.Signature.State != evidence.Trusted {
			b.Fatal(a.Signature.Message)
		}
	}
}
