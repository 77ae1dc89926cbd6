package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
)

// kindFixAll fixes what can be fixed without changing what the file means; editors run it on save.
const kindFixAll protocol.CodeActionKind = "source.fixAll.secureTorch"

// actionData travels in a code action until it is resolved.
type actionData struct {
	URI     uri.URI `json:"uri"`
	Version int32   `json:"version"`
	Index   int     `json:"index"` // of the diagnostic
	Fix     int     `json:"fix"`   // among its fixes; or one of the negative numbers below
}

const (
	fixIgnoreLine = -1
	fixIgnoreFile = -2
	fixAll        = -3
)

// codeAction offers what can be done about the diagnostics that touch the range.
func codeAction(ctx context.Context, snap *snapshot, p *protocol.CodeActionParams) ([]protocol.CommandOrCodeAction, error) {
	actions := []protocol.CommandOrCodeAction{}
	d := snap.docs[p.TextDocument.URI]
	if d == nil {
		return actions, nil
	}
	d, err := d.checked(ctx)
	if err != nil {
		return nil, err
	}
	diags := snap.shown(d)
	at := d.mapper().toSpan(p.Range)
	if wanted(p.Context.Only, protocol.CodeActionKindQuickFix) {
		for _, a := range append(snap.quickFixes(d, diags, at), snap.callActions(d, at)...) {
			actions = append(actions, a)
		}
	}
	if wanted(p.Context.Only, kindFixAll) {
		if a := snap.fixAllAction(d, diags); a != nil {
			actions = append(actions, a)
		}
	}
	return actions, nil
}

// quickFixes are the fixes of the diagnostics at a place, each once, then reports, then ways to ignore.
func (snap *snapshot) quickFixes(d *document, diags []check.Diagnostic, at analyzers.Span) []*protocol.CodeAction {
	var fixes, rest []*protocol.CodeAction
	seen := map[string]*protocol.CodeAction{}
	for i, diag := range diags {
		if !touch(diag.Span, at) {
			continue
		}
		shown := snap.client.toDiagnostic(d, i, diag)
		for n, fix := range diag.Fixes {
			key := fmt.Sprint(fix)
			if a := seen[key]; a != nil { // the same fix helps against several diagnostics
				a.Diagnostics = append(a.Diagnostics, shown)
				continue
			}
			a := snap.action(d, fix.Title, protocol.CodeActionKindQuickFix, actionData{d.uri, d.version, i, n}, func() []analyzers.Edit { return fix.Edits })
			a.Diagnostics, a.IsPreferred = []protocol.Diagnostic{shown}, ptr(fix.Safe)
			seen[key] = a
			fixes = append(fixes, a)
		}
		rest = append(rest, snap.otherActions(d, i, diag, shown, seen)...)
	}
	return append(fixes, rest...)
}

// callActions are what can be done about the models of the calls at a place, whether or not anything is wrong.
func (snap *snapshot) callActions(d *document, at analyzers.Span) []*protocol.CodeAction {
	var out []*protocol.CodeAction
	var here []check.Call
	seen := map[string]bool{}
	for _, c := range d.result.Calls() {
		if !touch(c.Span, at) {
			continue
		}
		here = append(here, c)
		found, _ := snap.known(c)
		for _, a := range found {
			if !seen[a.Path] && len(seen) < listed {
				seen[a.Path] = true
				out = append(out, snap.modelActions(a)...)
			}
		}
	}
	return append(out, snap.hubActions(d, here)...)
}

