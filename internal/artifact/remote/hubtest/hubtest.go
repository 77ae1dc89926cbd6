// Package hubtest is a hub for tests, that lives in memory and that PyPI's huggingface_hub accepts: repositories and
// revisions, pages, files through a redirect to a host of another name, ranges, gates, tokens, and as many kinds of
// failure as a test wants.
package hubtest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Repo is one repository with one branch, "main".
type Repo struct {
	Type   string // "models", "datasets" or "spaces"; empty for models
	ID     string // "org/name"
	Commit string // 40 hexadecimal digits; made of the files where empty
	Files  map[string][]byte
	// LFS names the files that are served from the other host; nil for those larger than 1 KiB.
	LFS func(name string) bool
	// Token is needed to see anything; Gated repositories are listed to everybody and give their files with it only.
	Token    string
	Gated    bool
	Disabled bool
	// Status of files, by the hub's scanners; ScansDone tells whether they have finished.
	Status    map[string]string
	ScansDone bool

	sums sync.Map // digests by algorithm and file
}

// Folder makes a repository of the files in a folder.
func Folder(id, dir string) (*Repo, error) {
	repo := &Repo{ID: id, ScansDone: true, Status: map[string]string{}, Files: map[string][]byte{}}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		repo.Files[name], err = fs.ReadFile(root, name)
		return err
	})
	return repo, err
}

// Request is one that came.
type Request struct {
	Method, Path, Host, Range string
	Token                     string
}

// Hub is a fake hub on this machine.
type Hub struct {
	URL string // http://127.0.0.1:port; files come from http://localhost:port
	// Delay of every answer: a round trip.
	Delay time.Duration
	// PageSize of tree listings. Default 50.
	PageSize int

	server *httptest.Server
	mu     sync.Mutex
	repos  map[string]*Repo
	log    []Request
	before func(w http.ResponseWriter, r *http.Request) bool
}

// New starts a hub with these repositories. Close ends it.
func New(repos ...*Repo) *Hub {
	h := &Hub{repos: map[string]*Repo{}, PageSize: 50}
	for _, r := range repos {
		h.Add(r)
	}
	h.server = httptest.NewUnstartedServer(http.HandlerFunc(h.serve))
	h.URL = "http://" + h.server.Listener.Addr().String()
	h.server.Start()
	return h
}

// Before has every request seen first by a function, which answers it and returns true, or leaves it.
func (h *Hub) Before(see func(w http.ResponseWriter, r *http.Request) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before = see
}

// Close ends the hub.
func (h *Hub) Close() { h.server.CloseClientConnections(); h.server.Close() }

// Add adds a repository, or puts it in place of the one with its name.
func (h *Hub) Add(r *Repo) {
	if r.Type == "" {
		r.Type = "models"
	}
	if r.LFS == nil {
		r.LFS = func(name string) bool { return len(r.Files[name]) > 1024 }
	}
	if r.Commit == "" {
		sum := sha1.New()
		for _, name := range r.names() {
			fmt.Fprintf(sum, "%s %s\n", name, r.oid(name))
		}
		r.Commit = hex.EncodeToString(sum.Sum(nil))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.repos[r.Type+"/"+r.ID] = r
}

// Log returns the requests that came since it was last called.
func (h *Hub) Log() []Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	log := h.log
	h.log = nil
	return log
}

