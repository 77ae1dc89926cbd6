package hub

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// Levels of the hub's own that are used here.
const (
	unknown = "unknown"
	safe    = "safe"
)

// statuses returns what the hub's own scanners say of each file. Silence is "safe" only where they have looked at
// everything. What each of them says is asked for those files alone that one has something to say of; that they
// can't be asked is no failure.
func (c *Client) statuses(ctx context.Context, repo ref.Ref, in *info) func(path string) remote.Status {
	levels := map[string]remote.Status{}
	otherwise := remote.Status{Level: unknown}
	if in.Security != nil {
		if in.Security.ScansDone != nil && *in.Security.ScansDone {
			otherwise.Level = safe
		}
		for _, issue := range in.Security.Issues {
			levels[issue.Path] = remote.Status{Level: word(issue.Level)}
		}
	}
	if len(levels) > 0 {
		for path, s := range c.scanners(ctx, repo, levels) {
			levels[path] = s
		}
	}
	return func(path string) remote.Status {
		if s, ok := levels[path]; ok {
			return s
		}
		return otherwise
	}
}

// scanners asks paths-info what each scanner says.
func (c *Client) scanners(ctx context.Context, repo ref.Ref, levels map[string]remote.Status) map[string]remote.Status {
	form := url.Values{"expand": {"true"}}
	for path := range levels {
		if len(form["paths"]) < maxPaths {
			form.Add("paths", path)
		}
	}
	var answer []struct {
		Path   string                     `json:"path"`
		Status map[string]json.RawMessage `json:"securityFileStatus"`
	}
	err := c.json(ctx, web.Request{
		Method: http.MethodPost, URL: c.url("/api/"+apiType(repo.Type), repo.Value, "paths-info", repo.Revision),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(form.Encode()),
	}, repo.String(), &answer)
	out := map[string]remote.Status{}
	if err != nil {
		return out
	}
	for _, f := range answer {
		before, asked := levels[f.Path]
		if !asked || len(f.Status) == 0 {
			continue
		}
		s := remote.Status{Level: before.Level, Scanners: map[string]string{}}
		for name, raw := range f.Status {
			var text string
			var scanner struct {
				Status string `json:"status"`
			}
			if name == "status" && json.Unmarshal(raw, &text) == nil {
				s.Level = word(text)
			} else if json.Unmarshal(raw, &scanner) == nil && scanner.Status != "" && len(s.Scanners) < 16 {
				s.Scanners[word(name)] = word(scanner.Status)
			}
		}
		out[f.Path] = s
	}
	return out
}

// word keeps what a server says fit to be shown.
func word(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	if s == "" {
		return unknown
	}
	return s[:min(len(s), 32)]
}
