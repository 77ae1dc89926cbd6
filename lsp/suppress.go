package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/analyzers"
)

// ignoreWhy is the argument of cmdIgnore. A client that asks its user for the reason puts it in.
type ignoreWhy struct {
	actionData
	Title  string `json:"title"`
	Reason string `json:"reason"`
}

// maxReason of an ignore comment, in bytes.
const maxReason = 500

// ignoreBecause writes an ignore comment with the reason that the user gave.
func ignoreBecause(ctx context.Context, snap *snapshot, raw json.RawMessage) (any, error) {
	var why ignoreWhy
	if err := json.Unmarshal(raw, &why); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", jsonrpc2.ErrInvalidParams, cmdIgnore, err)
	}
	reason := strings.Join(strings.Fields(visible(why.Reason)), " ")
	if reason == "" || len(reason) > maxReason {
		return nil, fmt.Errorf("%w: %s: a reason of at most %d bytes is needed", jsonrpc2.ErrInvalidParams, cmdIgnore, maxReason)
	}
	d := snap.docs[why.URI]
	if d == nil || d.version != why.Version {
		return nil, protocol.ErrContentModified
	}
	d, err := d.checked(ctx)
	if err != nil {
		return nil, err
	}
	diags := snap.shown(d)
	if why.Index < 0 || why.Index >= len(diags) {
		return nil, protocol.ErrContentModified
	}
	edit, ok := ignoreEdit(d, diags[why.Index], fixIgnoreLine)
	if !ok {
		return nil, fmt.Errorf("%w: no comment is heeded here", jsonrpc2.ErrInvalidParams)
	}
	if strings.HasSuffix(edit.New, "]") { // a comment of its own, not an addition to one
		edit.New += " " + reason
	}
	res, err := snap.srv.client.ApplyEdit(ctx, &protocol.ApplyWorkspaceEditParams{Edit: *snap.edit(d, why.Title, []analyzers.Edit{edit})})
	if err != nil {
		return nil, fmt.Errorf("lsp: apply edit: %w", err)
	}
	return map[string]bool{"applied": res != nil && res.Applied}, nil
}

// becauseAction asks for a reason, where the client can.
func (snap *snapshot) becauseAction(d *document, i int, rule string) *protocol.CodeAction {
	title := "Ignore " + rule + " on this line, with a reason …"
	return &protocol.CodeAction{
		Title: title, Kind: ptr(protocol.CodeActionKindQuickFix),
		Command: protocol.Command{Title: title, Command: cmdIgnore, Arguments: []protocol.LSPAny{toAny(ignoreWhy{actionData{d.uri, d.version, i, fixIgnoreLine}, title, ""})}},
	}
}
