// Package web asks HTTP servers for bounded pieces, and trusts no answer: redirects are followed by hand, so that
// a token stays with the host it is meant for; bodies are bounded in size and time; what fails for a moment is
// asked again.
package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
)

// Bounds of one exchange.
const (
	maxHops     = 5
	maxHeader   = 64 << 10 // bytes
	slowest     = 64 << 10 // bytes a second that a body has to come at
	maxAttempts = 5
	// maxErrorPage bounds what is read of an answer that says no, in bytes.
	maxErrorPage = 16 << 10
	// maxWait bounds how long a server can make us wait between two attempts: the hub's window is 300 s.
	maxWait = 310 * time.Second
)

// Options of a Client. The zero Options are sensible.
type Options struct {
	// Timeout of an answer's first byte. Default 10 s.
	Timeout time.Duration
	// Origin and Token: the token is sent to this scheme, host and port, and nowhere else.
	Origin *url.URL
	Token  string
	// Sign, if not nil, signs a request to the host, port and scheme that was asked; after a redirect to another it is
	// not called.
	Sign func(*http.Request) error
	// UserAgent names the program.
	UserAgent string
	// Sleep waits between attempts; nil for the clock.
	Sleep func(context.Context, time.Duration) error
	// Notice is told when a server makes us wait. It may be nil.
	Notice func(string)
}

// Client asks servers. It is safe for concurrent use.
type Client struct {
	opts     Options
	http     *http.Client
	requests atomic.Int64
	bytes    atomic.Int64
}

// New returns a client. It connects to nobody yet.
func New(opts Options) *Client {
	if opts.Timeout <= 0 {
		opts.Timeout = 10 * time.Second
	}
	if opts.Sleep == nil {
		opts.Sleep = sleep
	}
	if opts.Notice == nil {
		opts.Notice = func(string) {}
	}
	dialer := &net.Dialer{Timeout: opts.Timeout}
	return &Client{opts: opts, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
			DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: opts.Timeout, ResponseHeaderTimeout: opts.Timeout, MaxResponseHeaderBytes: maxHeader,
		},
	}}
}

// Spent is what all of the client's exchanges have cost.
func (c *Client) Spent() remote.Cost {
	return remote.Cost{Requests: int(c.requests.Load()), Bytes: c.bytes.Load()}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Request is one thing to ask for.
type Request struct {
	Method string // GET where empty
	URL    string
	Header http.Header
	Body   []byte
	// Max bounds the answer's body in bytes. A longer one is an error, unless Prefix is set: then the rest is
	// left unread.
	Max    int64
	Prefix bool
}

// Answer is what came.
type Answer struct {
	Status int
	Header http.Header
	URL    string // that it came from, after redirects
	Body   []byte
	// Hops are the headers of the redirects on the way, first to last.
	Hops     []Hop
	Requests int // sent for it, repeats included
}

// Hop is a redirect.
type Hop struct {
	Host   string
	Header http.Header
}

// brief tells whether a failure may be gone in a moment. A certificate that does not hold, or a server that speaks no
// TLS, is no better then.
func brief(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return false
	}
	kind, ok := remote.KindOf(err)
	return ok && kind == remote.Network
}

