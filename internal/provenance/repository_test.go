package provenance_test

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
	"github.com/secure-torch/secure-torch/trust/signtest"
)

const commit = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// listing is a repository of these files; fetches counts what is downloaded of it. The content "unreachable"
// can't be had.
func listing(files map[string]string, fetches *int) *remote.Listing {
	list := &remote.Listing{Name: "hf:org/model@" + commit, Commit: commit}
	for name, content := range files {
		sum := sha256.Sum256([]byte(content))
		list.Files = append(list.Files, remote.File{
			Name: list.Name + "/" + name, Path: name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
			Download: func(_ context.Context, w io.Writer) (int64, error) {
				*fetches++
				if content == "unreachable" {
					return 0, errors.New("no answer")
				}
				return io.Copy(w, bytes.NewReader([]byte(content)))
			},
		})
	}
	return list
}

// judge judges one scanned file of a repository on a hub; hashed tells whether all of it was read.
func judge(t *testing.T, set provenance.Settings, list *remote.Listing, name string, hashed bool) *engine.Artifact {
	t.Helper()
	return judgeIn(t, set, list, ref.Ref{Kind: ref.Hub, Value: "org/model", Revision: "main"}, name, hashed)
}

func judgeIn(t *testing.T, set provenance.Settings, list *remote.Listing, asked ref.Ref, name string, hashed bool) *engine.Artifact {
	t.Helper()
	asker := provenance.NewAsker(sandbox.Auto, "")
	defer asker.Close()
	a := &engine.Artifact{Path: list.Name + "/" + name, Report: &modelscan.Report{Artifact: name, Kind: modelscan.KindModel}, Origin: &engine.Origin{Commit: list.Commit}}
	for i := range list.Files {
		if f := &list.Files[i]; f.Path == name {
			if hashed {
				a.Digest = "sha256:" + f.SHA256
			}
			provenance.NewChecker(asker, set).Repository(list, asked).Judge(t.Context(), f, a)
		}
	}
	return a
}

