package lsp

import (
	"encoding/json"
	"strings"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// name of the server, and the source of its diagnostics: unique beside other servers in the same buffer.
const name = "secure-torch"

func initialize(st *state, p *protocol.InitializeParams) (*protocol.InitializeResult, error) {
	st.client.caps, st.client.name = p.Capabilities, strings.Clone(p.ClientInfo.Name)
	if g := p.Capabilities.General; g != nil {
		st.client.encoding = negotiate(g.PositionEncodings)
	}
	var opts initOptions
	if len(p.InitializationOptions) > 0 {
		if err := json.Unmarshal(p.InitializationOptions, &opts); err != nil {
			st.srv.log.Warn("initializationOptions", "err", err) // and nothing is trusted
			opts = initOptions{}
		}
	}
	st.client.options = opts
	given, err := parseSettings(opts.Settings)
	if err != nil {
		st.srv.log.Warn("initializationOptions", "err", err)
	}
	st.client.settings = given
	st.roots = rootsOf(p, opts.Trusted)
	st.phase, st.shared = running, nil
	if pid := p.ProcessID; pid != nil && *pid > 0 {
		go st.srv.endWith(int(*pid))
	}
	return &protocol.InitializeResult{
		ServerInfo:   protocol.ServerInfo{Name: name, Version: protocol.NewOptional(st.srv.opts.Version)},
		Capabilities: capabilities(st.client),
	}, nil
}

func capabilities(c client) protocol.ServerCapabilities {
	out := protocol.ServerCapabilities{
		PositionEncoding: c.encoding,
		TextDocumentSync: &protocol.TextDocumentSyncOptions{
			OpenClose: ptr(true),
			Change:    ptr(protocol.TextDocumentSyncKindIncremental),
			Save:      &protocol.SaveOptions{},
		},
		CodeActionProvider: &protocol.CodeActionOptions{
			CodeActionKinds: []protocol.CodeActionKind{protocol.CodeActionKindQuickFix, kindFixAll},
			ResolveProvider: ptr(c.resolvesEdits()),
		},
		HoverProvider:          protocol.Boolean(true),
		CodeLensProvider:       &protocol.CodeLensOptions{},
		InlayHintProvider:      protocol.Boolean(true),
		DocumentLinkProvider:   &protocol.DocumentLinkOptions{},
		CompletionProvider:     &protocol.CompletionOptions{TriggerCharacters: []string{"[", ",", "="}},
		ExecuteCommandProvider: protocol.ExecuteCommandOptions{Commands: []string{cmdScanAgain, cmdShowReport, cmdIgnore, cmdTrustFolder, cmdPauseScan, cmdResumeScan, cmdConvert, cmdTrustPublisher, cmdScanHub}},
		Workspace: &protocol.WorkspaceOptions{
			WorkspaceFolders: &protocol.WorkspaceFoldersServerCapabilities{
				Supported: ptr(true), ChangeNotifications: protocol.Boolean(true),
			},
			TextDocumentContent: &protocol.TextDocumentContentOptions{Schemes: []string{reportScheme}},
		},
	}
	if c.caps.NotebookDocument != nil {
		out.NotebookDocumentSync = &protocol.NotebookDocumentSyncOptions{NotebookSelector: []protocol.NotebookSelector{
			&protocol.NotebookDocumentFilterWithCells{Cells: []protocol.NotebookCellLanguage{{Language: "python"}}},
		}}
	}
	if c.pulls() {
		out.DiagnosticProvider = &protocol.DiagnosticOptions{
			Identifier: ptr(name), InterFileDependencies: true, WorkspaceDiagnostics: true,
		}
	}
	return out
}

// initialized is the client's word that it can be talked to.
func initialized(st *state, _ *protocol.InitializedParams) error {
	if ws := st.client.caps.Workspace; ws != nil && is(ws.Configuration) {
		go st.srv.askSettings()
	}
	if wanted := registrations(st.client.caps.Workspace); len(wanted) > 0 {
		go st.srv.register(wanted)
	}
	go st.srv.passNotices()
	time.AfterFunc(listWait, func() {
		_ = st.srv.do(func(st *state) error {
			for _, r := range st.roots {
				if st.client.settings.scansWorkspace() {
					st.srv.list(r) // unless that was done for a document
				}
			}
			return nil
		})
	})
	return nil
}

// listWait is how long the folders are left alone for the first document to be read before them.
const listWait = 300 * time.Millisecond

// passNotices shows the user what the program that runs the server has to say.
func (s *Server) passNotices() {
	for {
		select {
		case text, more := <-s.opts.Notices:
			if !more {
				return
			}
			_ = s.do(func(st *state) error { st.tell(protocol.MessageTypeWarning, "secure-torch: "+text); return nil })
		case <-s.ctx.Done():
			return
		}
	}
}

func shutdown(st *state, _ jsonrpc2.RawMessage) (any, error) {
	st.phase, st.shutdown = stopped, true
	return nil, nil
}

func ptr[T any](v T) *T { return &v }

func is(b *bool) bool { return b != nil && *b }

// versions reports whether the client wants the version with published diagnostics.
func (c client) versions() bool {
	td := c.caps.TextDocument
	return td != nil && td.PublishDiagnostics != nil && is(td.PublishDiagnostics.VersionSupport)
}

// diagnosticCaps are the client's abilities with diagnostics, whichever way they travel.
func (c client) diagnosticCaps() protocol.DiagnosticsCapabilities {
	td := c.caps.TextDocument
	if td == nil || td.PublishDiagnostics == nil {
		return protocol.DiagnosticsCapabilities{}
	}
	return td.PublishDiagnostics.DiagnosticsCapabilities
}
