package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"
)

// Job is one item as a worker sees it.
type Job struct {
	Kind   string
	Params []byte // JSON, from the parent: trusted
	Files  []Input
}

// Input is one file as a worker sees it: bytes and a label.
type Input struct {
	Name string
	Size int64
	io.ReaderAt
}

// Handler does one job and writes the answer. An error travels to the parent as text; a panic kills
// the worker, which the parent never reads as an answer.
type Handler func(job Job, out io.Writer) error

// Limits of a worker's own process.
const (
	dataLimit   = 1 << 30   // RLIMIT_DATA, bytes: anonymous memory and thread stacks. AS is no use to Go
	memoryLimit = 512 << 20 // the collector works harder from here on
	stackLimit  = 64 << 20  // of one goroutine
	// collectPercent lets 16 MB of garbage lie before the first collection: most files never see one.
	collectPercent = 400
	cpuLimit       = 3600 // seconds of one worker's life; the parent's clock is the main one
	fileLimit      = 256
)

// Verb is the hidden first argument that makes an executable a worker.
const Verb = "worker"

// stageVerb after Verb makes an executable the first stage of a Program.
const stageVerb = "program"

var errNotByHand = errors.New("the worker is started by secure-torch itself, not by hand")

// Transports: descriptor 3 is a socket, or standard input and output are used.
const (
	transportDescriptor = "fd"
	transportStdio      = "stdio"
)

// WasmHost tells whether args, those after Verb, ask for a worker that runs as a WebAssembly module,
// and where the compiled module may be kept. It is asked before Serve.
func WasmHost(args []string) (cacheDir string, asked bool) {
	if len(args) != 4 || args[0] != Wasm.String() || args[1] != string(Scan) {
		return "", false
	}
	return args[3], true
}

// GuestArgs are the arguments of the module's main.
func GuestArgs() []string {
	return []string{"secure-torch", Verb, Wasm.String(), string(Scan), transportStdio}
}

// Serve confines this process and answers requests in its role until the parent hangs up. args are the process's
// arguments after Verb. It must be called early in main, before anything untrusted was read.
func Serve(args []string, roles Roles) error { return serve(args, roles, confine) }

// serve is Serve with the confinement as a parameter, for the tests that weaken it.
func serve(args []string, roles Roles, confine func(Mode) Confinement) error {
	if len(args) == 2 && args[0] == stageVerb {
		return becomeProgram(args[1])
	}
	if len(args) != 3 {
		return errNotByHand
	}
	mode, err := ParseMode(args[0])
	if err != nil {
		return err
	}
	role, handle, err := roles.pick(args[1])
	if err != nil {
		return err
	}
	c := openConn(args[2])
	prepare()
	state := confine(mode)
	state.Role = role
	ready, err := json.Marshal(state)
	if err != nil {
		return err
	}
	if err := c.send(frame{kind: frameReady, payload: ready}, nil); err != nil {
		return err
	}
	s := &server{conn: c, handle: handle}
	for {
		err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// prepare does what the runtime would want to do later and the filter forbids.
func prepare() {
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0)) // stops the runtime's own re-reading of cgroup files
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(collectPercent)
	debug.SetMaxStack(stackLimit)
	// Arms epoll; only epoll_pwait is needed from then on. A timer without a function would wait for
	// somebody to listen.
	time.AfterFunc(time.Hour, func() {}).Stop()
}

// server is the worker's loop.
type server struct {
	conn    conn
	handle  Handler
	request uint32
	item    uint32
}

// next answers one request.
func (s *server) next() error {
	var body []byte
	var fds []int
	for {
		f, got, err := s.conn.recv()
		if err != nil {
			return err
		}
		if f.kind != frameRequest {
			return fmt.Errorf("frame of kind %d where a request was due", f.kind)
		}
		body, fds, s.request = append(body, f.payload...), append(fds, got...), f.request
		if !f.more() {
			break
		}
	}
	var req wireRequest
	if err := json.Unmarshal(body, &req); err != nil {
		return err
	}
	for i, item := range req.Items {
		s.item = uint32(i)
		job := Job{Kind: req.Kind, Params: item.Params}
		if job.Params == nil {
			job.Params = req.Params
		}
		n := len(fds)
		for j, f := range item.Files {
			in := Input{Name: f.Name, Size: f.Size}
			if f.Sent {
				if len(fds) == 0 {
					return errors.New("fewer descriptors than files")
				}
				in.ReaderAt, fds = descriptor(fds[0]), fds[1:]
			} else {
				in.ReaderAt = &askingReader{s, uint32(j)}
			}
			job.Files = append(job.Files, in)
		}
		used := n - len(fds)
		if err := s.answer(job); err != nil {
			return err
		}
		closeInputs(job.Files[:used:used])
	}
	return nil
}

func closeInputs(files []Input) {
	for _, f := range files {
		if c, ok := f.ReaderAt.(io.Closer); ok {
			c.Close() // opened for reading: nothing can be lost
		}
	}
}

func (s *server) answer(job Job) error {
	out := &resultWriter{s: s}
	handle := s.handle
	if job.Kind == probeKind {
		handle = probeHere
	}
	if err := handle(job, out); err != nil {
		text := err.Error()
		return s.conn.send(frame{kind: frameFailed, request: s.request, item: s.item, payload: []byte(text[:min(len(text), 4096)])}, nil)
	}
	return out.finish()
}

// resultWriter cuts an answer into frames as it is written.
type resultWriter struct {
	s   *server
	buf []byte
}

func (w *resultWriter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if len(w.buf) == maxPayload {
			if err := w.flush(flagMore); err != nil {
				return 0, err
			}
		}
		n := min(len(p), maxPayload-len(w.buf))
		w.buf, p = append(w.buf, p[:n]...), p[n:]
	}
	return written, nil
}

func (w *resultWriter) finish() error { return w.flush(0) }

func (w *resultWriter) flush(flags uint16) error {
	f := frame{kind: frameResult, flags: flags, request: w.s.request, item: w.s.item, payload: w.buf}
	w.buf = w.buf[:0]
	return w.s.conn.send(f, nil)
}

// readChunk bounds one read asked of the parent.
const readChunk = 1 << 20

// askingReader reads by asking the parent.
type askingReader struct {
	s    *server
	file uint32
}

func (r *askingReader) ReadAt(p []byte, off int64) (int, error) {
	total := 0
	for total < len(p) {
		n, err := r.readChunk(p[total:min(len(p), total+readChunk)], off+int64(total))
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (r *askingReader) readChunk(p []byte, off int64) (int, error) {
	ask := binary.LittleEndian.AppendUint32(nil, r.file)
	ask = binary.LittleEndian.AppendUint64(ask, uint64(off))
	ask = binary.LittleEndian.AppendUint32(ask, uint32(len(p)))
	if err := r.s.conn.send(frame{kind: frameRead, request: r.s.request, item: r.s.item, payload: ask}, nil); err != nil {
		return 0, err
	}
	n := 0
	for {
		f, _, err := r.s.conn.recv()
		switch {
		case err != nil:
			return n, err
		case f.kind != frameData || len(f.payload) > len(p)-n && f.flags&flagError == 0:
			return n, errors.New("the parent answered a read with something else")
		case f.flags&flagError != 0:
			return n, errors.New(string(f.payload))
		}
		n += copy(p[n:], f.payload)
		if !f.more() {
			break
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