func (r *Repo) names() []string {
	var names []string
	for name := range r.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// oid is git's name of a file.
func (r *Repo) oid(name string) string {
	return r.once("oid "+name, func() []byte {
		sum := sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", len(r.Files[name]))
		sum.Write(r.Files[name])
		return sum.Sum(nil)
	})
}

// once hashes once: a file may have a gigabyte.
func (r *Repo) once(key string, hash func() []byte) string {
	sum, _ := r.sums.LoadOrStore(key, sync.OnceValue(func() string { return hex.EncodeToString(hash()) }))
	return sum.(func() string)()
}

// SHA256 of a file's content, in hexadecimal.
func (r *Repo) SHA256(name string) string {
	return r.once("sha256 "+name, func() []byte {
		sum := sha256.Sum256(r.Files[name])
		return sum[:]
	})
}

// CDN is where the hub sends those who ask for a large file.
func (h *Hub) CDN() string { return strings.Replace(h.URL, "127.0.0.1", "localhost", 1) }

func (h *Hub) serve(w http.ResponseWriter, req *http.Request) {
	h.mu.Lock()
	h.log = append(h.log, Request{req.Method, req.URL.Path, req.Host, req.Header.Get("Range"), strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")})
	before := h.before
	h.mu.Unlock()
	if h.Delay > 0 {
		time.Sleep(h.Delay)
	}
	if before != nil && before(w, req) {
		return
	}
	path := strings.Trim(req.URL.EscapedPath(), "/")
	switch {
	case strings.HasPrefix(path, "cdn/"):
		h.cdn(w, req, strings.TrimPrefix(path, "cdn/"))
	case strings.HasPrefix(path, "api/"):
		h.api(w, req, strings.TrimPrefix(path, "api/"))
	default:
		h.resolve(w, req, path)
	}
}

// find splits "org/name/verb/revision/rest" or "name/verb/…" and looks the repository up.
func (h *Hub) find(typ, path string) (r *Repo, verb, revision, rest string) {
	parts := strings.Split(path, "/")
	for n := 2; n >= 1; n-- {
		if len(parts) < n {
			continue
		}
		h.mu.Lock()
		r = h.repos[typ+"/"+strings.Join(parts[:n], "/")]
		h.mu.Unlock()
		if r == nil {
			continue
		}
		parts = append(parts[n:], "", "")
		revision, _ = url.PathUnescape(parts[1])
		rest, _ = url.PathUnescape(strings.TrimRight(strings.Join(parts[2:], "/"), "/"))
		return r, parts[0], revision, rest
	}
	return nil, "", "", ""
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Error-Code", code)
	w.Header().Set("X-Error-Message", message)
	http.Error(w, message, status)
}

// allowed answers where the repository may not be seen.
func (h *Hub) allowed(w http.ResponseWriter, req *http.Request, r *Repo, revision string, files bool) bool {
	token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	switch {
	case r == nil, r.Token != "" && !r.Gated && token != r.Token:
		fail(w, http.StatusUnauthorized, "RepoNotFound", "Repository not found")
	case r.Disabled:
		fail(w, http.StatusForbidden, "", "Access to this resource is disabled.")
	case r.Gated && files && token != r.Token:
		fail(w, http.StatusForbidden, "GatedRepo", "Access to this model is restricted")
	case revision != "" && revision != "main" && revision != r.Commit:
		fail(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+revision)
	default:
		return true
	}
	return false
}

// resolve answers GET and HEAD of a file.
func (h *Hub) resolve(w http.ResponseWriter, req *http.Request, path string) {
	typ := "models"
	for _, t := range []string{"datasets", "spaces"} {
		if rest, ok := strings.CutPrefix(path, t+"/"); ok {
			typ, path = t, rest
		}
	}
	r, verb, revision, name := h.find(typ, path)
	if !h.allowed(w, req, r, revision, true) {
		return
	}
	content, ok := r.Files[name]
	if !ok || verb != "resolve" {
		w.Header().Set("X-Repo-Commit", r.Commit)
		fail(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	w.Header().Set("X-Repo-Commit", r.Commit)
	if !r.LFS(name) {
		w.Header().Set("ETag", `"`+r.oid(name)+`"`)
		serveBytes(w, req, content)
		return
	}
	w.Header().Set("X-Linked-Etag", `"`+r.SHA256(name)+`"`)
	w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
	w.Header().Set("Location", fmt.Sprintf("%s/cdn/%s/%s/%s?signature=secret", h.CDN(), r.Type, r.ID, url.PathEscape(name)))
	w.WriteHeader(http.StatusFound)
}

// cdn answers for the other host, which wants no token.
func (h *Hub) cdn(w http.ResponseWriter, req *http.Request, path string) {
	typ, path, _ := strings.Cut(path, "/")
	parts := strings.Split(path, "/")
	name, _ := url.PathUnescape(parts[len(parts)-1])
	h.mu.Lock()
	r := h.repos[typ+"/"+strings.Join(parts[:len(parts)-1], "/")]
	h.mu.Unlock()
	if r == nil || req.URL.Query().Get("signature") == "" {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	w.Header().Set("ETag", `"`+r.SHA256(name)+`"`)
	serveBytes(w, req, r.Files[name])
}

// serveBytes answers ranges as net/http does.
func serveBytes(w http.ResponseWriter, req *http.Request, content []byte) {
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(content))
}
