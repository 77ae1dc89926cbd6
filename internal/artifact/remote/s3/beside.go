package s3

import (
	"context"
	"fmt"
	"net/url"
	"path"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
)

// maxBeside bounds the objects of a folder, beside what was asked for, that are looked through.
const maxBeside = 20_000

// neighbours finds objects around those that were listed, by listing the folder that they lie in, once.
type neighbours struct {
	c             *Client
	root          *url.URL
	bucket, asked string
	folders       map[string]folder
}

type folder struct {
	objects map[string]object
	err     error
}

// file is a Listing's Beside. What was listed already is all there is.
func (n *neighbours) file(ctx context.Context, key string) (*remote.File, error) {
	if below(key, n.asked) {
		return nil, nil //nolint:nilnil // there is none
	}
	dir := path.Dir(key)
	known, ok := n.folders[dir]
	if !ok {
		known.objects, known.err = n.list(ctx, dir)
		n.folders[dir] = known
	}
	o, ok := known.objects[key]
	if known.err != nil || !ok {
		return nil, known.err
	}
	f := n.c.file(n.root, n.bucket, o)
	return &f, nil
}

// list lists one folder. One that may not be listed has nothing for us.
func (n *neighbours) list(ctx context.Context, dir string) (map[string]object, error) {
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	what := "s3://" + n.bucket + "/" + prefix
	objects := map[string]object{}
	for token := ""; ; {
		p, err := n.c.page(ctx, n.root, what, url.Values{"prefix": {prefix}, "delimiter": {"/"}}, token)
		if kind, ok := remote.KindOf(err); ok && kind == remote.Forbidden {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, o := range p.Objects {
			if len(objects) == maxBeside {
				return nil, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s has more than %d objects: what lies beside the model was not looked for", what, maxBeside)}
			}
			if valid(o) {
				objects[o.Key] = o
			}
		}
		if !p.Truncated {
			return objects, nil
		}
		if token, err = p.next(what, token); err != nil {
			return nil, err
		}
	}
}
