package lsp

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/config"
)

// settings are what a client sets of the server itself, as {"secure-torch": {…}} or bare. What concerns
// scanning lies in secure-torch.toml. Unknown keys are left to whoever knows them.
type settings struct{ config.Editor }

func (s settings) lenses() bool { return s.CodeLens == nil || *s.CodeLens }
func (s settings) hints() bool  { return is(s.InlayHints) }

// Values of WorkspaceScan; absent is models.
const (
	scanOff = "off"
	scanAll = "all"
)

func (s settings) scansWorkspace() bool { return s.WorkspaceScan != scanOff }

// initOptions are what a client says in initializationOptions.
type initOptions struct {
	// Trusted says that the user trusts the workspace. Absent means that he does not.
	Trusted bool `json:"trusted"`
	// WorkspaceTrust says that the client asks its user whether to trust a workspace, so that the server need not
	// offer to.
	WorkspaceTrust bool `json:"workspaceTrust"`
	// Prompts says that the client runs cmdIgnore itself first, to ask its user for a reason.
	Prompts bool `json:"prompts"`
	// Status says that the client wants methodStatus.
	Status   bool            `json:"status"`
	Settings json.RawMessage `json:"settings"`
}

// parseSettings reads settings from any of the forms in which clients send them.
func parseSettings(raw []byte) (settings, error) {
	var wrapped map[string]json.RawMessage
	if len(raw) == 0 || string(raw) == "null" || isEmptyList(raw) {
		return settings{}, nil
	}
	if err := json.Unmarshal(raw, &wrapped); err != nil {
		return settings{}, fmt.Errorf("lsp: settings: %w", err)
	}
	for _, key := range []string{"secure-torch", "secureTorch"} {
		if inner, ok := wrapped[key]; ok {
			raw = inner
		}
	}
	if isEmptyList(raw) {
		return settings{}, nil
	}
	var s settings
	if err := json.Unmarshal(raw, &s); err != nil {
		return settings{}, fmt.Errorf("lsp: settings: %w", err)
	}
	return s, nil
}

// isEmptyList recognises Lua's empty table, which it encodes as a list.
func isEmptyList(raw []byte) bool { return string(bytes.TrimSpace(raw)) == "[]" }

// didChangeConfiguration brings new settings, or says that there are some to be asked for.
func didChangeConfiguration(st *state, p *protocol.DidChangeConfigurationParams) error {
	if ws := st.client.caps.Workspace; ws != nil && is(ws.Configuration) {
		go st.srv.askSettings()
		return nil
	}
	s, err := parseSettings(p.Settings)
	if err != nil {
		return err
	}
	st.set(s)
	return nil
}

// set takes over settings and has the client ask again for what they change.
func (st *state) set(s settings) {
	before := st.client.settings.WorkspaceScan
	st.client.settings, st.shared = s, nil
	if before != s.WorkspaceScan {
		st.dropBacklog()
		st.listAll()
	}
	st.outdated()
}

// askSettings asks the client for its settings.
func (s *Server) askSettings() {
	answer, err := s.client.Configuration(s.ctx, &protocol.ConfigurationParams{
		Items: []protocol.ConfigurationItem{{Section: ptr(name)}},
	})
	if err != nil || len(answer) == 0 {
		s.log.Warn("configuration", "err", err)
		return
	}
	got, err := parseSettings(answer[0])
	if err != nil {
		s.log.Warn("configuration", "err", err)
		return
	}
	_ = s.do(func(st *state) error { st.set(got); return nil })
}