// TestRepository: signatures in a repository on a hub. Whatever the hub lists, only content that was hashed counts.
func TestRepository(t *testing.T) {
	files := map[string]string{"a.bin": "a", "sub/b.bin": "b"}
	bundle, terms := signed(t, folder(t, t.TempDir(), files))
	require := func(authorities []evidence.Authority) provenance.Settings {
		return provenance.Settings{Trust: &evidence.TrustPolicy{Rules: []evidence.TrustRule{{Match: []string{"hf:org/*"}, Mode: evidence.Require, Authorities: authorities}}}}
	}
	ours, others := require(terms.Authorities), require([]evidence.Authority{{Name: "other", Key: signtest.PublicPEM(t, signtest.Key(t, elliptic.P256()))}})
	with := func(more ...string) map[string]string {
		out := map[string]string{"a.bin": "a", "sub/b.bin": "b", "model.sig": string(bundle)}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	for _, c := range []struct {
		name, file string
		files      map[string]string
		set        provenance.Settings
		hashed     bool
		code       evidence.Code
		want       []rule.ID
	}{
		{"in full", "a.bin", with(), ours, true, evidence.Verified, nil},
		{"in full, below", "sub/b.bin", with(), ours, true, evidence.Verified, nil},
		{"by ranges", "a.bin", with(), ours, false, evidence.NotHashed, []rule.ID{rule.SignatureRequired}},
		{"by ranges, nothing required", "a.bin", with(), provenance.Settings{}, false, evidence.NoAuthority, []rule.ID{rule.SignatureUnverified}},
		{"another content, by the hub's own word", "a.bin", with("a.bin", "x"), ours, false, evidence.Tampered, []rule.ID{rule.SignatureInvalid}},
		{"another content", "a.bin", with("a.bin", "x"), ours, true, evidence.Tampered, []rule.ID{rule.SignatureInvalid}},
		{"nobody signed it", "new.bin", with("new.bin", "n"), ours, true, evidence.UnsignedFiles, []rule.ID{rule.SignatureRequired}},
		{"by somebody else", "a.bin", with(), others, true, evidence.WrongKey, []rule.ID{rule.WrongSigner}},
		{"no signature", "a.bin", files, ours, true, evidence.Unsigned, []rule.ID{rule.SignatureRequired}},
		{"one that can't be fetched", "a.bin", with("model.sig", "unreachable"), ours, true, evidence.Malformed, []rule.ID{rule.SignatureRequired}},
		{"a bare one", "a.bin", map[string]string{"a.bin": "a", "a.bin.sig": "0123456789"}, ours, true, evidence.Unsupported, []rule.ID{rule.SignatureRequired}},
		{"a .sig that is none", "a.bin", with("a.bin.sig", string(bytes.Repeat([]byte("x"), 9000))), ours, true, evidence.Verified, nil},
	} {
		fetches := 0
		a := judge(t, c.set, listing(c.files, &fetches), c.file, c.hashed)
		if a.Signature.Code != c.code || !cmp.Equal(rules(a), c.want) || fetches > 2 {
			t.Errorf("%s: %+v %v, %d fetched; want %s %v", c.name, a.Signature, rules(a), fetches, c.code, c.want)
		}
	}
}

// TestBeside: signatures outside what was listed, in a bucket. One that the store can't tell of is no good one.
func TestBeside(t *testing.T) {
	files := map[string]string{"top/a.bin": "a", "top/sub/b.bin": "b"}
	bundle, terms := signed(t, filepath.Join(folder(t, t.TempDir(), files), "top"))
	set := provenance.Settings{Trust: &evidence.TrustPolicy{Rules: []evidence.TrustRule{{Match: []string{"s3://bucket/**"}, Mode: evidence.Require, Authorities: terms.Authorities}}}}
	asked := ref.Ref{Kind: ref.S3, Value: "s3://bucket/top/sub"}
	for name, c := range map[string]struct {
		beside map[string]string
		broken bool
		code   evidence.Code
		want   []rule.ID
	}{
		"its folder's":   {map[string]string{"top/model.sig": string(bundle)}, false, evidence.Verified, nil},
		"none":           {nil, false, evidence.Unsigned, []rule.ID{rule.SignatureRequired}},
		"another's":      {map[string]string{"top/model.sig": "{}"}, false, evidence.Unsupported, []rule.ID{rule.SignatureRequired}},
		"no answer":      {nil, true, evidence.Malformed, []rule.ID{rule.SignatureRequired, rule.SbomUnreadable}},
		"a wrong folder": {map[string]string{"top/sub/model.sig": string(bundle)}, false, evidence.UnsignedFiles, []rule.ID{rule.SignatureRequired}},
	} {
		fetches, lookups := 0, map[string]int{}
		list, around := listing(map[string]string{"top/sub/b.bin": "b"}, &fetches), listing(c.beside, &fetches)
		list.Name, list.Commit = "s3://bucket", ""
		list.Beside = func(_ context.Context, path string) (*remote.File, error) {
			if lookups[path]++; c.broken {
				return nil, errors.New("no answer")
			}
			for i := range around.Files {
				if around.Files[i].Path == path {
					return &around.Files[i], nil
				}
			}
			return nil, nil //nolint:nilnil // there is none
		}
		a := judgeIn(t, set, list, asked, "top/sub/b.bin", true)
		if a.Signature.Code != c.code || !cmp.Equal(rules(a), c.want) {
			t.Errorf("%s: %+v %v; want %s %v", name, a.Signature, rules(a), c.code, c.want)
		}
		for path, n := range lookups {
			if n > 1 {
				t.Errorf("%s: %s was asked for %d times", name, path, n)
			}
		}
	}
}

// TestRepositoryMaterials: a bill of materials in the repository, and one that is bound to the content alone when that was hashed.
func TestRepositoryMaterials(t *testing.T) {
	sum := sha256.Sum256([]byte("a"))
	files := map[string]string{
		"a.bin": "a", "README.md": "---\nlicense: mit\n---\n",
		"bom.json": `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"machine-learning-model","name":"m","hashes":[{"alg":"SHA-256","content":"` + hex.EncodeToString(sum[:]) + `"}]}]}`,
	}
	set := provenance.Settings{Policies: []evidence.Module{{Name: "p", Text: "package secure_torch.policy\ndeny contains \"unbound\" if not input.sbom.bound\nwarn contains input.source.repo if not input.source.pinned"}}}
	fetches := 0
	for _, hashed := range []bool{true, false} {
		a := judge(t, set, listing(files, &fetches), "a.bin", hashed)
		if a.SBOM.Bound != hashed || a.Policy.Allowed != hashed || len(a.Policy.Warn) != 1 || a.Policy.Warn[0].Msg != "org/model" {
			t.Errorf("hashed %t: %+v %+v", hashed, a.SBOM, a.Policy)
		}
	}
	delete(files, "bom.json")
	if a := judge(t, set, listing(files, &fetches), "a.bin", true); a.SBOM.Format != "model-card" || a.SBOM.Profile.Licenses[0] != "mit" {
		t.Errorf("%+v", a.SBOM)
	}
}

// TestEmbedded: what a file's own metadata says, beside what lies around it.
func TestEmbedded(t *testing.T) {
	bill := func(licence string) string {
		return `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"machine-learning-model","name":"m","licenses":[{"license":{"id":"` + licence + `"}}]}]}`
	}
	decides := []evidence.Module{{Name: "p", Text: "package secure_torch.policy\ndeny contains \"no\" if input.aiProfile.licenses[0] != \"MIT\""}}
	inside := []modelscan.Document{{Path: "a.bin", Name: "sbom", Text: bill("MIT")}}
	values := []modelscan.Document{{Path: "a.bin", Name: "general.license", Text: "MIT"}, {Path: "a.bin", Name: "general.dataset.0.name", Text: "d"}}
	for _, c := range []struct {
		name   string
		files  map[string]string
		docs   []modelscan.Document
		set    provenance.Settings
		format string
		inside bool
		state  evidence.State
	}{
		{"inside", nil, inside, provenance.Settings{}, "CycloneDX-1.6", true, evidence.Valid},
		{"an unbound one beside it gives way", map[string]string{"bom.json": bill("GPL-3.0")}, inside, provenance.Settings{Policies: decides}, "CycloneDX-1.6", true, evidence.Valid},
		{"a card gives way", map[string]string{"README.md": "---\nlicense: gpl\n---\n"}, inside, provenance.Settings{Policies: decides}, "CycloneDX-1.6", true, evidence.Valid},
		{"broken", nil, []modelscan.Document{{Path: "a.bin", Name: "sbom", Text: `{"bomFormat":"CycloneDX"`}}, provenance.Settings{}, "", true, evidence.Invalid},
		{"values, nobody decides", nil, values, provenance.Settings{}, "", false, evidence.StateNone},
		{"values", nil, values, provenance.Settings{Policies: decides}, "metadata", true, evidence.Valid},
		{"a card before values", map[string]string{"README.md": "---\nlicense: MIT\n---\n"}, values, provenance.Settings{Policies: decides}, "model-card", false, evidence.Valid},
		{"a card without anything", map[string]string{"README.md": "# hello"}, values, provenance.Settings{Policies: decides}, "metadata", true, evidence.Valid},
		{"nothing", nil, nil, provenance.Settings{Policies: decides}, "", false, evidence.StateNone},
	} {
		dir := folder(t, t.TempDir(), c.files)
		folder(t, dir, map[string]string{"a.bin": "a"})
		a := scanWith(t, c.set, filepath.Join(dir, "a.bin"), c.docs)
		if a.SBOM.Format != c.format || a.SBOM.Embedded != c.inside || a.SBOM.State != c.state || a.SBOM.Bound || a.SBOM.State == evidence.Valid && a.Policy != nil && !a.Policy.Allowed {
			t.Errorf("%s: %+v %+v", c.name, a.SBOM, a.Policy)
		}
		if unreadable := cmp.Equal(rules(a), []rule.ID{rule.SbomUnreadable}); unreadable != (c.state == evidence.Invalid) {
			t.Errorf("%s: %v", c.name, rules(a))
		}
	}
}
