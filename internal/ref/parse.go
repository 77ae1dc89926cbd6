package ref

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Types of hub repositories, as the hub's URLs spell them. A model has none.
const (
	Models   = ""
	Datasets = "datasets"
	Spaces   = "spaces"
)

// DefaultEndpoint is the hub that names without a host belong to.
const DefaultEndpoint = "https://huggingface.co"

// ErrScheme says that a reference is of a kind that is known and not read.
var ErrScheme = errors.New("not supported")

// elsewhere are stores that people write references to and that are not read, with what to do instead.
var elsewhere = map[string]string{
	"gs": "copy it here first (gcloud storage cp)",
	"az": "copy it here first (az storage blob download)", "abfs": "copy it here first", "abfss": "copy it here first", "wasbs": "copy it here first",
	"oci": "unpack the artifact here first (oras pull, kit unpack)", "docker": "unpack the image here first",
	"modelscope": "download it here first (modelscope download)", "kaggle": "download it here first (kagglehub)", "ftp": "download it here first",
}

// Parse reads what a person, or a string in a program, names as the place of a model:
//
//	hf:org/name[@revision][/path], hf://…, hf:datasets/…, hf:spaces/…, and the web pages and files of the hub at endpoint
//	https://host/file
//	models:/name/version, models:/name@alias, runs:/id/path
//	ollama:name[:tag]
//	s3://bucket[/key]
//
// Anything without one of these schemes is a Path. The error wraps ErrScheme for a scheme that is not read.
func Parse(s, endpoint string) (Ref, error) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || len(scheme) < 2 || strings.ContainsAny(scheme, `/\.`) {
		return Ref{Kind: Path, Value: s, Sure: Exact}, nil
	}
	below, slashes := strings.CutPrefix(rest, "//")
	switch scheme {
	case "hf":
		return parseHub(below)
	case "ollama":
		return parseOllama(below)
	case "models", "runs":
		if strings.HasPrefix(rest, "/") {
			return parseMLflow(s, scheme, rest)
		}
	}
	switch {
	case slashes:
		return parseLocated(s, scheme, below, endpoint)
	case elsewhere[scheme] != "", scheme == "s3":
		return Ref{}, unread(scheme)
	}
	return Ref{Kind: Path, Value: s, Sure: Exact}, nil
}

// parseLocated reads "scheme://below".
func parseLocated(s, scheme, below, endpoint string) (Ref, error) {
	switch scheme {
	case "https", "http":
		return parseURL(s, endpoint)
	case "file":
		return parseFile(s)
	case "s3":
		if isKey(below) {
			return Ref{Kind: S3, Value: s, Sure: Exact}, nil
		}
	}
	return Ref{}, unread(scheme)
}

