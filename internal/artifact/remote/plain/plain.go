// Package plain reads single files from web servers that know nothing of models.
package plain

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"path"

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

// Resolve takes the URL for one file. Whether it is there shows when it is read.
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
	name := path.Base(u.Path)
	if name == "/" || name == "." {
		return nil, &remote.Error{Kind: remote.Refused, Detail: u.Host + ": the URL names no file"}
	}
	u.RawQuery, u.Fragment = "", "" // where signatures stand
	shown := u.String()
	source := func() *ranges.HTTP { return &ranges.HTTP{Client: c.web, URL: r.Value} }
	return &remote.Listing{Name: shown, Files: []remote.File{{
		Name: shown, Path: name, URI: shown, Size: -1,
		Open: func(ctx context.Context) remote.Content { return ranges.New(ctx, -1, c.limits, source().Fetch) },
		Download: func(ctx context.Context, w io.Writer) (int64, error) {
			return ranges.Download(ctx, source().Fetch, -1, w)
		},
	}}}, nil
}
