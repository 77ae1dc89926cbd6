package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// HubScanner scans what lies on a hub, over the network. A Scanner that is one has that offered, where the user's
// config, or that of a folder he trusts, says hub = "on-demand".
type HubScanner interface {
	// ScanHub scans the files that a call with these options would read.
	ScanHub(ctx context.Context, r ref.Ref, o ref.Options) (*HubReport, error)
}

// HubReport is what was found in a repository.
type HubReport struct {
	Commit string
	Files  []*engine.Artifact
	Notes  []string // true of the whole repository
}

// hubKey is what a call names on a hub.
type hubKey struct {
	repo, kind, revision, file string
	options                    ref.Options
}

func (k hubKey) ref() ref.Ref {
	return ref.Ref{Kind: ref.Hub, Value: k.repo, Type: k.kind, Revision: k.revision, File: k.file, Sure: ref.Exact}
}

// hubScan is a scan of a repository, under way or ended. It never changes.
type hubScan struct {
	report *HubReport // nil while it is under way, and when it failed
	why    string     // that it failed
}

// onDemand says whether the document's user wants hubs asked when he asks.
func (d *document) onDemand() bool {
	if d.root == nil {
		return false
	}
	s := d.root.settings()
	return s.Hub == config.HubOnDemand && !s.Offline && d.trusted()
}

