// Package hub asks the Hugging Face hub, or a server that speaks like it: what is in a repository at one commit,
// what the hub's own scanners say of it, and the files' bytes.
package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/ranges"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// Bounds of what a hub may answer.
const (
	maxJSON  = 32 << 20 // bytes of one answer
	maxFiles = 100_000
	maxPaths = 200  // asked about in one paths-info
	maxName  = 4096 // bytes of a file's name: no system opens a longer path
)

// Options of a Client beside its Settings.
type Options struct {
	Limits ranges.Limits
	Web    web.Options // Origin, Token and Timeout are set from the Settings
}

// Client is a remote.Resolver of ref.Hub.
type Client struct {
	settings Settings
	limits   ranges.Limits
	web      *web.Client
}

// New returns a client. It connects to nobody yet.
func New(s Settings, o Options) *Client {
	o.Web.Origin, o.Web.Token, o.Web.Timeout = s.Endpoint, s.Token, s.Timeout
	return &Client{settings: s, limits: o.Limits, web: web.New(o.Web)}
}

// Spent is what everything asked so far has cost.
func (c *Client) Spent() remote.Cost { return c.web.Spent() }

// Close drops idle connections.
func (c *Client) Close() { c.web.Close() }

// info is what GET /api/{models,datasets,spaces}/{id}/revision/{rev} answers, as far as it is used.
type info struct {
	SHA      string          `json:"sha"`
	Private  bool            `json:"private"`
	Gated    json.RawMessage `json:"gated"` // false, "auto" or "manual"
	Disabled bool            `json:"disabled"`
	Siblings []sibling       `json:"siblings"`
	Security *struct {
		ScansDone *bool `json:"scansDone"`
		Issues    []struct {
			Path  string `json:"path"`
			Level string `json:"level"`
		} `json:"filesWithIssues"`
	} `json:"securityRepoStatus"`
}

type sibling struct {
	Name   string `json:"rfilename"`
	Size   *int64 `json:"size"`
	BlobID string `json:"blobId"`
	LFS    *struct {
		SHA256 string `json:"sha256"`
		Size   int64  `json:"size"`
	} `json:"lfs"`
}

// Resolve lists a repository's files at the commit that the reference's revision is now, those below r.File where it
// is given. It takes one request, and one more where the hub's scanners have something to say.
func (c *Client) Resolve(ctx context.Context, r ref.Ref) (*remote.Listing, error) {
	if c.settings.Offline {
		return nil, &remote.Error{Kind: remote.Offline, Detail: "the hub may not be asked"}
	}
	if r.Kind != ref.Hub || !ref.IsRepo(r.Value) {
		return nil, fmt.Errorf("%q is no name of a hub repository", r.Value)
	}
	revision := r.Revision
	if revision == "" {
		revision = "main"
	}
	var in info
	what := fmt.Sprintf("%s at revision %s", r.Value, revision)
	u := c.url("/api/"+apiType(r.Type), r.Value, "revision", revision) + "?blobs=true&securityStatus=true"
	if err := c.json(ctx, web.Request{URL: u}, what, &in); err != nil {
		return nil, err
	}
	if !ref.IsCommit(in.SHA) {
		return nil, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s: %.50q is no commit", what, in.SHA)}
	}
	if ref.IsCommit(r.Revision) && in.SHA != r.Revision {
		return nil, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s: the hub answers for another commit, %s", what, in.SHA)}
	}
	return c.list(ctx, r, &in)
}

func apiType(typ string) string {
	if typ == ref.Models {
		return "models"
	}
	return typ
}

// url joins path elements, each escaped as a whole but for the repository's slash.
func (c *Client) url(prefix, repo string, elements ...string) string {
	var b strings.Builder
	b.WriteString(c.settings.Endpoint.String() + prefix + "/" + repo)
	for _, e := range elements {
		b.WriteString("/" + url.PathEscape(e))
	}
	return b.String()
}

// list turns the hub's answer into a listing, once it has been checked.
func (c *Client) list(ctx context.Context, r ref.Ref, in *info) (*remote.Listing, error) {
	if len(in.Siblings) > maxFiles {
		return nil, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s has %d files, more than %d", r.Value, len(in.Siblings), maxFiles)}
	}
	repo := ref.Ref{Kind: ref.Hub, Type: r.Type, Value: r.Value, Revision: in.SHA}
	out := &remote.Listing{Name: repo.String(), Commit: in.SHA, Notes: in.notes()}
	statuses := c.statuses(ctx, repo, in)
	seen := map[string]bool{}
	for _, s := range in.Siblings {
		if len(s.Name) > maxName || !fs.ValidPath(s.Name) || s.Name == "." || strings.ContainsRune(s.Name, 0) || seen[s.Name] {
			return nil, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s lists %.200q, which is no name of a file, or lists it twice", r.Value, s.Name)}
		}
		seen[s.Name] = true
		if r.File != "" && s.Name != r.File && !strings.HasPrefix(s.Name, r.File+"/") {
			continue
		}
		f, err := c.file(repo, s)
		if err != nil {
			return nil, err
		}
		f.Status = statuses(s.Name)
		out.Files = append(out.Files, f)
	}
	if len(out.Files) == 0 {
		if r.File != "" {
			return nil, &remote.Error{Kind: remote.NoEntry, Detail: fmt.Sprintf("%s has no file %s", repo, r.File)}
		}
		return nil, &remote.Error{Kind: remote.NoEntry, Detail: fmt.Sprintf("%s has no files", repo)}
	}
	slices.SortFunc(out.Files, func(a, b remote.File) int { return strings.Compare(a.Path, b.Path) })
	out.Folders = out.Files[0].Path != r.File // a file that was named is listed without those beside it
	return out, nil
}

