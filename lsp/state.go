package lsp

import (
	"bytes"
	"context"
	"maps"
	"runtime"
	"slices"
	"sync"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/engine"
)

// Slots for background work: sources being read, models being scanned. The engine has its own pool of
// workers; this bounds only what waits for it.
var (
	parseSlots = max(1, runtime.GOMAXPROCS(0))
	scanSlots  = max(2, runtime.GOMAXPROCS(0))
	fillSlots  = max(1, runtime.GOMAXPROCS(0)/2) // for what nobody waits for
)

// phase of a session.
type phase uint8

const (
	fresh   phase = iota // before initialize
	running              // until shutdown
	stopped
)

var (
	errNotInitialized = jsonrpc2.NewError(jsonrpc2.ServerNotInitialized, "initialize comes first")
	errNotRunning     = jsonrpc2.NewError(jsonrpc2.InvalidRequest, "outside initialize and shutdown")
)

// state is everything that changes. Only the goroutine in Server.own touches it.
type state struct {
	srv       *Server
	phase     phase
	shutdown  bool
	client    client
	docs      map[uri.URI]*document
	parsers   map[uri.URI]*analyzers.Document // of the open documents
	busy      map[uri.URI]bool                // a run over some version of the document is under way
	notebooks map[uri.URI]*notebook
	spelling  map[uri.URI]uri.URI // of the open documents' URIs, where the client's is not ours
	roots     []*root
	alone     map[string]*root // of files outside of all folders, by their own
	noticed   bool             // the user was told that the workspace is not trusted
	scans     map[string]*scan
	loads     map[uri.URI][]string // the keys of scans that each document wants
	front     int                  // scans under way for open documents
	back      int                  // scans under way for nobody who waits
	models    *models              // what is known of scans, until something changes
	backlog   backlog
	hubs      map[hubKey]*hubScan   // never changed, only replaced
	unopened  map[uri.URI]*document // sources of the workspace that load models
	held      int                   // bytes of their text
	status    status                // what the client was told last
	watching  []string              // what the watcher was told last
	working   map[protocol.ProgressToken]context.CancelFunc
	works     int           // pieces of work begun with a token of our own
	queue     []publication // at most one for each document, oldest first
	shared    *snapshot     // what snapshot last returned, until something changes
}

// client is what the editor said of itself.
type client struct {
	options  initOptions
	name     string // empty when it does not say
	encoding protocol.PositionEncodingKind
	settings settings
	caps     protocol.ClientCapabilities
}

func newState(s *Server) *state {
	return &state{
		srv: s, docs: map[uri.URI]*document{}, busy: map[uri.URI]bool{}, parsers: map[uri.URI]*analyzers.Document{}, scans: map[string]*scan{}, loads: map[uri.URI][]string{},
		unopened: map[uri.URI]*document{}, backlog: backlog{queued: map[string]bool{}},
		alone: map[string]*root{}, spelling: map[uri.URI]uri.URI{}, notebooks: map[uri.URI]*notebook{}, working: map[protocol.ProgressToken]context.CancelFunc{},
		client: client{encoding: protocol.PositionEncodingKindUTF16},
	}
}

// snapshot is the state at one moment. It never changes.
type snapshot struct {
	srv      *Server
	client   client
	docs     map[uri.URI]*document
	unopened map[uri.URI]*document
	hubs     map[hubKey]*hubScan
	roots    []*root // their configs are read when first asked for
	*models
}

// models are those that have been scanned. They never change.
type models struct {
	artifacts map[string]*engine.Artifact
	targets   map[string]artifact.Target // how they are opened
}

func (st *state) snapshot() *snapshot {
	if st.shared == nil {
		st.shared = &snapshot{srv: st.srv, client: st.client, docs: maps.Clone(st.docs), unopened: maps.Clone(st.unopened), hubs: st.hubs, roots: slices.Clone(st.roots), models: st.known()}
	}
	return st.shared
}

// folderOf is the folder of the workspace that a file lies in, or nil.
func (snap *snapshot) folderOf(path string) *root { return innermost(snap.roots, path) }

// known are the models that have been scanned.
func (st *state) known() *models {
	if st.models == nil {
		st.models = &models{make(map[string]*engine.Artifact, len(st.scans)), make(map[string]artifact.Target, len(st.scans))}
		for path, sc := range st.scans {
			if sc.artifact != nil {
				st.models.artifacts[path], st.models.targets[path] = sc.artifact, sc.target
			}
		}
	}
	return st.models
}

// scanned says that what is known of scans has changed.
func (st *state) scanned() { st.models, st.shared = nil, nil }

// document is one version of an open document. It never changes, but for result, which is set once.
type document struct {
	as       uri.URI // its URI as the client writes it
	uri      uri.URI
	path     string    // empty when the document is no file
	unopened bool      // known from the backlog: it lies in the workspace, and no editor has it open
	again    bool      // read again because a file appeared; once is enough
	silent   bool      // a notebook that is not open: nothing is shown at its URI
	root     *root     // nil when the document is no file
	notebook *notebook // that it is a cell of; else nil
	version  int32
	text     []byte
	mapper   func() *mapper
	done     chan struct{} // closed when result is set or will never be
	result   Checked       // nil: superseded before it was read
	begun    bool          // the reading of it; only the owner of the state looks
	reread   bool          // the client changed nothing, something around it has
	next     *document     // what was read in its place, of the same text; nil for none. Set before done is closed
}

