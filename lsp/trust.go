package lsp

import (
	"fmt"
	"path/filepath"
	"slices"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// confined is a source of an untrusted workspace: what it loads from outside of its folder is not opened.
// Whoever wrote the source could else have any file of this machine read, and learn what is there.
type confined struct {
	Checked
	calls   []check.Call
	outside []check.Diagnostic
}

// confine keeps a source's calls to the files in its folder. Those that only a link leads out of are
// refused when they are opened.
func confine(c Checked, dir string) Checked {
	out := &confined{Checked: c}
	for _, call := range c.Calls() {
		files := call.Files
		call.Files = slices.DeleteFunc(slices.Clone(files), func(f string) bool { return !artifact.Inside(dir, f) })
		call.Absent = slices.DeleteFunc(slices.Clone(call.Absent), func(f string) bool { return !artifact.Inside(dir, f) })
		found := slices.Clone(call.Found)
		for i := range found {
			found[i].Targets = inside(found[i].Targets, dir)
			if !artifact.Inside(dir, found[i].Root) {
				found[i].Root = ""
			}
		}
		call.Found = found
		if n := len(files) - len(call.Files); n > 0 {
			first := files[slices.IndexFunc(files, func(f string) bool { return !artifact.Inside(dir, f) })]
			message := fmt.Sprintf("not examined: %s lies outside of this workspace, which is not trusted", first)
			if n > 1 {
				message = fmt.Sprintf("not examined: %s and %s lie outside of this workspace, which is not trusted", first, count(n-1, "other file"))
			}
			out.outside = append(out.outside, check.Diagnostic{
				Rule: rule.LoadUnresolved, Severity: rule.LoadUnresolved.Severity(), Span: call.FuncSpan, Message: message,
			})
		}
		out.calls = append(out.calls, call)
	}
	return out
}

func inside(targets []artifact.Target, dir string) []artifact.Target {
	var out []artifact.Target
	for _, t := range targets {
		if abs, err := filepath.Abs(t.Path); err == nil && artifact.Inside(dir, abs) {
			if len(t.Within) == 0 {
				t.Within = []string{dir}
			}
			out = append(out, t)
		}
	}
	return out
}

func (c *confined) Calls() []check.Call { return c.calls }

func (c *confined) Split(artifacts map[string]*engine.Artifact, trusted bool, more ...check.Diagnostic) ([]check.Diagnostic, []check.Suppressed) {
	return c.Checked.Split(artifacts, trusted, slices.Concat(c.outside, more)...)
}

// untrustedNotice is what the user is told, once in a session, when something was held back.
const untrustedNotice = "secure-torch: this workspace is not trusted. Its configuration can only make checks stricter, " +
	"and models outside of it are not opened. Trust it in your editor, or list it under trusted_folders in your own secure-torch config."

// heldBack tells the user, once, that something was not done because the workspace is not trusted.
func (st *state) heldBack(result Checked) {
	if c, ok := result.(*confined); ok && len(c.outside) > 0 && !st.noticed {
		st.noticed = true
		st.tell(protocol.MessageTypeInfo, untrustedNotice)
	}
}

// trustFolder lists a folder of the workspace in the user's own config, at the user's wish.
func (s *Server) trustFolder(dir string) (any, error) {
	open := false
	if err := s.do(func(st *state) error {
		open = slices.ContainsFunc(st.roots, func(r *root) bool { return r.dir == dir }) || st.alone[dir] != nil
		return nil
	}); err != nil {
		return nil, err
	}
	if !open {
		return nil, fmt.Errorf("%w: %q is no folder of this workspace", jsonrpc2.ErrInvalidParams, dir)
	}
	if err := config.TrustFolder(dir); err != nil {
		return nil, fmt.Errorf("%w: %w", jsonrpc2.ErrInternal, err)
	}
	return map[string]string{"trusted": dir}, s.do(func(st *state) error { st.reconfigure(); return nil })
}

// trustAction offers to trust the folder of a document, where the client has no way of its own to do that.
func (snap *snapshot) trustAction(d *document) *protocol.CodeAction {
	if d.root == nil || d.trusted() || snap.client.options.WorkspaceTrust {
		return nil
	}
	return snap.command("Trust "+visible(d.root.dir)+", in your own config", cmdTrustFolder, d.root.dir)
}

// tell shows the user a message.
func (st *state) tell(kind protocol.MessageType, text string) {
	s := st.srv
	go func() {
		if err := s.client.ShowMessage(s.ctx, &protocol.ShowMessageParams{Type: kind, Message: visible(text)}); err != nil {
			s.log.Warn("show message", "err", err)
		}
	}()
}
