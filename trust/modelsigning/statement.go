package modelsigning

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Types of statement.
const (
	statementType = "https://in-toto.io/Statement/v1"
	// PredicateType is that of OMS 1.0.
	PredicateType = "https://model_signing/signature/v1.0"
	// predicateLegacy is that of model_signing 0.2.0, which had the files as subjects (§5.1).
	predicateLegacy = "https://model_signing/Digests/v0.1"
)

// Known tells whether a predicate type is a model's signature.
func Known(predicate string) bool { return predicate == PredicateType || predicate == predicateLegacy }

// Hash types (algorithm registry).
const (
	SHA256  = "sha256"
	BLAKE2b = "blake2b"
	BLAKE3  = "blake3"
)

// digestBytes is the length of each hash.
var digestBytes = map[string]int{SHA256: 32, BLAKE2b: 64, BLAKE3: 32}

// defaultIgnored are left out at the model's root whatever the bundle says (§6.2).
func defaultIgnored() []string { return []string{".git", ".gitignore", ".gitattributes", ".github"} }

// Statement is a signed manifest that was read and found consistent.
type Statement struct {
	Type string // predicate type
	Name string // what the signer called the model: informational (§6.5)
	evidence.Manifest
}

// The JSON of a statement.
type (
	wireStatement struct {
		Type          string        `json:"_type"`
		Subject       []wireSubject `json:"subject"`
		PredicateType string        `json:"predicateType"`
		Predicate     wirePredicate `json:"predicate"`
	}
	wireSubject struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	}
	wirePredicate struct {
		Resources     []wireResource    `json:"resources"`
		Serialization wireSerialization `json:"serialization"`
	}
	wireResource struct {
		Name      string `json:"name"`
		Digest    string `json:"digest"`
		Algorithm string `json:"algorithm"`
	}
	wireSerialization struct {
		Method        string   `json:"method"`
		HashType      string   `json:"hash_type"`
		ShardSize     *float64 `json:"shard_size,omitempty"` // the reference tool writes 1000000000.0
		AllowSymlinks bool     `json:"allow_symlinks"`
		IgnorePaths   []string `json:"ignore_paths,omitempty"`
	}
)

// Statement reads the payload without looking at the signature: for a description, never for a decision.
func (b *Bundle) Statement() (*Statement, error) {
	var w wireStatement
	// Names that differ in case or come twice are refused: other readers might take the other one.
	if err := json.Unmarshal(b.payload, &w); err != nil {
		return nil, fail(evidence.BadStatement, "the signed statement: %s", brief(err))
	}
	if w.Type != statementType {
		return nil, fail(evidence.BadStatement, "statement type %q", clip(w.Type))
	}
	switch w.PredicateType {
	case PredicateType:
		return w.manifest()
	case predicateLegacy:
		return w.legacy()
	}
	return nil, fail(evidence.BadStatement, "predicate type %q is not a model's signature", clip(w.PredicateType))
}

// manifest reads the layout of version 1.0.
func (w *wireStatement) manifest() (*Statement, error) {
	if len(w.Subject) != 1 {
		return nil, fail(evidence.BadStatement, "%d subjects, not one", len(w.Subject))
	}
	s := &Statement{Type: w.PredicateType, Name: w.Subject[0].Name}
	if err := s.plan(w.Predicate.Serialization); err != nil {
		return nil, err
	}
	root := sha256.New() // over the digests in the order they are listed: tools sort in two ways
	for _, r := range w.Predicate.Resources {
		if r.Algorithm != s.Plan.Hash {
			return nil, fail(evidence.BadStatement, "%q is hashed with %q, not with %s", clip(r.Name), clip(r.Algorithm), s.Plan.Hash)
		}
		raw, err := s.add(r.Name, r.Digest)
		if err != nil {
			return nil, err
		}
		root.Write(raw)
	}
	if want := w.Subject[0].Digest[SHA256]; hex.EncodeToString(root.Sum(nil)) != want {
		return nil, fail(evidence.BadStatement, "the manifest contradicts itself: its files do not hash to the root digest %q", clip(want))
	}
	return s, s.complete()
}