func (st *state) newDocument(u uri.URI, version int32, text []byte) *document {
	d := &document{uri: u, as: st.spell(u), version: version, text: text, done: make(chan struct{})}
	if u.IsFile() {
		d.path = u.FsPath()
		d.root = st.rootOf(d.path)
	}
	d.mapper = lazyMapper(text, st.client.encoding)
	return d
}

// lazyMapper makes the mapper of a text when it is first asked for.
func lazyMapper(text []byte, enc protocol.PositionEncodingKind) func() *mapper {
	return sync.OnceValue(func() *mapper { return newMapper(text, enc) })
}

// trusted reports whether the user trusts the folder that the document lies in. The result is known after
// the document was read.
func (d *document) trusted() bool { return d.root != nil && d.root.settings().Trusted }

// read reports whether the result is there.
func (d *document) read() bool {
	select {
	case <-d.done:
		return d.result != nil
	default:
		return false
	}
}

// checked waits for the document to have been read, or the same text in its place: to a client that has changed nothing
// it must not be said that something was modified. It would not ask again.
func (d *document) checked(ctx context.Context) (*document, error) {
	for {
		select {
		case <-d.done:
		case <-ctx.Done():
			return nil, protocol.ErrRequestCancelled
		}
		switch {
		case d.result != nil:
			return d, nil
		case d.next == nil:
			return nil, protocol.ErrContentModified
		}
		d = d.next
	}
}

// targets are the files that a source may load, each once.
func targets(c Checked) []artifact.Target {
	var all []artifact.Target
	seen := map[string]bool{}
	for _, call := range c.Calls() {
		for _, t := range call.Targets() {
			if !seen[t.Path] {
				seen[t.Path] = true
				all = append(all, t)
			}
		}
	}
	return all
}

// put makes d the current version of its document and has it read.
func (st *state) put(d *document) {
	st.retire(d.uri, d)
	if old := st.unopened[d.uri]; old != nil { // what it wants scanned goes over to the document
		st.held -= len(old.text)
		delete(st.unopened, d.uri)
	}
	st.docs[d.uri], st.shared = d, nil
	st.read(d)
}

// retire ends the current version of a document: nothing more will be shown of it, and who waits for it
// to be read need not, if that has not begun. next is what takes its place; nil for nothing.
func (st *state) retire(u uri.URI, next *document) {
	st.drop(u)
	d := st.docs[u]
	if d == nil {
		return
	}
	same := next != nil && d.version == next.version && bytes.Equal(d.text, next.text)
	if same {
		next.reread = true
	}
	if !d.begun {
		if same {
			d.next, next.reread = next, d.reread
		}
		close(d.done)
	}
}

// read has d read in the background. There is one run at a time for a document: versions that come and
// go while it works are never read.
func (st *state) read(d *document) {
	if st.busy[d.uri] {
		return
	}
	st.busy[d.uri], d.begun = true, true
	s := st.srv
	src := Source{Path: d.path, Text: d.text}
	from := 0
	if p := st.parsers[d.uri]; p != nil {
		src.Parser = p
	} else if d.notebook != nil {
		src.Text, from = st.cellSource(d)
	}
	go func() {
		s.parsing <- struct{}{}
		result := s.checkSource(d, src, from)
		<-s.parsing
		_ = s.do(func(st *state) error { st.wasRead(d, result); return nil })
	}()
}

// checkSource returns nil when the checker panicked, and says so in the log.
func (s *Server) checkSource(d *document, src Source, from int) (c Checked) {
	var err error
	defer recovered(s.log, "check", &err)
	if d.isConfigFile() {
		return checkConfig(d)
	}
	if d.root != nil {
		src.Root, src.Modules, src.Sinks = d.root.dir, d.root.modules(), check.Sinks(d.root.settings())
		if d.notebook == nil {
			src.Modules.Update(d.path, d.text)
		}
	}
	c = s.opts.Checker.Check(s.ctx, src)
	if d.notebook != nil {
		c = newCell(c, from)
	}
	if d.root != nil && !d.trusted() {
		c = confine(c, d.root.dir)
	}
	return c
}

// wasRead takes over the result of a run, unless the document has moved on.
func (st *state) wasRead(d *document, result Checked) {
	delete(st.busy, d.uri)
	if result == nil && st.parsers[d.uri] != nil { // it panicked: nobody knows what the parser holds
		st.parsers[d.uri] = analyzers.NewDocument()
	}
	d.result = result
	close(d.done)
	current := st.docs[d.uri]
	if d.root != nil {
		st.srv.list(d.root) // no sooner: the first document does not wait for that
	}
	switch {
	case current == nil: // closed meanwhile
		st.giveBack(d)
	case current != d:
		st.read(current)
	case result != nil && d.notebook == nil && !d.again && appeared(result):
		next := st.newDocument(d.uri, d.version, d.text)
		next.again = true
		st.put(next)
	case result != nil:
		st.want(d.uri, targets(result))
		st.watchWanted()
		st.show(d)
		if d.reread { // a client that pulls does not know that there is something else to be had
			st.outdated()
		}
		st.heldBack(result)
		st.complain(d.root)
	}
}
