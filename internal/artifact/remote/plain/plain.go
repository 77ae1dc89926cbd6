// Package plain reads single files from web servers that know nothing of models.
package plain

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/ranges"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// Client is a remote.Resolver of ref.URL. It sends no token to anybody.
type Client struct {
	web     *web.Client
	limits  ranges.Limits
	offline bool
}

// New returns a client. It connects to nobody yet.
func New(opts web.Options, limits ranges.Limits, offline bool) *Client {
	opts.Origin, opts.Token = nil, ""
	return &Client{web: web.New(opts), limits: limits, offline: offline}
}

// Resolve takes the URL for one file. Whether it is there shows when it is read. What lies beside it can be asked for
// unless the URL has a query: that may be a signature for the one file, which is shown to nobody else.
func (c *Client) Resolve(_ context.Context, r ref.Ref) (*remote.Listing, error) {
	u, err := url.Parse(r.Value)
	switch {
	case err != nil || u.Host == "":
		return nil, &remote.Error{Kind: remote.Refused, Detail: "bad URL"}
	case c.offline:
		return nil, &remote.Error{Kind: remote.Offline, Detail: u.Host + " may not be asked"}
	case u.Scheme != "https" && !web.Loopback(u.Hostname()):
		return nil, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s: over plain http anybody on the way can change the file", u.Host)}
	}
	if slices.ContainsFunc(strings.Split(u.Path, "/"), func(part string) bool { return part == "." || part == ".." }) {
		return nil, &remote.Error{Kind: remote.Refused, Detail: u.Host + ": the URL's path has . or .. in it: write it without"}
	}
	name := path.Base(u.Path)
	if name == "/" || name == "." {
		return nil, &remote.Error{Kind: remote.Refused, Detail: u.Host + ": the URL names no file"}
	}
	query := u.RawQuery
	u.RawQuery, u.Fragment = "", "" // where signatures stand
	list := &remote.Listing{Name: u.String(), Files: []remote.File{c.file(r.Value, u.String(), name, -1)}}
	if query == "" {
		list.Beside = func(ctx context.Context, path string) (*remote.File, error) { return c.beside(ctx, u, path) }
	}
	return list, nil
}

func (c *Client) file(from, shown, name string, size int64) remote.File {
	source := func() *ranges.HTTP { return &ranges.HTTP{Client: c.web, URL: from} }
	return remote.File{
		Name: shown, Path: name, URI: shown, Size: size,
		Open: func(ctx context.Context) remote.Content { return ranges.New(ctx, size, c.limits, source().Fetch) },
		Download: func(ctx context.Context, w io.Writer) (int64, error) {
			return ranges.Download(ctx, source().Fetch, size, w)
		},
	}
}

// beside asks for a file in the folder that a URL is in. A server that refuses to say has none.
func (c *Client) beside(ctx context.Context, u *url.URL, name string) (*remote.File, error) {
	if !fs.ValidPath(name) || strings.Contains(name, "/") {
		return nil, nil //nolint:nilnil // there is none of that name
	}
	at := u.ResolveReference(&url.URL{Path: name}).String()
	r := ranges.New(ctx, -1, c.limits, (&ranges.HTTP{Client: c.web, URL: at}).Fetch)
	if err := r.Prefetch(ctx); err != nil {
		switch kind, _ := remote.KindOf(err); kind {
		case remote.NotFound, remote.NoEntry, remote.Forbidden, remote.Gated, remote.Refused:
			return nil, nil //nolint:nilnil // there is none
		}
		return nil, err
	}
	f := c.file(at, at, name, r.Size())
	if all, ok := r.All(); ok {
		f.Download = func(_ context.Context, w io.Writer) (int64, error) {
			n, err := w.Write(all)
			return int64(n), err
		}
	}
	return &f, nil
}