// legacy reads the layout of model_signing 0.2.0.
func (w *wireStatement) legacy() (*Statement, error) {
	s := &Statement{Type: w.PredicateType, Manifest: evidence.Manifest{Plan: evidence.Plan{Hash: SHA256, Ignore: defaultIgnored()}}}
	for _, sub := range w.Subject {
		if _, err := s.add(sub.Name, sub.Digest[SHA256]); err != nil {
			return nil, err
		}
	}
	return s, s.complete()
}

// plan reads how the files were hashed.
func (s *Statement) plan(w wireSerialization) error {
	if digestBytes[w.HashType] == 0 {
		return fail(evidence.Unsupported, "hash type %q", clip(w.HashType))
	}
	s.Plan = evidence.Plan{Hash: w.HashType, Links: w.AllowSymlinks, Ignore: defaultIgnored()}
	for _, p := range w.IgnorePaths {
		p = strings.TrimSuffix(p, "/")
		if validName(p) && p != "." && !strings.ContainsAny(p, "*?[") { // an entry that is no path inside ignores nothing
			s.Plan.Ignore = append(s.Plan.Ignore, p)
		}
	}
	switch {
	case w.Method == "files" && w.ShardSize == nil:
		return nil
	case w.Method == "shards" && w.ShardSize != nil:
		size := *w.ShardSize
		if size < 1 || size > math.MaxInt32*1024 || size != math.Trunc(size) {
			return fail(evidence.BadStatement, "shards of %g bytes", size)
		}
		s.Plan.ShardSize = int64(size)
		return nil
	}
	return fail(evidence.Unsupported, "serialization method %q", clip(w.Method))
}

// add takes one resource and returns its digest.
func (s *Statement) add(name, digest string) ([]byte, error) {
	raw, err := hex.DecodeString(digest)
	if err != nil || len(raw) != digestBytes[s.Plan.Hash] || hex.EncodeToString(raw) != digest {
		return nil, fail(evidence.BadStatement, "the digest of %q is no %s in lower-case hexadecimal", clip(name), s.Plan.Hash)
	}
	r := evidence.SignedFile{Name: name, Digest: digest}
	if s.Plan.ShardSize > 0 {
		if r, err = shard(name, digest, s.Plan.ShardSize); err != nil {
			return nil, err
		}
	}
	if !validName(r.Name) {
		return nil, fail(evidence.BadStatement, "%q is no path inside a model", clip(r.Name))
	}
	s.Files = append(s.Files, r)
	return raw, nil
}

// shard reads "path:start:end". A path may hold colons: the last two numbers count (§6.3.2).
func shard(name, digest string, size int64) (evidence.SignedFile, error) {
	bad := fail(evidence.BadStatement, "%q is no path with a range of bytes", clip(name))
	rest, last, ok := cutLast(name)
	path, first, ok2 := cutLast(rest)
	start, err1 := strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	if !ok || !ok2 || err1 != nil || err2 != nil || start < 0 || start%size != 0 || end <= start || end-start > size ||
		strconv.FormatInt(start, 10) != first || strconv.FormatInt(end, 10) != last {
		return evidence.SignedFile{}, bad
	}
	return evidence.SignedFile{Name: path, Start: start, End: end, Digest: digest}, nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// complete checks what needs all resources: there are some, and none is named twice.
func (s *Statement) complete() error {
	if len(s.Files) == 0 {
		return fail(evidence.BadStatement, "no files are signed")
	}
	type key struct {
		name  string
		start int64
	}
	seen := make(map[key]bool, len(s.Files))
	for _, r := range s.Files {
		k := key{r.Name, r.Start}
		if seen[k] {
			return fail(evidence.BadStatement, "%q is signed twice", clip(r.Name))
		}
		seen[k] = true
	}
	return nil
}

// validName: a slash-separated path inside the model, in its one spelling (§6.1.2). "." is how the reference tool
// names a model that is one file.
func validName(name string) bool {
	return len(name) <= evidence.MaxNameBytes && fs.ValidPath(name) && !strings.ContainsRune(name, 0)
}
