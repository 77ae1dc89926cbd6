// Package s3 reads models out of buckets of Amazon S3, or of a store that speaks like it: ListObjectsV2 and ranges of
// objects, signed with the credentials that the environment or the shared credentials file holds, or unsigned.
package s3

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/ranges"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// Bounds of what a store may answer.
const (
	maxXML   = 8 << 20 // bytes of one page
	maxFiles = 100_000
)

// Client is a remote.Resolver of ref.S3.
type Client struct {
	set    Settings
	web    *web.Client
	limits ranges.Limits
}

// New returns a client. It connects to nobody yet.
func New(set Settings, opts web.Options, limits ranges.Limits) *Client {
	opts.Origin, opts.Token = nil, ""
	c := &Client{set: set, limits: limits}
	if set.Key != "" {
		opts.Sign = c.sign
	}
	c.web = web.New(opts)
	return c
}

// unsigned is what the body's digest is given as: there is none.
const unsigned = "UNSIGNED-PAYLOAD"

// sign adds Signature Version 4. It is only asked for the host that the request began with.
func (c *Client) sign(r *http.Request) error {
	r.Header.Set("X-Amz-Content-Sha256", unsigned)
	who := aws.Credentials{AccessKeyID: c.set.Key, SecretAccessKey: c.set.Secret, SessionToken: c.set.Session}
	return v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
		SignHTTP(r.Context(), who, r, unsigned, "s3", c.set.Region, time.Now())
}

// page is the answer of ListObjectsV2, as far as it is used.
type page struct {
	Truncated bool     `xml:"IsTruncated"`
	Next      string   `xml:"NextContinuationToken"`
	Objects   []object `xml:"Contents"`
}

type object struct {
	Key  string `xml:"Key"`
	Size int64  `xml:"Size"`
	ETag string `xml:"ETag"`
}

// check refuses an object that can be no file here, and one too many.
func check(list *remote.Listing, o object) error {
	if len(list.Files) == maxFiles {
		return &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s has more than %d objects: name a folder of it", list.Name, maxFiles)}
	}
	if !valid(o) {
		return &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s lists %.200q of %d bytes, which is no name of a file here: name another folder", list.Name, o.Key, o.Size)}
	}
	return nil
}

func valid(o object) bool {
	return fs.ValidPath(o.Key) && !strings.ContainsRune(o.Key, 0) && o.Size >= 0 && o.Size <= 1<<50
}

// Resolve lists the object that the reference names, or the objects below it.
func (c *Client) Resolve(ctx context.Context, r ref.Ref) (*remote.Listing, error) {
	bucket, key, err := split(r.Value)
	if err != nil {
		return nil, err
	}
	if c.set.Offline {
		return nil, &remote.Error{Kind: remote.Offline, Detail: "the bucket may not be asked"}
	}
	root, err := c.set.bucket(bucket)
	if err != nil {
		return nil, err
	}
	list := &remote.Listing{Name: "s3://" + bucket + "/" + key}
	for token := ""; ; {
		p, err := c.page(ctx, root, list.Name, url.Values{"prefix": {strings.TrimSuffix(key, "/")}}, token)
		if err != nil {
			return nil, err
		}
		for _, o := range p.Objects {
			if !below(o.Key, key) || strings.HasSuffix(o.Key, "/") { // a folder that some console has made
				continue
			}
			if err := check(list, o); err != nil {
				return nil, err
			}
			list.Files = append(list.Files, c.file(root, bucket, o))
		}
		if !p.Truncated {
			break
		}
		if token, err = p.next(list.Name, token); err != nil {
			return nil, err
		}
	}
	if len(list.Files) == 0 {
		return nil, &remote.Error{Kind: remote.NoEntry, Detail: "there is nothing at " + list.Name}
	}
	slices.SortFunc(list.Files, func(a, b remote.File) int { return strings.Compare(a.Path, b.Path) })
	around := &neighbours{c: c, root: root, bucket: bucket, asked: key, folders: map[string]folder{}}
	list.Beside = around.file
	list.Folders = !slices.ContainsFunc(list.Files, func(f remote.File) bool { return f.Path == key }) // an object that was named is listed without those beside it
	return list, nil
}

// next is where the listing goes on.
func (p *page) next(what, token string) (string, error) {
	if p.Next == "" || p.Next == token {
		return "", &remote.Error{Kind: remote.Refused, Detail: what + ": the listing does not go on where it says it does"}
	}
	return p.Next, nil
}

