// Package tufrepo is a repository of The Update Framework on this machine, for tests: it signs what it is given with
// keys that live as long as the test.
package tufrepo

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Repository serves one target. What it serves is changed by Publish, Rotate and Replace.
type Repository struct {
	URL string
	// Root is its first root.json: what a user is given to trust.
	Root []byte

	keys    map[string]ed25519.PrivateKey
	root    *metadata.Metadata[metadata.RootType]
	version int64

	mu    sync.Mutex
	files map[string][]byte
}

// roles of a repository, each with a key of its own.
var roles = [...]string{metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP}

// New starts a repository without targets.
func New(t testing.TB) *Repository {
	t.Helper()
	r := &Repository{keys: map[string]ed25519.PrivateKey{}, files: map[string][]byte{}}
	r.root = metadata.Root(time.Now().Add(24 * time.Hour))
	for _, role := range roles {
		r.newKey(t, role)
	}
	r.Root = signed(t, r.root, r.keys[metadata.ROOT])
	r.put("1.root.json", r.Root)
	s := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(s.Close)
	r.URL = s.URL
	return r
}

func (r *Repository) newKey(t testing.TB, role string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	check(t, err)
	key, err := metadata.KeyFromPublicKey(public)
	check(t, err)
	for _, id := range r.root.Signed.Roles[role].KeyIDs {
		check(t, r.root.Signed.RevokeKey(id, role))
	}
	check(t, r.root.Signed.AddKey(key, role))
	r.keys[role] = private
}

// Rotate gives a role a new key: the next version of the root, signed with the old root key and the new one.
func (r *Repository) Rotate(t testing.TB, role string) {
	t.Helper()
	old := r.keys[metadata.ROOT]
	r.newKey(t, role)
	r.root.Signed.Version++
	r.root.ClearSignatures()
	if !old.Equal(r.keys[metadata.ROOT]) {
		signed(t, r.root, old)
	}
	text := signed(t, r.root, r.keys[metadata.ROOT])
	r.put(fmt.Sprintf("%d.root.json", r.root.Signed.Version), text)
}

// Publish offers content under a name, in metadata of the next version that is valid until expires.
func (r *Repository) Publish(t testing.TB, name string, content []byte, expires time.Time) {
	t.Helper()
	r.version++
	r.PublishAs(t, r.version, name, content, expires)
}

// PublishAs is Publish with a version that the caller chooses, an older one too.
func (r *Repository) PublishAs(t testing.TB, version int64, name string, content []byte, expires time.Time) {
	t.Helper()
	targets := metadata.Targets(expires)
	file, err := metadata.TargetFile().FromBytes(name, content, "sha256")
	check(t, err)
	targets.Signed.Version, targets.Signed.Targets[name] = version, file
	snapshot := metadata.Snapshot(expires)
	snapshot.Signed.Version, snapshot.Signed.Meta["targets.json"] = version, metadata.MetaFile(version)
	timestamp := metadata.Timestamp(expires)
	timestamp.Signed.Version, timestamp.Signed.Meta["snapshot.json"] = version, metadata.MetaFile(version)
	sum := sha256.Sum256(content)
	r.put(fmt.Sprintf("targets/%s.%s", hex.EncodeToString(sum[:]), name), content)
	r.put(fmt.Sprintf("%d.targets.json", version), signed(t, targets, r.keys[metadata.TARGETS]))
	r.put(fmt.Sprintf("%d.snapshot.json", version), signed(t, snapshot, r.keys[metadata.SNAPSHOT]))
	r.put("timestamp.json", signed(t, timestamp, r.keys[metadata.TIMESTAMP]))
}

// Replace serves other bytes for every file whose name ends so, without signing anything.
func (r *Repository) Replace(ending string, change func([]byte) []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, content := range r.files {
		if strings.HasSuffix(name, ending) {
			r.files[name] = change(content)
		}
	}
}

func (r *Repository) put(name string, content []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[name] = content
}

func (r *Repository) serve(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	content, ok := r.files[strings.TrimPrefix(req.URL.Path, "/")]
	r.mu.Unlock()
	if !ok {
		http.NotFound(w, req)
		return
	}
	_, _ = w.Write(content)
}

// signed adds a signature and encodes.
func signed[T metadata.Roles](t testing.TB, m *metadata.Metadata[T], key ed25519.PrivateKey) []byte {
	t.Helper()
	signer, err := signature.LoadSigner(key, crypto.Hash(0))
	check(t, err)
	_, err = m.Sign(signer)
	check(t, err)
	text, err := m.ToBytes(false)
	check(t, err)
	return text
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
