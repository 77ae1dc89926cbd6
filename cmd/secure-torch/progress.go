package main

import (
	"fmt"
	"io"
	"time"

	"github.com/secure-torch/secure-torch/internal/report"
)

// progress shows on a terminal how far a scan has come, and nothing anywhere else.
type progress struct {
	w     io.Writer // nil where there is no terminal
	files int
	shown time.Time
}

func newProgress(w io.Writer) *progress {
	if !isTerminal(w) {
		w = nil
	}
	return &progress{w: w, shown: time.Now()}
}

// step counts one file. Redrawing more than ten times a second would cost more than it shows.
func (p *progress) step(path string) {
	p.files++
	if p.w == nil || time.Since(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = time.Now()
	name := []rune(report.Escape(path))
	fmt.Fprintf(p.w, "\r\x1b[K%s scanned  %s", report.Count(p.files, "file", "files"), string(name[max(0, len(name)-50):]))
}

// done takes the line away.
func (p *progress) done() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