// isKey tells whether a text may name a bucket and what is in it.
func isKey(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// unread is the error for a scheme that is not read.
func unread(scheme string) error {
	if scheme == "s3" {
		return fmt.Errorf("%w without a bucket: it is written s3://bucket/key", ErrScheme)
	}
	if todo := elsewhere[scheme]; todo != "" {
		return fmt.Errorf("%s: references are %w: %s, then scan the folder", scheme, ErrScheme, todo)
	}
	return fmt.Errorf("%s: references are %w", scheme, ErrScheme)
}

func parseFile(s string) (Ref, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host != "" && u.Host != "localhost" || u.Path == "" {
		return Ref{}, fmt.Errorf("%q is no file on this machine", s)
	}
	return Ref{Kind: Path, Value: u.Path, Sure: Exact}, nil
}

// parseHub reads "[type/]org/name[@revision][/path]" or "name@revision[/path]".
func parseHub(s string) (Ref, error) {
	r := Ref{Kind: Hub, Sure: Exact}
	parts := strings.Split(strings.TrimSuffix(s, "/"), "/")
	if len(parts) > 1 && slices.Contains([]string{Datasets, Spaces, "models"}, parts[0]) {
		if parts[0] != "models" {
			r.Type = parts[0]
		}
		parts = parts[1:]
	}
	n := 2 // parts of the repository's name
	if len(parts) == 1 || strings.Contains(parts[0], "@") {
		n = 1
	}
	name, revision, pinned := strings.Cut(strings.Join(parts[:n], "/"), "@")
	rest := parts[n:]
	if pinned {
		if revision, rest = longRevision(revision, rest); revision == "" {
			return r, errors.New("there is no revision after the @")
		}
	}
	r.Value, r.Revision = name, revision
	if !IsRepo(name) {
		return r, fmt.Errorf("%q is no name of a repository: it is org/name", name)
	}
	return r.within(strings.Join(rest, "/"))
}

// longRevision puts refs/pr/N and refs/convert/NAME together, which hold slashes as no other revision does.
func longRevision(revision string, rest []string) (string, []string) {
	if revision == "refs" && len(rest) >= 2 && (rest[0] == "pr" || rest[0] == "convert") {
		return revision + "/" + rest[0] + "/" + rest[1], rest[2:]
	}
	if plain, err := url.PathUnescape(revision); err == nil {
		revision = plain
	}
	return revision, rest
}

// within sets the path in the repository, and checks what the server is going to be asked for.
func (r Ref) within(file string) (Ref, error) {
	r.File = strings.TrimSuffix(file, "/")
	switch {
	case r.File != "" && (path.Clean(r.File) != r.File || strings.HasPrefix(r.File, "/") || strings.HasPrefix(r.File, "../") || r.File == ".."):
		return r, fmt.Errorf("%q is no path in a repository", file)
	case strings.ContainsFunc(r.File+r.Revision, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return r, fmt.Errorf("%q holds a control character", file)
	case strings.Contains(r.Revision, "..") || r.Revision != "" && (r.Revision[0] == '/' || path.Clean(r.Revision) != r.Revision):
		return r, fmt.Errorf("%q is no name of a revision", r.Revision)
	}
	return r, nil
}

// parseURL tells the hub's pages and files from other URLs.
func parseURL(s, endpoint string) (Ref, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return Ref{}, fmt.Errorf("%q is no URL", s)
	}
	if u.User != nil {
		return Ref{}, fmt.Errorf("the URL holds a name or password: they would show up in reports")
	}
	if !hubHost(u, endpoint) {
		return Ref{Kind: URL, Value: s, Sure: Exact}, nil
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	r := Ref{Kind: Hub, Sure: Exact}
	if len(parts) > 1 && (parts[0] == Datasets || parts[0] == Spaces) {
		r.Type, parts = parts[0], parts[1:]
	}
	n := min(2, len(parts))
	if len(parts) > 2 && slices.Contains(verbs, parts[1]) && !slices.Contains(verbs, parts[2]) {
		n = 1 // "gpt2/resolve/main/…"
	}
	r.Value = strings.Join(parts[:n], "/")
	if !IsRepo(r.Value) {
		return r, fmt.Errorf("%s is not the page of a repository", s)
	}
	if rest := parts[n:]; len(rest) > 1 && slices.Contains(verbs, rest[0]) {
		r.Revision, rest = longRevision(rest[1], rest[2:])
		return r.within(strings.Join(rest, "/"))
	} else if len(rest) > 0 {
		return r, fmt.Errorf("%s is neither a repository's page nor one of its files", s)
	}
	return r, nil
}

// verbs of the hub's pages that a revision follows.
var verbs = []string{"resolve", "blob", "raw", "tree", "commit"}

func hubHost(u *url.URL, endpoint string) bool {
	if e, err := url.Parse(endpoint); err == nil && e.Host != "" && strings.EqualFold(e.Host, u.Host) {
		return true
	}
	return slices.Contains([]string{"huggingface.co", "www.huggingface.co", "hf.co"}, strings.ToLower(u.Host))
}

func parseMLflow(s, scheme, rest string) (Ref, error) {
	name := strings.Trim(rest, "/")
	parts := strings.Split(name, "/")
	if strings.Contains(name, "..") || slices.Contains(parts, "") || scheme == "models" && len(parts) > 2 {
		return Ref{}, fmt.Errorf("%q names no MLflow model: models:/name/version, models:/name@alias or runs:/id/path", s)
	}
	return Ref{Kind: MLflow, Value: scheme + ":/" + name, Sure: Exact}, nil
}

func parseOllama(name string) (Ref, error) {
	if name == "" || path.Clean(name) != name || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "..") || strings.ContainsFunc(name, func(c rune) bool { return !isNameRune(c) && c != '/' && c != ':' }) {
		return Ref{}, fmt.Errorf("%q is no name of an Ollama model: name[:tag]", name)
	}
	return Ref{Kind: Ollama, Value: name, Sure: Exact}, nil
}

// IsRepo tells whether s is "name" or "org/name" as the hub allows them.
func IsRepo(s string) bool {
	parts := strings.Split(s, "/")
	for _, part := range parts {
		ok := part != "" && part[0] != '.' && part[0] != '-' && !strings.Contains(part, "..") && !strings.Contains(part, "--")
		if !ok || strings.ContainsFunc(part, func(c rune) bool { return !isNameRune(c) }) {
			return false
		}
	}
	return len(parts) <= 2
}

// IsCommit tells whether s is 40 hexadecimal digits in lower case.
func IsCommit(s string) bool { return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == "" }

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
}

// String spells a hub reference as Parse reads it, any other as its value.
func (r Ref) String() string {
	if r.Kind != Hub {
		return r.Value
	}
	s := "hf:"
	if r.Type != Models {
		s += r.Type + "/"
	}
	s += r.Value
	if r.Revision != "" {
		s += "@" + spelled(r.Revision)
	}
	if r.File != "" {
		s += "/" + r.File
	}
	return s
}

// spelled is a revision as parseHub reads it: slashes stand in refs/pr/N and refs/convert/NAME alone.
func spelled(revision string) string {
	parts := strings.Split(revision, "/")
	if long, rest := longRevision(parts[0], parts[1:]); len(parts) == 3 && long == revision && len(rest) == 0 {
		return revision
	}
	if !strings.ContainsAny(revision, "/%") {
		return revision
	}
	return url.PathEscape(revision)
}
