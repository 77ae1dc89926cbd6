package ranges

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
)

// HTTP fetches ranges of one URL.
type HTTP struct {
	Client *web.Client
	URL    string
	// Verify looks at the first answer before anything of it is used. It may be nil.
	Verify func(*web.Answer) error
	// Explain makes an error of an answer that is not the content; nil for the status alone.
	Explain func(*web.Answer) error

	final string // where redirects led to
	tag   string // the entity tag of the first answer, where it is a strong one
	mark  string // what else tells the first answer's file from another one: the tag, or without a strong one all there is
	seen  bool
}

// Fetch is a ranges.Fetch.
func (h *HTTP) Fetch(ctx context.Context, off, n int64) (Part, error) {
	if n <= 0 {
		return Part{}, fmt.Errorf("range of %d bytes", n)
	}
	url := h.final
	if url == "" {
		url = h.URL
	}
	a, err := h.ask(ctx, url, off, n)
	sent := 0
	if a != nil {
		sent = a.Requests
	}
	if err == nil && a.Status == http.StatusForbidden && url != h.URL { // a signed URL that ran out
		a, err = h.ask(ctx, h.URL, off, n)
		if a != nil {
			sent += a.Requests
		}
	}
	if err != nil {
		return Part{Requests: sent}, err
	}
	part, err := h.part(a, off, n)
	part.Requests = sent
	return part, err
}

func (h *HTTP) ask(ctx context.Context, url string, off, n int64) (*web.Answer, error) {
	header := http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", off, off+n-1)}}
	if h.tag != "" {
		header.Set("If-Range", h.tag)
	}
	return h.Client.Do(ctx, web.Request{URL: url, Header: header, Max: n, Prefix: true})
}

// part makes sure that the answer is the range, of the file that the first answer was of.
func (h *HTTP) part(a *web.Answer, off, n int64) (Part, error) {
	tag := strongTag(a.Header.Get("ETag"))
	mark := tag
	if tag == "" {
		mark = a.Header.Get("ETag") + " " + a.Header.Get("Last-Modified")
	}
	content := a.Status == http.StatusOK || a.Status == http.StatusPartialContent
	if h.seen && content && (mark != h.mark || a.Status == http.StatusOK) {
		return Part{}, &remote.Error{Kind: remote.Changed, Detail: fmt.Sprintf("the file is another one than it was at the first request (ETag, Last-Modified %.80q)", mark)}
	}
	part, err := h.cut(a, off, n)
	if err != nil {
		return part, err
	}
	if h.Verify != nil {
		if err := h.Verify(a); err != nil {
			return Part{}, err
		}
	}
	if !h.seen {
		h.seen, h.tag, h.mark, h.final = true, tag, mark, a.URL
	}
	return part, nil
}

// cut takes the content out of an answer, once it is known to be what was asked for.
func (h *HTTP) cut(a *web.Answer, off, n int64) (Part, error) {
	described := a.Header.Get("Content-Range")
	var first, last, total int64
	switch a.Status {
	case http.StatusPartialContent:
		_, err := fmt.Sscanf(described, "bytes %d-%d/%d", &first, &last, &total)
		if err != nil || described != fmt.Sprintf("bytes %d-%d/%d", first, last, total) || first != off || last-first+1 != int64(len(a.Body)) || last >= total {
			return Part{}, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("asked for %d bytes at %#x, got %d with Content-Range %.60q", n, off, len(a.Body), described)}
		}
		return Part{Data: a.Body, Total: total}, nil
	case http.StatusOK:
		if off != 0 || int64(len(a.Body)) > n {
			return Part{}, &remote.Error{Kind: remote.Refused, Status: a.Status, Detail: "the server sends whole files where ranges are asked for"}
		}
		return Part{Data: a.Body, Total: int64(len(a.Body))}, nil // all of a small file
	case http.StatusRequestedRangeNotSatisfiable:
		if _, err := fmt.Sscanf(described, "bytes */%d", &total); err != nil || total != 0 || off != 0 {
			return Part{}, &remote.Error{Kind: remote.Changed, Status: a.Status, Detail: fmt.Sprintf("the file has no bytes at %#x any more", off)}
		}
		return Part{}, nil // an empty file
	}
	if h.Explain != nil {
		return Part{}, h.Explain(a)
	}
	return Part{}, &remote.Error{Kind: kindOf(a.Status), Status: a.Status, Detail: "no content"}
}

// strongTag is an entity tag that If-Range may be asked with, else empty.
func strongTag(tag string) string {
	if strings.HasPrefix(tag, "W/") || len(tag) > 512 || strings.ContainsAny(tag, "\r\n") {
		return ""
	}
	return tag
}

func kindOf(status int) remote.Kind {
	switch {
	case status == http.StatusTooManyRequests:
		return remote.RateLimited
	case status >= http.StatusInternalServerError:
		return remote.Server
	case status == http.StatusForbidden:
		return remote.Forbidden
	case status == http.StatusUnauthorized, status == http.StatusNotFound, status == http.StatusGone:
		return remote.NotFound
	}
	return remote.Refused
}
