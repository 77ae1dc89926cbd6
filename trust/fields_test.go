package trust

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/trust/modelsigning"
	"github.com/secure-torch/secure-torch/trust/signtest"
	"github.com/secure-torch/secure-torch/trust/signtest/virtual"
)

// mutants are what a field of a bundle may be turned into: nothing, another value, part of it, what another bundle has
// in its place, an array's items twice or in another order.
func mutants(value, other any) []any {
	out := []any{nil, "", "AAAA", json.Number("0"), []any{}, map[string]any{}}
	if other != nil {
		out = append(out, other)
	}
	switch v := value.(type) {
	case string:
		out = append(out, v+"A", v[:len(v)/2], strings.ToUpper(v))
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			out = append(out, fmt.Sprint(n+1), fmt.Sprint(n-1), fmt.Sprint(-n))
		}
		if raw, err := base64.StdEncoding.DecodeString(v); err == nil && len(raw) > 0 {
			for _, at := range []int{0, len(raw) / 2, len(raw) - 1} {
				raw[at] ^= 1
				out = append(out, base64.StdEncoding.EncodeToString(raw))
				raw[at] ^= 1
			}
			out = append(out, base64.StdEncoding.EncodeToString(append(raw, 0)))
		}
	case []any:
		out = append(out, append(slices.Clone(v), v...))
		if o, ok := other.([]any); ok {
			out = append(out, append(slices.Clone(o), v...), append(slices.Clone(v), o...))
		}
	case json.Number:
		n, err := v.Int64()
		if err == nil {
			out = append(out, json.Number(fmt.Sprint(n+1)))
		}
	case bool:
		out = append(out, !v)
	}
	return out
}

// eachField calls visit with every bundle that differs from the good one in one field; the other bundle lends its own.
func eachField(t *testing.T, good, other []byte, visit func(at string, bundle []byte)) {
	t.Helper()
	tree := func(b []byte) any {
		var v any
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	top, lent := tree(good), tree(other)
	var walk func(at string, value, other any, set func(any))
	walk = func(at string, value, other any, set func(any)) {
		for i, m := range mutants(value, other) {
			set(m)
			b, err := json.Marshal(top)
			if err != nil {
				t.Fatal(err)
			}
			visit(fmt.Sprintf("%s #%d", at, i), b)
		}
		set(value)
		switch v := value.(type) {
		case map[string]any:
			o, _ := other.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(at+"."+name, v[name], o[name], func(x any) { v[name] = x })
			}
		case []any:
			o, _ := other.([]any)
			for i := range v {
				var lent any
				if i < len(o) {
					lent = o[i]
				}
				walk(fmt.Sprintf("%s[%d]", at, i), v[i], lent, func(x any) { v[i] = x })
			}
		}
	}
	walk("", top, lent, func(x any) { top = x })
}

