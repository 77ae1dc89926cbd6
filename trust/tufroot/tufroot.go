// Package tufroot fetches Sigstore's trusted root through The Update Framework: the one thing in trust that goes to the
// network, and only when a person asks.
package tufroot

import (
	"github.com/sigstore/sigstore-go/pkg/tuf"
)

// PublicMirror is the repository of Sigstore's public instance.
const PublicMirror = tuf.DefaultMirror

// target is the file that is fetched.
const target = "trusted_root.json"

// Fetch returns the newest trusted root that the repository at mirror signs, following its chain of roots from the
// public instance's first one, which sigstore-go embeds. Metadata is kept in the folder cache, so that an older
// version is noticed.
func Fetch(mirror, cache string) ([]byte, error) {
	opts := tuf.DefaultOptions()
	opts.RepositoryBaseURL, opts.CachePath = mirror, cache
	client, err := tuf.New(opts)
	if err != nil {
		return nil, err
	}
	return client.GetTarget(target)
}
