// Package lsp is the language server. It is the only package that knows the protocol.
//
// One goroutine owns everything that changes (state.go). Notifications change it in the order they
// arrive; each request works on an immutable snapshot taken when it arrived, and gets exactly one reply.
// Diagnostics come in two phases: what the source alone says at once, what the model files would do when
// their scans end. A scan belongs to its file and is shared by the documents that load it.
package lsp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/workspace"
)

// Source is one version of one Python source.
type Source struct {
	Path string // where it lies, or would lie; empty when it is no file
	Root string // the folder of the workspace that it belongs to, which the program is assumed to run in
	Text []byte
	// Parser, when it is not nil, may have seen an earlier version.
	Parser *analyzers.Document
	Sinks  []*analyzers.Loader // loading functions that the config names
	// Modules is what is known of the sources around it; nil for nothing.
	Modules *workspace.Workspace
}

// Checker understands Python sources.
type Checker interface {
	// Check reads one source. It never fails; what could not be understood is absent.
	Check(ctx context.Context, src Source) Checked
}

// Checked is what is known of one version of one source. It is immutable; *check.Checked is one.
type Checked interface {
	// Calls are the source's load calls, in source order.
	Calls() []check.Call
	// Split says what is wrong, given the artifacts known so far by absolute path and what is wrong besides,
	// and takes apart what comments suppress.
	Split(artifacts map[string]*engine.Artifact, trusted bool, more ...check.Diagnostic) (shown []check.Diagnostic, suppressed []check.Suppressed)
}

// Scanner scans model files; *engine.Engine is one.
type Scanner interface {
	// ScanTarget never fails: what went wrong stands in the artifact's report.
	ScanTarget(ctx context.Context, target artifact.Target) *engine.Artifact
}

// Options of a server. Checker and Scanner are needed.
type Options struct {
	Checker Checker
	Scanner Scanner
	// Notices, when it is not nil, gives what the user is to be shown, each once.
	Notices <-chan string
	Log     *slog.Logger // never to stdout: that belongs to the protocol
	Version string
}

// Server serves one client.
type Server struct {
	opts     Options
	log      *slog.Logger
	conn     jsonrpc2.Conn
	client   protocol.Client
	methods  map[string]method
	events   chan event
	publish  chan publication
	ctx      context.Context // of the session; work that outlives a request hangs on it
	end      func()          // ends the session; nil before it has begun
	parsing  chan struct{}   // a slot per source being read
	reading  chan struct{}   // a slot per model being scanned
	watched  chan []string   // what to watch; of size 1, only the latest counts, sent by the owner alone
	statuses chan status     // how the work stands; of size 1, sent by the owner alone
	stale    chan struct{}   // what the client has pulled is out of date; of size 1, so that bursts coalesce
	filling  chan struct{}   // a slot per model being scanned that nobody waits for
	stirred  chan struct{}   // there is something to do in the backlog; of size 1
	progress chan progress   // how far the backlog is; of size 1, sent by the owner alone
}

// Exit codes of a session.
const (
	exitClean = 0 // shutdown came before exit
	exitRude  = 1 // anything else
)

// heapSlack is memory that is never touched, and so takes none of the system's: it only counts when the collector decides
// how much garbage there may be. What is needed besides is some 4 MB, of which each key makes a fourth anew: the
// collector would run at every third key, and the slowest keys would be those.
const heapSlack = 16 << 20

// Serve speaks the protocol on in and out until the client says exit or in ends, and returns the
// process's exit code: 1 when no shutdown came before. Nothing else may write to out.
func Serve(ctx context.Context, in io.Reader, out io.Writer, opts Options) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slack := make([]byte, heapSlack)
	defer runtime.KeepAlive(slack)
	return newServer(ctx, opts).serve(cancel, in, out)
}