// TestEveryField: whatever field of a bundle is changed, dropped, doubled or taken from another good bundle, it says
// the same of the same files, signer and log entry as before, or less, or it does not verify.
func TestEveryField(t *testing.T) {
	v := virtual.New(t)
	key := signtest.Key(t, elliptic.P256())
	signer, err := modelsigning.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	keyed := func(content string) []byte {
		b, err := signer.Sign("m", signtest.Listing(map[string]string{"a": content}), nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	model := func(content string) []byte { return statement(modelsigning.PredicateType, []byte(content)) }
	for _, c := range []struct {
		name        string
		good, other []byte
		who         []evidence.Authority
		every       int // Sigstore's take a thousand times 3 ms
	}{
		{"first generation log", v.Attest(t, identity, issuer, model("w")), v.Attest(t, identity, issuer, model("x")), wanted(identity, issuer), 2},
		{"second generation log", v.AttestTiled(t, identity, issuer, model("w")), v.AttestTiled(t, identity, issuer, model("x")), wanted(identity, issuer), 2},
		{"file", v.Sign(t, identity, issuer, []byte("w")), v.Sign(t, identity, issuer, []byte("x")), wanted(identity, issuer), 2},
		{"key", keyed("w"), keyed("x"), []evidence.Authority{{Name: "k", Key: signtest.PublicPEM(t, key)}}, 1},
	} {
		q := evidence.SignatureQuestion{Now: time.Now(), TrustedRoot: v.Root(t, nil), Authorities: c.who, Bundle: c.good}
		want := Signature(&q)
		if want.Signature.State != evidence.Trusted {
			t.Fatalf("%s: %+v", c.name, want.Signature)
		}
		q.Bundle = c.other
		whole := Signature(&q) // the other bundle as a whole is a good one about another model
		tried, verified := 0, 0
		eachField(t, c.good, c.other, func(at string, bundle []byte) {
			if tried++; tried%c.every != 0 {
				return
			}
			q.Bundle = bundle
			got := Signature(&q)
			if got.Signature.State != evidence.Trusted || cmp.Equal(got, whole) {
				return
			}
			verified++
			if got.Signature.SignedAt != nil && want.Signature.SignedAt != nil && !got.Signature.SignedAt.Before(*want.Signature.SignedAt) {
				got.Signature.SignedAt = want.Signature.SignedAt // one of several vouchers is gone: the next one's time, in the certificate's few minutes
			}
			if got.Signature.LogIndex == nil && strings.Contains(at, "inclusionPromise") {
				got.Signature.LogIndex = want.Signature.LogIndex // which only the promise vouches for
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s: verifies, and says otherwise: %s", c.name, at, diff)
			}
		})
		if tried < 100 || verified > tried/4 {
			t.Errorf("%s: %d of %d verify", c.name, verified, tried)
		}
	}
}

// TestAuthorities: each way in which nobody trusted vouches for the signer has its own code.
func TestAuthorities(t *testing.T) {
	v, other := virtual.New(t), virtual.New(t)
	bundle := v.Attest(t, identity, issuer, statement(modelsigning.PredicateType, []byte("w")))
	for _, c := range []struct {
		name string
		root []byte
		want evidence.Code
	}{
		{"good", v.Root(t, nil), evidence.Verified},
		{"another instance's certificate authority", v.RootOf(t, other, nil), evidence.UntrustedCertificate},
		{"a certificate authority that had ended", v.RootOf(t, v, func(ca *root.FulcioCertificateAuthority) { ca.ValidityPeriodEnd = time.Now().Add(-time.Hour) }), evidence.UntrustedCertificate},
		{"a certificate log that has never seen it", v.RootWithCertificateLog(t, other), evidence.NoSCT},
		{"a log that had ended", v.Root(t, func(l *root.TransparencyLog) { l.ValidityPeriodEnd = time.Now().Add(-time.Hour) }), evidence.InvalidLogEntry},
		{"nothing of it", other.Root(t, nil), evidence.UnknownLog},
	} {
		a := Signature(&evidence.SignatureQuestion{Now: time.Now(), Bundle: bundle, TrustedRoot: c.root, Authorities: wanted(identity, issuer)})
		if a.Signature.Code != c.want {
			t.Errorf("%s: %s: %s", c.name, a.Signature.Code, a.Signature.Message)
		}
	}
	late := v.AttestAt(t, identity, issuer, statement(modelsigning.PredicateType, []byte("w")), time.Now().Add(24*time.Hour))
	trusted := v.Root(t, func(l *root.TransparencyLog) { l.ValidityPeriodEnd = time.Now().Add(48 * time.Hour) })
	if a := Signature(&evidence.SignatureQuestion{Now: time.Now(), Bundle: late, TrustedRoot: trusted, Authorities: wanted(identity, issuer)}); a.Signature.Code != evidence.CertificateExpired {
		t.Errorf("signed after the certificate had ended: %s: %s", a.Signature.Code, a.Signature.Message)
	}
}

// TestManyFiles: a manifest of 100,000 files is read, within the bounds of a bundle and of an answer.
func TestManyFiles(t *testing.T) {
	files := map[string]string{}
	for i := range 100_000 {
		files[fmt.Sprintf("checkpoints/step-%06d/model-%05d-of-00100.safetensors", i/100, i%100)] = ""
	}
	key := signtest.Key(t, elliptic.P256())
	signer, err := modelsigning.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	listing := signtest.Listing(files)
	bundle, err := signer.Sign("m", listing, nil)
	if err != nil || len(bundle) > 64<<20 {
		t.Fatalf("%d bytes, %v", len(bundle), err)
	}
	body, err := json.Marshal(evidence.SignatureQuestion{Bundle: bundle, Authorities: []evidence.Authority{{Name: "k", Key: signtest.PublicPEM(t, key)}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := (Judge{}).Answer(t.Context(), evidence.AskSignature, body)
	if err != nil || len(out) > 64<<20 {
		t.Fatalf("%d bytes, %v", len(out), err)
	}
	var a evidence.SignatureAnswer
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatal(err)
	}
	if c := a.Manifest.Compare(listing); c.Signed != len(files) || c.Err(false) != nil || a.Signature.Files != len(files) {
		t.Errorf("%d signed, %+v", c.Signed, a.Signature)
	}
}
