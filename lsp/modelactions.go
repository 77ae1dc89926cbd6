package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Truster writes the user's own trust policy. A Scanner that is one has signers offered for it.
type Truster interface {
	// Choices are the sets of models for which the signer of this one may be trusted, the narrowest first. It is empty
	// where the signature does not say enough.
	Choices(a *engine.Artifact) []TrustChoice
	// Trust wants the models that match signed by the signer of this one, and by nobody else.
	Trust(a *engine.Artifact, match string) error
}

// TrustChoice is a set of models: its title for the user, and its pattern in a trust policy.
type TrustChoice struct{ Title, Match string }

// Converter writes safetensors. A Scanner that is one has that offered.
type Converter interface {
	// Convert writes a model's tensors to a file that does not exist yet, without running anything of the model.
	Convert(ctx context.Context, target artifact.Target, to string) error
}

// modelActions are what can be done about a model itself.
func (snap *snapshot) modelActions(a *engine.Artifact) []*protocol.CodeAction {
	var out []*protocol.CodeAction
	if to := snap.convertsTo(a); to != "" {
		out = append(out, snap.command("Convert "+visible(filepath.Base(a.Path))+" to "+visible(filepath.Base(to))+", beside it", cmdConvert, a.Path))
	}
	if t, ok := snap.srv.opts.Scanner.(Truster); ok && a.Signature != nil && len(t.Choices(a)) > 0 {
		out = append(out, snap.command("Trust this publisher ("+visible(signer(a.Signature))+") …", cmdTrustPublisher, a.Path))
	}
	return out
}

// convertsTo is the file that a model would be converted to; empty where it is not to be: there is nothing to gain,
// it is not safe, or something has that name.
func (snap *snapshot) convertsTo(a *engine.Artifact) string {
	_, can := snap.srv.opts.Scanner.(Converter)
	if !can || a.Report == nil || a.Verdict() != modelscan.Safe && a.Verdict() != modelscan.Review || !slices.Contains(a.Report.Formats, "pickle") {
		return ""
	}
	if !slices.ContainsFunc(a.Report.Facts, func(f modelscan.Fact) bool { return f.Kind == modelscan.TensorFact }) {
		return ""
	}
	return strings.TrimSuffix(a.Path, filepath.Ext(a.Path)) + ".safetensors"
}

// convert writes a model's tensors beside it.
func (snap *snapshot) convert(ctx context.Context, path string, token protocol.ProgressToken) (any, error) {
	a, target, err := snap.model(path)
	if err != nil {
		return nil, err
	}
	to := snap.convertsTo(a)
	if to == "" {
		return nil, fmt.Errorf("%w: %s is not one to convert", jsonrpc2.ErrInvalidParams, visible(path))
	}
	work, ctx := snap.srv.begin(ctx, snap.client, token, "Converting "+visible(filepath.Base(path)))
	defer work.end()
	if err := snap.srv.opts.Scanner.(Converter).Convert(ctx, target, to); err != nil {
		if ctx.Err() != nil {
			return nil, protocol.ErrRequestCancelled
		}
		return nil, fmt.Errorf("%w: %w", jsonrpc2.ErrInternal, err)
	}
	_ = snap.srv.do(func(st *state) error {
		st.tell(protocol.MessageTypeInfo, "secure-torch: wrote "+to)
		return nil
	})
	return map[string]string{"path": to}, nil
}

// model is one that has been scanned, and how it is opened.
func (snap *snapshot) model(path string) (*engine.Artifact, artifact.Target, error) {
	a := snap.artifacts[path]
	if a == nil {
		return nil, artifact.Target{}, fmt.Errorf("%w: no document loads %q, or its scan has not ended", jsonrpc2.ErrInvalidParams, path)
	}
	return a, snap.targets[path], nil
}

// trustPublisher asks the user for which models the signer of one is to be trusted, and writes his answer into his own
// trust policy. Nothing is written without one.
func (snap *snapshot) trustPublisher(ctx context.Context, raw []protocol.LSPAny) (any, error) {
	var path, match string
	for i, to := range []*string{&path, &match}[:min(2, len(raw))] {
		if err := json.Unmarshal(json.RawMessage(raw[i]), to); err != nil {
			return nil, fmt.Errorf("%w: %s: the argument is no string", jsonrpc2.ErrInvalidParams, cmdTrustPublisher)
		}
	}
	a, _, err := snap.model(path)
	if err != nil {
		return nil, err
	}
	truster, ok := snap.srv.opts.Scanner.(Truster)
	if !ok || a.Signature == nil || a.Signature.State != evidence.Valid {
		return nil, fmt.Errorf("%w: nobody signed %q whom you do not trust already", jsonrpc2.ErrInvalidParams, path)
	}
	choices := truster.Choices(a)
	if match == "" {
		if match, err = snap.choose(ctx, a, choices); err != nil || match == "" {
			return map[string]any{"trusted": nil}, err
		}
	}
	if !slices.ContainsFunc(choices, func(c TrustChoice) bool { return c.Match == match }) {
		return nil, fmt.Errorf("%w: %q is none of the choices for %q", jsonrpc2.ErrInvalidParams, match, path)
	}
	if err := truster.Trust(a, match); err != nil {
		return nil, fmt.Errorf("%w: %w", jsonrpc2.ErrInternal, err)
	}
	return map[string]any{"trusted": a.Signature.Signer, "match": match}, snap.srv.do(func(st *state) error {
		for p := range st.scans {
			st.rescan(p)
		}
		return nil
	})
}

// choose asks the user; the answer is empty when he chose nothing.
func (snap *snapshot) choose(ctx context.Context, a *engine.Artifact, choices []TrustChoice) (string, error) {
	p := &protocol.ShowMessageRequestParams{
		Type: protocol.MessageTypeWarning,
		Message: visible(fmt.Sprintf("Want models signed by %s (vouched for by %s), and by nobody else? This goes into your own trust policy.",
			a.Signature.Signer, a.Signature.Issuer)),
	}
	for _, c := range choices {
		p.Actions = append(p.Actions, protocol.MessageActionItem{Title: visible(c.Title)})
	}
	item, err := snap.srv.client.ShowMessageRequest(ctx, p)
	if err != nil || item == nil {
		return "", err
	}
	for _, c := range choices {
		if visible(c.Title) == item.Title {
			return c.Match, nil
		}
	}
	return "", nil
}