func (in *info) notes() []string {
	var notes []string
	if in.Disabled {
		notes = append(notes, "the hub has disabled this repository")
	}
	if in.Private {
		notes = append(notes, "the repository is private")
	}
	if g := strings.Trim(string(in.Gated), `"`); g == "auto" || g == "manual" {
		notes = append(notes, "the repository is gated: the hub gives it to those only who asked for it")
	}
	if in.Security == nil || in.Security.ScansDone == nil || !*in.Security.ScansDone {
		notes = append(notes, "the hub's own scanners have not looked at all of it: their word is unknown")
	}
	return notes
}

func (c *Client) file(repo ref.Ref, s sibling) (remote.File, error) {
	name := repo
	name.File = s.Name
	prefix := ""
	if repo.Type != ref.Models {
		prefix = "/" + repo.Type
	}
	f := remote.File{
		Name: name.String(), Path: s.Name, Size: -1,
		URI: c.url(prefix, repo.Value, append([]string{"resolve", repo.Revision}, strings.Split(s.Name, "/")...)...),
	}
	if s.Size != nil {
		f.Size = *s.Size
	}
	switch {
	case s.LFS != nil && isHex(s.LFS.SHA256, 64):
		f.SHA256, f.Size = s.LFS.SHA256, s.LFS.Size
	case isHex(s.BlobID, 40):
		f.BlobID = s.BlobID
	}
	if f.Size < -1 || f.Size > 1<<50 {
		return f, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s lists a file of %d bytes", repo.Value, f.Size)}
	}
	plain := f
	source := func() *ranges.HTTP {
		return &ranges.HTTP{Client: c.web, URL: plain.URI, Explain: func(a *web.Answer) error { return explain(a, plain.Name) },
			Verify: func(a *web.Answer) error { return verify(a, repo.Revision, plain) }}
	}
	f.Open = func(ctx context.Context) remote.Content { return ranges.New(ctx, plain.Size, c.limits, source().Fetch) }
	f.Download = func(ctx context.Context, w io.Writer) (int64, error) {
		return ranges.Download(ctx, source().Fetch, plain.Size, w)
	}
	return f, nil
}

// verify compares what the hub's own answer says of the file with what its listing said.
func verify(a *web.Answer, commit string, f remote.File) error {
	headers := []http.Header{}
	for _, hop := range a.Hops {
		headers = append(headers, hop.Header)
	}
	for _, h := range append(headers, a.Header) {
		if got := h.Get("X-Repo-Commit"); got != "" && got != commit {
			return &remote.Error{Kind: remote.Changed, Detail: fmt.Sprintf("%s: the hub serves commit %.40q", f.Name, got)}
		}
		if got := strings.Trim(h.Get("X-Linked-Etag"), `"`); got != "" && f.SHA256 != "" && got != f.SHA256 {
			return &remote.Error{Kind: remote.Changed, Detail: fmt.Sprintf("%s: the hub serves content with digest %.64q, its listing says %s", f.Name, got, f.SHA256)}
		}
	}
	return nil
}

func isHex(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789abcdef") == "" }

// json asks for an answer in JSON and decodes it.
func (c *Client) json(ctx context.Context, req web.Request, what string, into any) error {
	req.Max = maxJSON
	a, err := c.web.Do(ctx, req)
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return explain(a, what)
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return &remote.Error{Kind: remote.Refused, Detail: what + ": the answer is not the JSON that a hub gives", Err: err}
	}
	return nil
}

// explain tells apart why a hub refuses: it has its own word for most cases (huggingface_hub/utils/_http.py).
func explain(a *web.Answer, what string) error {
	e := &remote.Error{Status: a.Status, Kind: remote.Refused}
	say := func(kind remote.Kind, text string) error {
		e.Kind, e.Detail = kind, what+": "+text
		return e
	}
	switch code := a.Header.Get("X-Error-Code"); {
	case a.Header.Get("X-Error-Message") == "Access to this resource is disabled.":
		return say(remote.Disabled, "the hub has disabled access to it")
	case code == "GatedRepo":
		return say(remote.Gated, "the repository is gated, and access was not given")
	case code == "RevisionNotFound":
		return say(remote.NoRevision, "there is no such revision")
	case code == "EntryNotFound":
		return say(remote.NoEntry, "there is no such file")
	case code == "RepoNotFound", a.Status == http.StatusUnauthorized:
		return say(remote.NotFound, "the repository does not exist, or it is private or gated and you are not logged in")
	case a.Status == http.StatusForbidden:
		return say(remote.Forbidden, "access is denied")
	case a.Status == http.StatusNotFound:
		return say(remote.NotFound, "there is nothing by that name")
	case a.Status == http.StatusTooManyRequests:
		return say(remote.RateLimited, "too many requests")
	case a.Status >= http.StatusInternalServerError:
		return say(remote.Server, "the hub has a problem of its own")
	}
	return say(remote.Refused, "unexpected answer")
}