// hubKeys are the repositories that a call names and that are not on this machine.
func hubKeys(c check.Call) []hubKey {
	var out []hubKey
	for i, r := range c.Refs {
		here := i < len(c.Found) && len(c.Found[i].Targets) > 0
		if k := (hubKey{r.Value, r.Type, r.Revision, r.File, c.Options}); r.Kind == ref.Hub && !here && ref.IsRepo(r.Value) && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// askHub starts a scan of a repository, unless one is under way, or has ended well and nobody asks for it again.
func (s *Server) askHub(k hubKey, again bool) <-chan struct{} {
	done := make(chan struct{})
	scanner, ok := s.opts.Scanner.(HubScanner)
	start := false
	_ = s.do(func(st *state) error {
		if old := st.hubs[k]; ok && (old == nil || again && (old.report != nil || old.why != "")) {
			start = true
			st.setHub(k, &hubScan{})
		}
		return nil
	})
	if !start {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		out := &hubScan{why: "a defect in secure-torch"}
		var err error
		defer func() {
			recovered(s.log, "hub", &err)
			_ = s.do(func(st *state) error { st.hubScanned(k, out); return nil })
		}()
		report, err := scanner.ScanHub(s.ctx, k.ref(), k.options)
		if err != nil {
			out.why = err.Error()
			return
		}
		out = &hubScan{report: report}
	}()
	return done
}

// setHub puts a scan in the place of another. Snapshots have the map as it was.
func (st *state) setHub(k hubKey, h *hubScan) {
	hubs := make(map[hubKey]*hubScan, len(st.hubs)+1)
	for key, old := range st.hubs {
		hubs[key] = old
	}
	hubs[k] = h
	st.hubs, st.shared = hubs, nil
}

// hubScanned takes over what was found, and shows it where it is named.
func (st *state) hubScanned(k hubKey, h *hubScan) {
	st.setHub(k, h)
	for d := range st.readDocuments() {
		if slices.ContainsFunc(d.result.Calls(), func(c check.Call) bool { return slices.Contains(hubKeys(c), k) }) {
			st.show(d)
		}
	}
	st.outdated()
}

// hubDiagnostics are those on the calls that name repositories in which something was found.
func (snap *snapshot) hubDiagnostics(d *document) []check.Diagnostic {
	if len(snap.hubs) == 0 || !d.onDemand() {
		return nil
	}
	var out []check.Diagnostic
	for _, c := range d.result.Calls() {
		for _, k := range hubKeys(c) {
			if h := snap.hubs[k]; h != nil && h.report != nil {
				out = append(out, ofHub(c, h.report)...)
			}
		}
	}
	return out
}

// ofHub are the findings of medium severity and above, and the gaps, of the files that a call would read.
func ofHub(c check.Call, r *HubReport) []check.Diagnostic {
	var out []check.Diagnostic
	for _, a := range r.Files {
		add := func(id rule.ID, text string) {
			if len(out) < listed {
				out = append(out, check.Diagnostic{Rule: id, Severity: id.Severity(), Span: c.FuncSpan, Call: c.Span, Message: text + " — " + a.Path, Fixes: c.Fixes})
			}
		}
		for _, f := range a.Report.Findings {
			if f.Rule.Severity() >= rule.Medium {
				add(f.Rule, f.Message)
			}
		}
		if len(a.Report.Gaps) > 0 {
			add(a.Report.Gaps[0].Rule, "not examined: "+a.Report.Gaps[0].Reason)
		}
	}
	return out
}

// hubTitle is a line about a repository; empty where nothing is known of it.
func (snap *snapshot) hubTitle(c check.Call) string {
	for _, k := range hubKeys(c) {
		h := snap.hubs[k]
		switch {
		case h == nil:
		case h.why != "":
			return "? " + visible(k.repo) + " · the hub could not be asked"
		case h.report == nil:
			return "scanning " + visible(k.repo) + " on the hub …"
		default:
			return hubHeadline(k, h.report)
		}
	}
	return ""
}

func hubHeadline(k hubKey, r *HubReport) string {
	const short = 7
	title := visible(k.repo) + "@" + visible(r.Commit[:min(short, len(r.Commit))])
	worst := worstOf(r.Files)
	if worst == nil {
		return "? " + title + " · no files to load"
	}
	title = mark(worst.Verdict()) + " " + title + " · " + worst.Verdict().String()
	if o := worst.Origin; o != nil && o.Status.Level != "" {
		title += " · hub says: " + visible(o.Status.Level)
	}
	if by := signedBy(worst); by != "" {
		title += " · " + by
	}
	return title
}

func worstOf(files []*engine.Artifact) *engine.Artifact {
	var worst *engine.Artifact
	for _, a := range files {
		if worst == nil || badness(a) < badness(worst) {
			worst = a
		}
	}
	return worst
}

// aboutHub is Markdown about the repositories that a call names, and asks for those of which nothing is known.
func (snap *snapshot) aboutHub(d *document, c check.Call) []string {
	if _, can := snap.srv.opts.Scanner.(HubScanner); !can || !d.onDemand() {
		return nil
	}
	var parts []string
	for _, k := range hubKeys(c) {
		h := snap.hubs[k]
		switch {
		case h == nil:
			snap.srv.askHub(k, false)
			parts = append(parts, code(k.repo)+" is being scanned on the hub, without downloading it.")
		case h.why != "":
			parts = append(parts, code(k.repo)+" could not be scanned on the hub: "+plain(h.why))
		case h.report == nil:
			parts = append(parts, code(k.repo)+" is being scanned on the hub.")
		default:
			lines := []string{"commit " + code(h.report.Commit)}
			for _, note := range h.report.Notes {
				lines = append(lines, plain(note))
			}
			parts = append(parts, bullets(lines, 0))
			for _, a := range h.report.Files[:min(listed, len(h.report.Files))] {
				parts = append(parts, summary(a, listed))
			}
		}
	}
	return parts
}

// hubActions offer to scan what a call names.
func (snap *snapshot) hubActions(d *document, calls []check.Call) []*protocol.CodeAction {
	if _, can := snap.srv.opts.Scanner.(HubScanner); !can || !d.onDemand() {
		return nil
	}
	var out []*protocol.CodeAction
	for _, c := range calls {
		for i, k := range hubKeys(c) {
			title := "Scan " + visible(k.repo) + " on the hub"
			a := &protocol.CodeAction{Title: title, Kind: ptr(protocol.CodeActionKindQuickFix), Command: protocol.Command{
				Title: title, Command: cmdScanHub, Arguments: []protocol.LSPAny{toAny(hubWhich{string(d.uri), d.version, c.Span.Start, i})},
			}}
			out = append(out, a)
		}
	}
	return out
}

// hubWhich is the argument of cmdScanHub: a client names no repository, only a call in a document.
type hubWhich struct {
	URI     string `json:"uri"`
	Version int32  `json:"version"`
	Call    int    `json:"call"`  // where it begins
	Index   int    `json:"index"` // of the repository among the call's
}

// scanHub scans a repository that a call names, and waits for it to end.
func (snap *snapshot) scanHub(ctx context.Context, raw json.RawMessage, token protocol.ProgressToken) (any, error) {
	var w hubWhich
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", jsonrpc2.ErrInvalidParams, cmdScanHub, err)
	}
	for _, d := range snap.docs {
		if string(d.uri) != w.URI || d.version != w.Version || !d.read() || !d.onDemand() {
			continue
		}
		for _, c := range d.result.Calls() {
			keys := hubKeys(c)
			if c.Span.Start != w.Call || w.Index < 0 || w.Index >= len(keys) {
				continue
			}
			work, ctx := snap.srv.begin(ctx, snap.client, token, "Scanning "+visible(keys[w.Index].repo)+" on the hub")
			defer work.end()
			select {
			case <-snap.srv.askHub(keys[w.Index], true):
			case <-ctx.Done():
				return nil, protocol.ErrRequestCancelled
			}
			return map[string]string{"scanned": strings.TrimSpace(keys[w.Index].repo)}, nil
		}
	}
	return nil, protocol.ErrContentModified
}