func newServer(ctx context.Context, opts Options) *Server {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{
		opts: opts, log: opts.Log, ctx: ctx, methods: methods(),
		events: make(chan event), publish: make(chan publication),
		parsing: make(chan struct{}, parseSlots), reading: make(chan struct{}, scanSlots),
		watched: make(chan []string, 1), stale: make(chan struct{}, 1), statuses: make(chan status, 1),
		filling: make(chan struct{}, fillSlots), stirred: make(chan struct{}, 1), progress: make(chan progress, 1),
	}
}

func (s *Server) serve(cancel context.CancelFunc, in io.Reader, out io.Writer) int {
	ctx := s.ctx
	wire := newStream(in, out)
	s.end = wire.end
	s.conn = jsonrpc2.NewConn(wire, jsonrpc2.WithCodec(codec{}))
	s.client = protocol.ClientDispatcher(s.conn)
	st := newState(s)
	ended := make(chan struct{})
	go func() { defer close(ended); s.own(st) }()
	go s.publishAll()
	go s.refreshAll()
	go s.tellStatuses()
	go s.watchModels()
	go s.workThrough()
	go s.tellProgresses()
	s.conn.Go(ctx, guard(s.log, protocol.CancelHandler(s.dispatch)))

	select {
	case <-ctx.Done():
	case <-wire.ended:
	}
	cancel()
	<-ended // from here on nobody else touches the state
	if err := s.conn.Err(); err != nil {
		s.log.Error("session ended", "err", err)
		return exitRude
	}
	if !st.shutdown {
		return exitRude
	}
	return exitClean
}

// own runs the events one after the other. A panic in one is logged and answered; it ends nothing else.
func (s *Server) own(st *state) {
	for {
		var out chan<- publication
		var next publication
		if len(st.queue) > 0 {
			out, next = s.publish, st.queue[0]
		}
		select {
		case ev := <-s.events:
			err := ev.run(s.log, st)
			st.tellStatus()
			st.stir()
			ev.done <- err
		case out <- next:
			st.queue = st.queue[1:]
		case <-s.ctx.Done():
			return
		}
	}
}

// event is something done by the goroutine that owns the state.
type event struct {
	do   func(*state) error
	done chan<- error
}

func (e event) run(log *slog.Logger, st *state) (err error) {
	defer recovered(log, "event", &err)
	return e.do(st)
}

// do has f run by the owner of the state and waits for it.
func (s *Server) do(f func(*state) error) error {
	done := make(chan error, 1)
	select {
	case s.events <- event{f, done}:
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// recovered turns a panic into a logged error.
func recovered(log *slog.Logger, what string, err *error) {
	if r := recover(); r != nil {
		log.Error("panic", "in", what, "value", r, "stack", string(debug.Stack()))
		*err = fmt.Errorf("%w: a defect in secure-torch: %v", jsonrpc2.ErrInternal, r)
	}
}

// guard keeps the session alive: jsonrpc2 closes the connection when a notification's handler returns an
// error and when any handler panics.
func guard(log *slog.Logger, next jsonrpc2.Handler) jsonrpc2.Handler {
	return func(ctx context.Context, req *jsonrpc2.Request) (res any, err error) {
		method, call, begun := string([]byte(req.Method())), req.IsCall(), time.Now()
		defer func() {
			log.Debug("handled", "method", method, "call", call, "took", time.Since(begun), "err", err)
			if !call && err != nil {
				log.Warn("notification dropped", "method", method, "err", err)
				err = nil
			}
		}()
		defer recovered(log, method, &err)
		return next(ctx, req)
	}
}

// codec encodes payloads with the protocol's unions.
type codec struct{}

func (codec) Marshal(v any) ([]byte, error) {
	if raw, ok := v.(jsonrpc2.RawMessage); ok {
		return raw, nil
	}
	return protocol.Marshal(v)
}

func (codec) Unmarshal(data []byte, v any) error {
	if raw, ok := v.(*jsonrpc2.RawMessage); ok {
		*raw = append(jsonrpc2.RawMessage(nil), data...)
		return nil
	}
	return protocol.Unmarshal(data, v)
}

var errNotOpen = errors.New("lsp: the document is not open")