// Do asks, and asks again where the server says so or the connection broke. An answer of any other status is
// returned as it is.
func (c *Client) Do(ctx context.Context, req Request) (*Answer, error) {
	sent := 0
	for attempt := 1; ; attempt++ {
		a, n, err := c.follow(ctx, req)
		sent += n
		if a != nil {
			a.Requests = sent
		}
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil && !brief(err):
			return nil, err
		case err == nil && !again(a.Status):
			return a, nil
		}
		wait := time.Duration(1<<(attempt-1)) * time.Second
		if err == nil {
			wait = c.asked(a, wait)
		}
		if attempt == maxAttempts || wait > maxWait {
			if err == nil {
				return a, nil
			}
			return nil, err
		}
		if err := c.opts.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// again tells whether a status may be another one in a moment.
func again(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// asked is how long the server wants us to wait.
func (c *Client) asked(a *Answer, otherwise time.Duration) time.Duration {
	if a.Status != http.StatusTooManyRequests {
		return otherwise
	}
	wait := limitReset(a.Header)
	if wait <= 0 {
		wait = otherwise
	}
	if wait >= 2*time.Second && wait <= maxWait {
		c.opts.Notice(fmt.Sprintf("%s asks us to wait %s: too many requests", hostOf(a.URL), wait))
	}
	return wait
}

// limitReset reads the t parameter of RateLimit (draft-ietf-httpapi-ratelimit-headers), or Retry-After in seconds.
func limitReset(h http.Header) time.Duration {
	for part := range strings.SplitSeq(h.Get("RateLimit"), ";") {
		if t, ok := strings.CutPrefix(strings.TrimSpace(part), "t="); ok {
			if d, err := time.ParseDuration(t + "s"); err == nil && d >= 0 {
				return d + time.Second // the hub's windows end on whole seconds
			}
		}
	}
	if d, err := time.ParseDuration(h.Get("Retry-After") + "s"); err == nil && d > 0 {
		return d
	}
	return 0
}

// follow sends the request and follows redirects. n counts what was sent.
func (c *Client) follow(ctx context.Context, req Request) (a *Answer, n int, err error) {
	u, err := url.Parse(req.URL)
	if err != nil {
		return nil, 0, &remote.Error{Kind: remote.Refused, Detail: "bad URL"}
	}
	var hops []Hop
	for {
		n++
		a, err = c.once(ctx, u, req, same(u, req.URL))
		if err != nil {
			return nil, n, err
		}
		a.Hops = hops
		if !redirects(a.Status) {
			return a, n, nil
		}
		if len(hops) == maxHops {
			return nil, n, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s redirects more than %d times", hostOf(req.URL), maxHops)}
		}
		hops = append(hops, Hop{u.Host, a.Header})
		if u, err = target(u, a.Header.Get("Location")); err != nil {
			return nil, n, err
		}
	}
}

// same tells whether u is on the host that was asked.
func same(u *url.URL, asked string) bool {
	o, err := url.Parse(asked)
	return err == nil && u.Scheme == o.Scheme && strings.EqualFold(u.Host, o.Host)
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// target of a redirect: http or https, and never from https to http.
func target(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	switch {
	case err != nil, location == "", to.Host == "", to.User != nil, to.Scheme != "http" && to.Scheme != "https", !ascii(to.Host):
		return nil, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s redirects to nowhere", from.Host)}
	case from.Scheme == "https" && to.Scheme == "http":
		return nil, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s redirects from https to http", from.Host)}
	}
	return to, nil
}

// ascii tells whether a host's name can stand in an error as it is: escapes in a URL may hold a terminal's.
func ascii(host string) bool {
	return !strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' })
}

// once is one exchange without redirects.
func (c *Client) once(ctx context.Context, u *url.URL, req Request, asked bool) (*Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pace := c.startPace(cancel)
	defer pace.timer.Stop()
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	r, err := c.request(ctx, method, u, req, asked)
	if err != nil {
		return nil, err
	}
	c.requests.Add(1)
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, broken(ctx, u, err)
	}
	defer resp.Body.Close()
	a := &Answer{Status: resp.StatusCode, Header: resp.Header, URL: u.String()}
	if method == http.MethodHead || redirects(a.Status) {
		return a, nil
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		if a.Status >= http.StatusBadRequest { // the status says enough
			return a, nil
		}
		return nil, &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%s sent the content encoded (%.20q), though asked not to", u.Host, e)}
	}
	most := req.Max
	if a.Status >= http.StatusBadRequest { // what an error page says beyond this is lost
		most = min(most, maxErrorPage)
	}
	pace.body = resp.Body
	a.Body, err = io.ReadAll(io.LimitReader(pace, most+1))
	c.bytes.Add(int64(len(a.Body)))
	switch {
	case err != nil:
		return nil, broken(ctx, u, err)
	case int64(len(a.Body)) > most && !req.Prefix && a.Status < http.StatusBadRequest:
		return nil, &remote.Error{Kind: remote.Refused, Status: a.Status, Detail: fmt.Sprintf("%s sent more than %d bytes", u.Host, req.Max)}
	}
	return a, nil
}

// request is what is sent. asked tells whether u is on the host that the caller named.
func (c *Client) request(ctx context.Context, method string, u *url.URL, req Request, asked bool) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(req.Body))
	if err != nil {
		return nil, &remote.Error{Kind: remote.Refused, Detail: "bad URL"}
	}
	for k, v := range req.Header {
		r.Header[k] = v
	}
	r.Header.Set("User-Agent", c.opts.UserAgent)
	r.Header.Set("Accept-Encoding", "identity")
	if c.mayKnowToken(u) {
		r.Header.Set("Authorization", "Bearer "+c.opts.Token)
	}
	if c.opts.Sign != nil && asked {
		if err := c.opts.Sign(r); err != nil {
			return nil, &remote.Error{Kind: remote.Refused, Detail: "the request can't be signed", Err: err}
		}
	}
	return r, nil
}

// errSlow is our own time limit.
var errSlow = fmt.Errorf("the answer comes slower than %d KiB a second", slowest>>10)

// pace ends an exchange that comes too slowly, as soon as it does: not when all of what was asked for is overdue.
type pace struct {
	body  io.Reader
	timer *time.Timer
	due   time.Time // of the next byte
}

func (c *Client) startPace(cancel context.CancelCauseFunc) *pace {
	grace := 2 * c.opts.Timeout
	return &pace{timer: time.AfterFunc(grace, func() { cancel(errSlow) }), due: time.Now().Add(grace)}
}

func (p *pace) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	p.due = p.due.Add(time.Duration(n) * time.Second / slowest)
	p.timer.Reset(time.Until(p.due))
	return n, err
}

// broken is the error of an exchange that ended early.
func broken(ctx context.Context, u *url.URL, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err // without the URL, which may be signed
	}
	return &remote.Error{Kind: remote.Network, Detail: "no answer from " + u.Host, Err: err}
}

// mayKnowToken: the host that it is for, and never in clear over a network.
func (c *Client) mayKnowToken(u *url.URL) bool {
	o := c.opts.Origin
	if c.opts.Token == "" || o == nil || u.Scheme != o.Scheme || !strings.EqualFold(u.Host, o.Host) {
		return false
	}
	return u.Scheme == "https" || Loopback(u.Hostname())
}

// Loopback tells whether a host is this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func hostOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "the server"
	}
	return u.Host
}
