// Package analyzers reads Python source: bytes in, load calls and diagnostics out. It does no IO and
// never fails: what could not be understood is absent from the result, with a reason where there is one.
//
// Summarise looks at one file alone and is cached by content; Link joins a summary to the workspace
// around it. Which functions load models is data: one file per library.
package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// Span is a half-open range of byte offsets in one source.
type Span struct{ Start, End int }

// Tri is a three-valued answer; the zero value is Unsure.
type Tri uint8

// Answers of a Tri.
const (
	Unsure Tri = iota
	No
	Yes
)

// Edit replaces Span by New.
type Edit struct {
	Span Span
	New  string
}

// Fix is a change that keeps the file valid. Safe fixes keep its meaning.
type Fix struct {
	Title string
	Safe  bool
	Edits []Edit // in source order, not overlapping
}

// LoadCall is one call that loads a model.
type LoadCall struct {
	Loader   string    // the function's qualified name, "torch.load"
	Span     Span      // the whole call expression
	FuncSpan Span      // the callee alone: where the squiggle goes
	Rule     rule.ID   // what is reported of the call itself when it is not guarded
	Refs     []ref.Ref // what it may load
	Why      string    // why Refs is empty or unsure, for people
	Guarded  Tri       // Yes: the loader itself will not run code from the file
	Refuses  bool      // the loader itself refuses what a scan finds: st.load
	Message  string    // what is reported of the call itself
	Fixes    []Fix
	Code     []ref.Ref // files of Python that an argument has it import
	Pin      *Fix      // pins the hub's revision; CommitMark stands for the commit
	// Options say which of the files in a folder or repository the call reads.
	Options ref.Options
}

// CommitMark stands, in LoadCall.Pin, for a commit that the linker does not know.
const CommitMark = "\x00commit\x00"

// PinTo is the fix that pins the call to a commit, where there is one.
func (c *LoadCall) PinTo(commit string) (Fix, bool) {
	if c.Pin == nil {
		return Fix{}, false
	}
	fix := Fix{Title: strings.ReplaceAll(c.Pin.Title, CommitMark, commit), Safe: c.Pin.Safe}
	for _, e := range c.Pin.Edits {
		fix.Edits = append(fix.Edits, Edit{e.Span, strings.ReplaceAll(e.New, CommitMark, commit)})
	}
	return fix, true
}

// Diagnostic is something wrong with the source that is not a load call.
type Diagnostic struct {
	Rule    rule.ID
	Span    Span
	Message string
	Fixes   []Fix
}

// Linked is what is known of one file in its workspace.
type Linked struct {
	Calls       []LoadCall
	Diagnostics []Diagnostic
}
