package provenance

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/digest"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Repository looks at the signatures and bills of materials that lie in a repository on a hub, in a bucket, or beside a
// file at a URL. It fetches those, each once, and no model. It is for one goroutine.
type Repository struct {
	c       *Checker
	files   map[string]*remote.File // by path in the store; nil for one that is not there
	beside  func(ctx context.Context, path string) (*remote.File, error)
	source  Source
	fetched map[string][]byte
	failed  map[string]error
}

// Repository begins to look at the listing of what was asked for.
func (c *Checker) Repository(list *remote.Listing, asked ref.Ref) *Repository {
	r := &Repository{
		c: c, files: map[string]*remote.File{}, fetched: map[string][]byte{}, failed: map[string]error{},
		beside: list.Beside, source: sourceOf(asked, list.Commit),
	}
	for i := range list.Files {
		r.files[list.Files[i].Path] = &list.Files[i]
	}
	return r
}

// remoteFile is a file of a repository: the one that is scanned.
type remoteFile struct {
	repo   *Repository
	path   string
	sum    string // SHA-256: of the content where hashed is set, else what the hub lists; empty where it lists none
	hashed bool
}

// Judge does for a scanned file of the repository what Begin does for one on this machine. The content's own digest
// is known of a file that was read as a whole. Of one that was read by ranges the hub's listing has a digest: if that
// is not what was signed, the hub itself says so; if it is, nobody knows yet that the content has it.
func (r *Repository) Judge(ctx context.Context, file *remote.File, a *engine.Artifact) {
	if a.Report.Kind == modelscan.KindOther || isEvidence(file.Path) || a.Signature != nil {
		return
	}
	source := r.source
	source.Path = a.Path
	f := &remoteFile{repo: r, path: file.Path, sum: file.SHA256}
	if sum, ok := strings.CutPrefix(a.Digest, digest.SHA256+":"); ok {
		f.sum, f.hashed = sum, true
	}
	s := &subject{c: r.c, ctx: ctx, path: a.Path, source: source, remote: f, sbom: r.c.set.SBOM}
	s.bundle = r.signatureOf(ctx, file.Path)
	if s.sbom == "" && (r.source.Kind != "url" || r.c.set.decides()) { // each name is a request to a web server
		s.sbom = r.materialsOf(ctx, file.Path, r.c.set.decides())
	}
	s.sum = func() (string, error) {
		if f.hashed {
			return f.sum, nil
		}
		return "", nil // no document is bound to it
	}
	s.signature(a)
	s.materials(a)
	s.policies(a)
}

// signatureOf is the signature of a file: its own, or that of a folder it lies in; else what is only named as one.
func (r *Repository) signatureOf(ctx context.Context, file string) found {
	var s search
	for _, ending := range bundleEndings {
		r.look(ctx, &s, found{path: file + ending})
	}
	dir := path.Dir(file)
	for range upwards {
		for _, name := range bundleNames {
			if c := path.Join(dir, name); c != file {
				r.look(ctx, &s, found{c, strings.TrimPrefix(strings.TrimPrefix(file, dir), "/")})
			}
		}
		if dir == "." {
			break
		}
		dir = path.Dir(dir)
	}
	return s.best()
}

// look looks at one place of the store, unless a good signature is found already. A web server may have a page for
// every name, so that a name alone says nothing there.
func (r *Repository) look(ctx context.Context, s *search, at found) {
	if s.good.path != "" {
		return
	}
	f := r.file(ctx, at.path)
	if f == nil {
		return
	}
	bare := at.name == "" && strings.HasSuffix(at.path, ".sig") && f.Size > 0 && f.Size <= maxRaw
	if good := bare || r.isBundle(ctx, at.path); good || r.source.Kind != "url" {
		s.add(at, good)
	}
}

// file is one of the store: of the listing, or beside it. One that nobody can tell of is there, and can't be fetched.
func (r *Repository) file(ctx context.Context, name string) *remote.File {
	f, known := r.files[name]
	if known || r.beside == nil {
		return f
	}
	f, err := r.beside(ctx, name)
	if err != nil {
		f, r.failed[name] = &remote.File{Path: name}, err
	}
	r.files[name] = f
	return f
}

// isBundle tells whether a file of the repository is the JSON of a bundle. One that can't be fetched is taken for one:
// what is said of it then is why.
func (r *Repository) isBundle(ctx context.Context, name string) bool {
	f := r.file(ctx, name)
	if f == nil || f.Size > maxBundle {
		return false
	}
	text, err := r.fetch(ctx, name, maxBundle)
	return err != nil || isBundle(text)
}

// materialsOf is the bill of materials of a file; empty where there is none.
func (r *Repository) materialsOf(ctx context.Context, file string, cards bool) string {
	for _, c := range sbomCandidates(file, path.Ext(file), path.Dir(file), path.Join, cards) {
		if c != file && r.file(ctx, c) != nil {
			return c
		}
	}
	return ""
}

// fetch gets a whole small file of the repository, once.
func (r *Repository) fetch(ctx context.Context, name string, most int64) ([]byte, error) {
	if text, ok := r.fetched[name]; ok || r.failed[name] != nil {
		return text, r.failed[name]
	}
	f := r.files[name]
	if f == nil || f.Size > most {
		return nil, &evidence.Error{Code: evidence.OverLimit, Err: fmt.Errorf("%s: more than %d bytes", name, most)}
	}
	var b bytes.Buffer
	if _, err := f.Download(ctx, &capped{&b, most}); err != nil {
		r.failed[name] = fmt.Errorf("%s: %w", name, err)
		return nil, r.failed[name]
	}
	r.fetched[name] = b.Bytes()
	return r.fetched[name], nil
}

// capped takes at most left bytes: a listing need not tell the truth.
type capped struct {
	b    *bytes.Buffer
	left int64
}

func (c *capped) Write(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		return 0, &evidence.Error{Code: evidence.OverLimit, Err: fmt.Errorf("it is longer than it was said to be")}
	}
	c.left -= int64(len(p))
	return c.b.Write(p)
}

// comparable tells whether what is known of the file can be held against a manifest that is planned so.
func (f *remoteFile) comparable(p *evidence.Plan) bool {
	return f.sum != "" && p.Hash == digest.SHA256 && p.ShardSize == 0
}

// entry is the file as a manifest is compared with it; name is empty for the signature of this file alone.
func (f *remoteFile) entry(name string) evidence.Entry {
	e := evidence.Entry{Name: name, Digests: []string{f.sum}}
	if name == "" {
		e.Name = path.Base(f.path)
	}
	if file := f.repo.files[f.path]; file != nil {
		e.Size = max(file.Size, 0)
	}
	return e
}

// unhashed takes a good signature for what it is worth while nobody has hashed the content.
func (f *remoteFile) unhashed(sig *evidence.Signature) {
	who := "signed"
	if sig.Signer != "" {
		who += " by " + sig.Signer
	}
	if f.sum != "" && !f.hashed {
		who += " with the digest that the hub lists"
	}
	sig.State, sig.Code, sig.Message = evidence.Unverified, evidence.NotHashed, who+"; the content was not hashed: --full does"
}

// sbomCandidates are where the bill of materials of a file may lie, likeliest first.
func sbomCandidates(file, ext, dir string, join func(...string) string, cards bool) []string {
	stem := strings.TrimSuffix(file, ext)
	var out []string
	for _, ending := range sbomEndings {
		out = append(out, file+ending, stem+ending)
	}
	for _, name := range sbomNames {
		out = append(out, join(dir, name))
	}
	if cards {
		out = append(out, join(dir, cardName))
	}
	return slices.Compact(out)
}
