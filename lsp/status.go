package lsp

import "github.com/secure-torch/secure-torch/modelscan"

// methodStatus is a notification of ours: how many models there are, scanned and unsafe. Only who asks for it in
// initializationOptions ({"status": true}) gets it.
const methodStatus = "secure-torch/status"

// status is what methodStatus says.
type status struct {
	Scanning int  `json:"scanning"` // models that are being scanned
	Models   int  `json:"models"`   // models that documents load, open or not, and others in the workspace that there is something to tell of
	Unsafe   int  `json:"unsafe"`   // of these
	Waiting  int  `json:"waiting"`  // files of the workspace that have not been looked at yet
	Paused   bool `json:"paused"`   // the user does not want them to be, for now
}

// tellStatus says how the work stands, when it has changed. Only the latest word counts.
func (st *state) tellStatus() {
	if !st.client.options.Status {
		return
	}
	now := status{Models: len(st.scans), Waiting: len(st.backlog.todo), Paused: st.backlog.paused}
	for _, sc := range st.scans {
		if sc.cancel != nil {
			now.Scanning++
		}
		if sc.artifact != nil && sc.artifact.Verdict() == modelscan.Unsafe {
			now.Unsafe++
		}
	}
	if now == st.status {
		return
	}
	st.status = now
	latest(st.srv.statuses, now)
}

// latest puts a word into a channel of one, in the place of one that nobody has heard yet. Only the owner of the state does.
func latest[T any](words chan T, now T) {
	select {
	case <-words:
	default:
	}
	words <- now
}

// tellStatuses sends what tellStatus says.
func (s *Server) tellStatuses() {
	for {
		select {
		case now := <-s.statuses:
			if err := s.conn.Notify(s.ctx, methodStatus, now); err != nil {
				s.log.Warn("status", "err", err)
			}
		case <-s.ctx.Done():
			return
		}
	}
}