// otherActions change nothing in what the code does: show the report, scan again, ignore.
func (snap *snapshot) otherActions(d *document, i int, diag check.Diagnostic, shown protocol.Diagnostic, seen map[string]*protocol.CodeAction) []*protocol.CodeAction {
	var out []*protocol.CodeAction
	add := func(key string, a *protocol.CodeAction) {
		if a != nil && seen[key] == nil {
			a.Diagnostics = []protocol.Diagnostic{shown}
			seen[key] = a
			out = append(out, a)
		}
	}
	if diag.Artifact != nil {
		path := diag.Artifact.Path
		add("report "+path, snap.command("Show the report on "+visible(path), cmdShowReport, path))
		add("again "+path, snap.command("Scan "+visible(path)+" again", cmdScanAgain, path))
	}
	for _, n := range []int{fixIgnoreLine, fixIgnoreFile} {
		title := "Ignore " + string(diag.Rule) + " on this line"
		if n == fixIgnoreFile {
			title = "Ignore " + string(diag.Rule) + " in this file"
		}
		edit, ok := ignoreEdit(d, diag, n)
		if ok && n == fixIgnoreLine && snap.client.options.Prompts {
			add("because "+title, snap.becauseAction(d, i, string(diag.Rule)))
		}
		if ok {
			add(title, snap.action(d, title, protocol.CodeActionKindQuickFix, actionData{d.uri, d.version, i, n},
				func() []analyzers.Edit { return []analyzers.Edit{edit} }))
		}
	}
	add("trust", snap.trustAction(d))
	return out
}

func (snap *snapshot) command(title, command, arg string) *protocol.CodeAction {
	return &protocol.CodeAction{
		Title: title, Kind: ptr(protocol.CodeActionKindQuickFix),
		Command: protocol.Command{Title: title, Command: command, Arguments: []protocol.LSPAny{toAny(arg)}},
	}
}

// action makes a code action whose edit is made at once, or when it is resolved if the client can do that.
func (snap *snapshot) action(d *document, title string, kind protocol.CodeActionKind, data actionData, edits func() []analyzers.Edit) *protocol.CodeAction {
	a := &protocol.CodeAction{Title: title, Kind: &kind}
	if snap.client.resolvesEdits() {
		a.Data = toAny(data)
	} else {
		a.Edit = snap.edit(d, title, edits())
	}
	return a
}

// codeActionResolve makes the edit of an action that was offered without one. Neovim asks for those of commands too.
func codeActionResolve(ctx context.Context, snap *snapshot, a *protocol.CodeAction) (*protocol.CodeAction, error) {
	if a.Command.Command != "" {
		return a, nil
	}
	var data actionData
	if err := json.Unmarshal(a.Data, &data); err != nil {
		return nil, fmt.Errorf("%w: code action without our data: %w", jsonrpc2.ErrInvalidParams, err)
	}
	d := snap.docs[data.URI]
	if d == nil || d.version != data.Version {
		return nil, protocol.ErrContentModified
	}
	d, err := d.checked(ctx)
	if err != nil {
		return nil, err
	}
	diags := snap.shown(d)
	if data.Fix == fixAll {
		a.Edit = snap.edit(d, a.Title, allSafe(diags))
		return a, nil
	}
	// A scan that ended meanwhile may have moved the diagnostics: the title tells.
	for _, diag := range diags[min(max(0, data.Index), len(diags)):] {
		if edits, ok := editsOf(d, diag, data.Fix, a.Title); ok {
			a.Edit = snap.edit(d, a.Title, edits)
			return a, nil
		}
	}
	return nil, protocol.ErrContentModified
}

func editsOf(d *document, diag check.Diagnostic, n int, title string) ([]analyzers.Edit, bool) {
	if n < 0 {
		edit, ok := ignoreEdit(d, diag, n)
		return []analyzers.Edit{edit}, ok
	}
	if n < len(diag.Fixes) && diag.Fixes[n].Title == title {
		return diag.Fixes[n].Edits, true
	}
	return nil, false
}

// wanted reports whether a client that asked only for some kinds wants this one. Kinds nest at dots.
// What runs on save is offered only to who asks for kinds.
func wanted(only []protocol.CodeActionKind, kind protocol.CodeActionKind) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(k protocol.CodeActionKind) bool {
		return k == "" || k == kind || len(kind) > len(k) && kind[:len(k)] == k && kind[len(k)] == '.'
	})
}

// touch reports whether two spans share a byte or meet.
func touch(a, b analyzers.Span) bool { return a.Start <= b.End && b.Start <= a.End }