// split takes "s3://bucket/key" apart.
func split(value string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(value, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	valid := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' }
	if !ok || len(bucket) < 3 || len(bucket) > 63 || strings.ContainsFunc(bucket, func(r rune) bool { return !valid(r) }) || strings.Contains(bucket, "..") {
		return "", "", fmt.Errorf("%q is no name of a bucket: s3://bucket/key", bucket)
	}
	return bucket, key, nil
}

// below tells whether an object is what was asked for, or in it: "a" is not in "ab".
func below(object, asked string) bool {
	asked = strings.TrimSuffix(asked, "/")
	return asked == "" || object == asked || strings.HasPrefix(object, asked+"/")
}

func (c *Client) page(ctx context.Context, root *url.URL, what string, q url.Values, token string) (*page, error) {
	u := *root
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	q.Set("list-type", "2")
	if token != "" {
		q.Set("continuation-token", token)
	}
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	a, err := c.web.Do(ctx, web.Request{URL: u.String(), Max: maxXML})
	if err != nil {
		return nil, err
	}
	if a.Status != http.StatusOK {
		return nil, explain(a, what)
	}
	var p page
	if err := xml.Unmarshal(a.Body, &p); err != nil {
		return nil, &remote.Error{Kind: remote.Refused, Detail: what + ": the answer is not the listing of a bucket", Err: err}
	}
	return &p, nil
}

func (c *Client) file(root *url.URL, bucket string, o object) remote.File {
	key, size, tag := o.Key, o.Size, o.ETag
	u := *root
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" + key
	u.RawPath = strings.TrimSuffix(root.EscapedPath(), "/") + "/" + escape(key)
	name := "s3://" + bucket + "/" + key
	source := func() *ranges.HTTP {
		return &ranges.HTTP{
			Client: c.web, URL: u.String(), Explain: func(a *web.Answer) error { return explain(a, name) },
			Verify: func(a *web.Answer) error {
				if got := a.Header.Get("ETag"); tag != "" && got != tag {
					return &remote.Error{Kind: remote.Changed, Detail: fmt.Sprintf("%s: the store serves ETag %.70q, its listing says %.70q", name, got, tag)}
				}
				return nil
			},
		}
	}
	return remote.File{
		Name: name, Path: key, URI: u.String(), Size: size, Status: remote.Status{Level: "unknown"},
		Open: func(ctx context.Context) remote.Content { return ranges.New(ctx, size, c.limits, source().Fetch) },
		Download: func(ctx context.Context, w io.Writer) (int64, error) {
			return ranges.Download(ctx, source().Fetch, size, w)
		},
	}
}

// escape writes a key as S3 canonicalises it: everything but letters, digits, "-._~" and "/".
func escape(key string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/", "%7E", "~").Replace(url.QueryEscape(key))
}

// explain tells apart why a store refuses, by its error document.
func explain(a *web.Answer, what string) error {
	var doc struct {
		Code   string `xml:"Code"`
		Region string `xml:"Region"`
	}
	_ = xml.Unmarshal(a.Body, &doc) // a store need not send one
	e := &remote.Error{Status: a.Status, Kind: remote.Refused, Detail: what + ": unexpected answer"}
	switch {
	case a.Header.Get("X-Amz-Bucket-Region") != "" && (doc.Code == "PermanentRedirect" || doc.Code == "AuthorizationHeaderMalformed"):
		e.Detail = fmt.Sprintf("%s: the bucket is in %.40q: set AWS_REGION to it", what, a.Header.Get("X-Amz-Bucket-Region"))
	case doc.Code == "NoSuchBucket":
		e.Kind, e.Detail = remote.NotFound, what+": there is no such bucket"
	case doc.Code == "NoSuchKey", a.Status == http.StatusNotFound:
		e.Kind, e.Detail = remote.NoEntry, what+": there is no such object"
	case doc.Code == "SignatureDoesNotMatch", doc.Code == "InvalidAccessKeyId", doc.Code == "ExpiredToken", doc.Code == "InvalidToken":
		e.Kind, e.Detail = remote.Forbidden, what+": the store does not accept these credentials ("+doc.Code+")"
	case a.Status == http.StatusForbidden, a.Status == http.StatusUnauthorized:
		e.Kind, e.Detail = remote.Forbidden, what+": access is denied"
	case a.Status == http.StatusTooManyRequests, doc.Code == "SlowDown":
		e.Kind, e.Detail = remote.RateLimited, what+": too many requests"
	case a.Status >= http.StatusInternalServerError:
		e.Kind, e.Detail = remote.Server, what+": the store has a problem of its own"
	}
	return e
}
