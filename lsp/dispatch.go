package lsp

import (
	"context"
	"fmt"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// method handles one method of the protocol. Exactly one field is set.
type method struct {
	notify func(*state, jsonrpc2.RawMessage) error                            // changes the state, in order of arrival
	update func(*state, jsonrpc2.RawMessage) (any, error)                     // the same, with a reply
	query  func(context.Context, *snapshot, jsonrpc2.RawMessage) (any, error) // works on a snapshot, beside others
}

// methods is the list of all that the server understands.
func methods() map[string]method {
	return map[string]method{
		protocol.MethodInitialize:                         update(initialize),
		protocol.MethodInitialized:                        notify(initialized),
		protocol.MethodShutdown:                           {update: shutdown},
		protocol.MethodTextDocumentDidOpen:                spelled(didOpen),
		protocol.MethodTextDocumentDidChange:              notify(didChange),
		protocol.MethodTextDocumentDidClose:               notify(didClose),
		protocol.MethodTextDocumentDidSave:                notify(didSave),
		protocol.MethodWorkspaceDidChangeWatchedFiles:     notify(didChangeWatchedFiles),
		protocol.MethodWorkspaceDidChangeConfiguration:    notify(didChangeConfiguration),
		protocol.MethodWorkspaceDidChangeWorkspaceFolders: notify(didChangeWorkspaceFolders),
		protocol.MethodNotebookDocumentDidOpen:            spelled(didOpenNotebook),
		protocol.MethodNotebookDocumentDidChange:          spelled(didChangeNotebook),
		protocol.MethodNotebookDocumentDidClose:           notify(didCloseNotebook),
		protocol.MethodWindowWorkDoneProgressCancel:       notify(workDoneProgressCancel),
		protocol.MethodTextDocumentDiagnostic:             query(diagnostic),
		protocol.MethodWorkspaceDiagnostic:                query(workspaceDiagnostic),
		protocol.MethodTextDocumentCodeAction:             query(codeAction),
		protocol.MethodCodeActionResolve:                  query(codeActionResolve),
		protocol.MethodTextDocumentHover:                  query(hover),
		protocol.MethodTextDocumentCodeLens:               query(codeLens),
		protocol.MethodTextDocumentInlayHint:              query(inlayHint),
		protocol.MethodTextDocumentDocumentLink:           query(documentLink),
		protocol.MethodTextDocumentCompletion:             query(completion),
		protocol.MethodWorkspaceExecuteCommand:            query(executeCommand),
		protocol.MethodWorkspaceTextDocumentContent:       query(textDocumentContent),
	}
}

func params[P any](raw jsonrpc2.RawMessage) (*P, error) {
	p := new(P)
	if err := protocol.Unmarshal(raw, p); err != nil {
		return nil, fmt.Errorf("%w: %w", jsonrpc2.ErrInvalidParams, err)
	}
	return p, nil
}

func notify[P any](f func(*state, *P) error) method {
	return method{notify: func(st *state, raw jsonrpc2.RawMessage) error {
		p, err := params[P](raw)
		if err != nil {
			return err
		}
		return f(st, p)
	}}
}

func update[P, R any](f func(*state, *P) (R, error)) method {
	return method{update: func(st *state, raw jsonrpc2.RawMessage) (any, error) {
		p, err := params[P](raw)
		if err != nil {
			return nil, err
		}
		return f(st, p)
	}}
}

func query[P, R any](f func(context.Context, *snapshot, *P) (R, error)) method {
	return method{query: func(ctx context.Context, snap *snapshot, raw jsonrpc2.RawMessage) (any, error) {
		p, err := params[P](raw)
		if err != nil {
			return nil, err
		}
		return f(ctx, snap, p)
	}}
}

// dispatch runs on the connection's reader, one message after the other. A notification is finished when
// it returns. A request takes what it needs of the state and only then lets the reader go on: it must
// neither see a later change nor hold one up. The order of the two is what the wire tests are about.
func (s *Server) dispatch(ctx context.Context, req *jsonrpc2.Request) (any, error) {
	m, known := s.methods[req.Method()]
	if !req.IsCall() {
		if m.notify == nil {
			if !known && !strings.HasPrefix(req.Method(), "$/") {
				s.log.Info("unknown notification", "method", strings.Clone(req.Method()))
			}
			return nil, nil
		}
		return nil, s.do(func(st *state) error {
			if st.phase != running {
				return errNotRunning
			}
			return m.notify(st, req.Params())
		})
	}
	var snap *snapshot
	var reply any
	err := s.do(func(st *state) (err error) {
		switch {
		case req.Method() == protocol.MethodInitialize && st.phase != fresh:
			return fmt.Errorf("%w: initialized before", jsonrpc2.ErrInvalidRequest)
		case req.Method() == protocol.MethodInitialize:
		case st.phase == fresh:
			return errNotInitialized
		case st.phase == stopped:
			return fmt.Errorf("%w: after shutdown", jsonrpc2.ErrInvalidRequest)
		}
		if m.update != nil {
			reply, err = m.update(st, req.Params())
			return err
		}
		snap = st.snapshot()
		return nil
	})
	jsonrpc2.Async(ctx) // always: a call answered on the reader behind CancelHandler can end the process
	switch {
	case err != nil || m.update != nil:
		return reply, err
	case m.query == nil:
		return nil, fmt.Errorf("%w: %s", jsonrpc2.ErrMethodNotFound, req.Method())
	}
	return m.query(ctx, snap, req.Params())
}
