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

// progress is how far the backlog is.
type progress struct {
	done, of int
	paused   bool
}

// manyToDo is from how many files on the user is told how far the backlog is.
const manyToDo = 16

// tellProgress says how far the backlog is, when that has changed. Only the latest word counts.
func (st *state) tellProgress() {
	b := &st.backlog
	now := progress{b.done, b.total, b.paused}
	if len(b.todo) == 0 && !b.busy && st.back == 0 {
		now = progress{}
	}
	if now == b.told || now.of < manyToDo && b.told.of < manyToDo {
		return
	}
	b.told = now
	latest(st.srv.progress, now)
}

// tellProgresses shows what tellProgress says. Cancelling it pauses the backlog.
func (s *Server) tellProgresses() {
	for {
		select {
		case now := <-s.progress:
			if now.of > 0 && !now.paused {
				s.showProgress(now)
			}
		case <-s.ctx.Done():
			return
		}
	}
}

// showProgress shows one round of the backlog, to its end or until it is paused.
func (s *Server) showProgress(now progress) {
	var c client
	if s.do(func(st *state) error { c = st.client; return nil }) != nil {
		return
	}
	work, ctx := s.begin(s.ctx, c, nil, "Scanning the workspace")
	defer work.end()
	percent := -1
	for {
		if p := 100 * now.done / now.of; p != percent {
			percent = p
			work.report(now.done, now.of)
		}
		select {
		case now = <-s.progress:
			if now.of == 0 || now.paused {
				return
			}
		case <-ctx.Done():
			if _, err := s.pause(true); err == nil {
				_ = s.do(func(st *state) error {
					st.tell(protocol.MessageTypeInfo, "secure-torch: the workspace scan is paused; the command "+cmdResumeScan+" goes on with it")
					return nil
				})
			}
			return
		}
	}
}
