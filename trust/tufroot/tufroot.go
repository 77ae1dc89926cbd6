// Package tufroot fetches Sigstore's trusted root through The Update Framework: the one thing in trust that goes to the
// network, and only when a person asks.
package tufroot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sigstore/sigstore-go/pkg/tuf"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// PublicMirror is the repository of Sigstore's public instance.
const PublicMirror = tuf.DefaultMirror

// target is the file that is fetched.
const target = "trusted_root.json"

// Bounds of what a repository may answer. go-tuf names its own for each file; these hold besides.
const (
	maxFile = 8 << 20 // bytes
	timeout = 30 * time.Second
)

// Options of Fetch.
type Options struct {
	// Mirror is the repository's URL.
	Mirror string
	// Root is a root.json of the repository that the user has from elsewhere: the chain begins there. Nil for the
	// public instance's first one, which sigstore-go embeds.
	Root []byte
	// Cache is the folder in which the metadata is kept, so that an older version is noticed.
	Cache string
	// UserAgent names the program.
	UserAgent string
}

// Fetch returns the newest trusted root that the repository signs, following its chain of roots.
func Fetch(ctx context.Context, o Options) ([]byte, error) {
	opts := tuf.DefaultOptions()
	opts.RepositoryBaseURL, opts.CachePath = o.Mirror, o.Cache
	opts.Fetcher = &fetcher{ctx: ctx, agent: o.UserAgent, client: &http.Client{Timeout: timeout}}
	if o.Root != nil {
		opts.Root = o.Root
	}
	client, err := tuf.New(opts)
	if err != nil {
		return nil, explain(err)
	}
	text, err := client.GetTarget(target)
	return text, explain(err)
}

// explain says in front of the library's words which of its refusals it is.
func explain(err error) error {
	for _, c := range []struct {
		kind error
		say  string
	}{
		{&metadata.ErrExpiredMetadata{}, "the repository's metadata has expired: nothing that it says now can be believed"},
		{&metadata.ErrUnsignedMetadata{}, "the repository's metadata is not signed by those whom the root names"},
		{&metadata.ErrBadVersionNumber{}, "the repository offers older metadata than was seen before"},
		{&metadata.ErrLengthOrHashMismatch{}, "the repository serves another file than its metadata names"},
	} {
		if errors.Is(err, c.kind) {
			return fmt.Errorf("%s: %w", c.say, err)
		}
	}
	return err
}

// fetcher is go-tuf's, with an end: its own waits for a server without one.
type fetcher struct {
	ctx    context.Context //nolint:containedctx // go-tuf's interface has no room for one
	agent  string
	client *http.Client
}

// DownloadFile implements go-tuf's fetcher.Fetcher.
func (f *fetcher) DownloadFile(url string, maxLength int64, _ time.Duration) ([]byte, error) {
	req, err := http.NewRequestWithContext(f.ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", f.agent)
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: resp.StatusCode, URL: url} // 404 tells go-tuf that there is no newer root
	}
	most := min(maxLength, maxFile)
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err == nil && int64(len(data)) > most {
		err = &metadata.ErrDownloadLengthMismatch{Msg: fmt.Sprintf("%s has more than %d bytes", url, most)}
	}
	return data, err
}
