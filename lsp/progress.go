package lsp

import (
	"context"
	"fmt"

	"go.lsp.dev/protocol"
)

// work is something long that the client can watch and cancel.
type work struct {
	srv   *Server
	token protocol.ProgressToken // nil: the client does not watch
	stop  context.CancelFunc
}

// begin starts reporting on a piece of work: with the token that the request brought, else with one of
// our own where the client knows progress, else not at all. The context ends when the user cancels.
func (s *Server) begin(ctx context.Context, c client, token protocol.ProgressToken, title string) (*work, context.Context) {
	ctx, stop := context.WithCancel(ctx)
	w := &work{srv: s, token: token, stop: stop}
	if win := c.caps.Window; token == nil && win != nil && is(win.WorkDoneProgress) {
		_ = s.do(func(st *state) error {
			st.works++
			w.token = protocol.String(fmt.Sprintf("%s/%d", name, st.works))
			return nil
		})
		if err := s.client.WorkDoneProgressCreate(ctx, &protocol.WorkDoneProgressCreateParams{Token: w.token}); err != nil {
			w.token = nil
		}
	}
	if w.token != nil {
		_ = s.do(func(st *state) error { st.working[w.token] = stop; return nil })
		w.tell(&protocol.WorkDoneProgressBegin{Kind: "begin", Title: title, Cancellable: ptr(true), Percentage: ptr(uint32(0))})
	}
	return w, ctx
}

func (w *work) tell(value any) {
	if w.token == nil {
		return
	}
	body, err := protocol.Marshal(value)
	if err == nil {
		err = w.srv.client.Progress(w.srv.ctx, &protocol.ProgressParams{Token: w.token, Value: body})
	}
	if err != nil {
		w.srv.log.Warn("progress", "err", err)
	}
}

func (w *work) report(done, of int) {
	w.tell(&protocol.WorkDoneProgressReport{
		Kind: "report", Message: ptr(fmt.Sprintf("%d of %d", done, of)), Percentage: ptr(uint32(100 * done / max(1, of))),
	})
}

func (w *work) end() {
	w.stop()
	w.tell(&protocol.WorkDoneProgressEnd{Kind: "end"})
	if w.token != nil {
		_ = w.srv.do(func(st *state) error { delete(st.working, w.token); return nil })
	}
}

// workDoneProgressCancel is sent when the user cancels something.
func workDoneProgressCancel(st *state, p *protocol.WorkDoneProgressCancelParams) error {
	if stop := st.working[p.Token]; stop != nil {
		stop()
	}
	return nil
}
