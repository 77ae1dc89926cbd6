package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"github.com/secure-torch/secure-torch/sandbox/twin"
)

// Spec says how to start a worker.
type Spec struct {
	Mode Mode
	// Role of the worker; empty stands for Scan.
	Role Role
	// Exe is the executable; empty stands for this one, or for its twin where this build holds one and the
	// role is Scan.
	Exe string
	// Procs bounds the threads that compute at the same time; 0 stands for 2.
	Procs int
	// CacheDir keeps the compiled module of Wasm; empty to compile it for every worker.
	CacheDir string
	// Stream asks for the transport without descriptors even where they could travel.
	Stream bool
}

func (s Spec) role() Role { return cmp.Or(s.Role, Scan) }

// readyTimeout bounds the time from start to the ready frame. It is generous: a machine under load
// is slow to start programs, and a worker that is late is no threat.
const (
	readyTimeout   = 20 * time.Second
	compileTimeout = 10 * time.Minute // a module that is in no cache yet
)

// Worker is one confined process. It does one Request at a time.
type Worker struct {
	cmd         *exec.Cmd
	conn        conn
	stderr      *tail
	exited      chan struct{}
	mode        Mode
	twin        bool // what runs is the twin, not this executable
	confinement Confinement
	requests    uint32
	done        int    // items answered
	owner       string // whose bytes it has seen, if any: Pool.Get

	mu    sync.Mutex
	cause *Failure // why the parent killed it
}

// Start starts a worker and waits until it is confined. It returns an *UnavailableError when the
// confinement that spec.Mode asks for was not reached.
func Start(ctx context.Context, spec Spec) (*Worker, error) {
	if spec.Mode == Wasm && spec.role() != Scan {
		spec.Mode = Process // the module holds the scan role alone; the grade says what is in force
	}
	w, err := startConfined(ctx, spec)
	killed, ok := errors.AsType[*UnavailableError](err)
	if !ok || spec.Mode != Auto {
		return w, err
	}
	// Auto needs no layer, so that this one was killed on its way to them. What is left is to do without a filter.
	spec.Mode = Process
	if w, err = startConfined(ctx, spec); err == nil {
		w.confinement.Missing = lacking(w.confinement, LayerNoNewPrivs, LayerLandlock, LayerSeccomp)
		for layer := range w.confinement.Missing {
			w.confinement.Missing[layer] = killed.Missing[LayerSeccomp]
		}
	}
	return w, err
}

// killedEarly is the reason where a worker was killed for a system call before it had confined itself.
const killedEarly = "a worker was killed for a system call before it was confined: what runs secure-torch puts a filter around it that forbids seccomp(2), or another call that the sandbox needs"

func startConfined(ctx context.Context, spec Spec) (*Worker, error) {
	w, err := launch(spec)
	if err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { w.kill(&Failure{Kind: Cancelled}) })
	defer stop()
	patience := readyTimeout
	if spec.Mode == Wasm {
		patience = compileTimeout
	}
	timer := time.AfterFunc(patience, func() { w.kill(timedOut(patience)) })
	defer timer.Stop()
	if err := w.awaitReady(); err != nil {
		w.Close()
		if f, ok := errors.AsType[*Failure](err); ok && f.Kind == Forbidden { // by a filter that is not ours
			return nil, &UnavailableError{Mode: spec.Mode, Missing: map[string]string{LayerSeccomp: killedEarly}}
		}
		return nil, fmt.Errorf("start a worker: it was not confined: %w", err)
	}
	if w.confinement.Role != spec.role() {
		w.Close()
		return nil, fmt.Errorf("start a worker: %w", garbled("its role is %q, not %q", w.confinement.Role, spec.role()))
	}
	if missing := lacking(w.confinement, requires[w.mode]...); missing != nil {
		w.Close()
		return nil, &UnavailableError{Mode: spec.Mode, Missing: missing, Reached: w.confinement}
	}
	return w, nil
}

func (w *Worker) awaitReady() error {
	f, _, err := w.conn.recv()
	if err != nil {
		return w.autopsy(err)
	}
	if f.kind != frameReady || f.more() {
		return garbled("frame of kind %d where ready was due", f.kind)
	}
	if err := json.Unmarshal(f.payload, &w.confinement); err != nil {
		return garbled("ready frame: %v", err)
	}
	return nil
}

// requires lists the layers that a mode cannot do without.
var requires = map[Mode][]string{
	Strict: {LayerDumpable, LayerRlimits, LayerNoNewPrivs, LayerSeccomp},
	Wasm:   {LayerWasm},
}

// Confinement that the worker reached.
func (w *Worker) Confinement() Confinement { return w.confinement }

// Done is the number of items the worker has answered in its life.
func (w *Worker) Done() int { return w.done }

// Run sends a request and calls visit with the answer to each item, in order, or with the error
// that the worker's handler returned for it. visit returns false to end the request: the worker is
// then dead, for it may be in the middle of another item. Run returns nil when every item was
// visited, and a *Failure when the worker gave no answer to the next one; it is then dead too.
func (w *Worker) Run(ctx context.Context, req Request, visit func(item int, answer []byte, handler error) bool) error {
	body, descriptors, err := req.encode(w.conn.passes())
	if err != nil {
		return err
	}
	w.requests++
	stop := context.AfterFunc(ctx, func() { w.kill(&Failure{Kind: Cancelled, Detail: context.Cause(ctx).Error()}) })
	defer stop()
	r := &running{w: w, req: &req, visit: visit, id: w.requests, budget: req.ReadBudget}
	if err := r.send(body, descriptors); err != nil {
		return w.autopsy(err)
	}
	for r.item < len(req.Items) {
		if err := r.one(); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the worker and frees its process and descriptors.
func (w *Worker) Close() {
	w.kill(&Failure{Kind: Cancelled})
	<-w.exited
	w.conn.Close() // nothing was left to write
}

// kill ends the process. The first cause stays.
func (w *Worker) kill(cause *Failure) {
	w.mu.Lock()
	if w.cause == nil {
		w.cause = cause
	}
	w.mu.Unlock()
	_ = w.cmd.Process.Kill() // an error says that it has ended already
}

// hangUpGrace is how long a worker that closed its end may take to end by itself, so that the
// kernel's verdict on it is seen and not ours.
const hangUpGrace = time.Second

// pipeGrace is how long the end of a process's output is waited for when it has ended itself: the output's other end may
// still exist, in a message with descriptors that nobody has read.
const pipeGrace = time.Second

// autopsy explains an error on the conn, and leaves the worker dead.
func (w *Worker) autopsy(err error) error {
	var broken *Failure
	if errors.As(err, &broken) {
		w.kill(broken)
	}
	select {
	case <-w.exited:
	case <-time.After(hangUpGrace):
		w.kill(garbled("%v", err))
		<-w.exited
	}
	w.mu.Lock()
	cause := w.cause
	w.mu.Unlock()
	if _, forbidden := killedBy(w.cmd.ProcessState); cause != nil && !forbidden {
		return cause
	}
	return causeOfDeath(w.cmd.ProcessState, w.stderr.String())
}

// launch starts the process: the twin where there is one, else this executable.
func launch(spec Spec) (*Worker, error) {
	if path, ok := spec.twin(); ok {
		return launchTwin(spec, path)
	}
	return launchExe(spec)
}

// twin names the smaller executable, where it can play the part.
func (s Spec) twin() (string, bool) {
	if s.Exe != "" || s.role() != Scan || s.Mode == Wasm {
		return "", false
	}
	return twin.Path()
}

// launchTwin starts the executable at path, or this one where the system forbids to execute what is in no file.
func launchTwin(spec Spec, path string) (*Worker, error) {
	small := spec
	small.Exe = path
	w, err := launchExe(small)
	if err != nil {
		return launchExe(spec)
	}
	w.twin = true
	return w, nil
}

// launchExe starts the process and waits for its end on one thread of their own: the kernel kills the
// worker when the thread that started it ends (Pdeathsig), so that one has to outlive it.
func launchExe(spec Spec) (*Worker, error) {
	cmd, stderr, err := command(spec)
	if err != nil {
		return nil, err
	}
	w := &Worker{cmd: cmd, stderr: stderr, exited: make(chan struct{}), mode: spec.Mode}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var err error
		w.conn, err = connect(cmd, spec)
		started <- err
		if err == nil {
			_ = w.cmd.Wait() // the state is in cmd.ProcessState
			close(w.exited)
		}
	}()
	return w, <-started
}

// tail keeps the first bytes of what a worker writes on standard error and drops the rest.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const stderrKept = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p[:min(len(p), stderrKept-len(t.buf))]...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}

// launchStream starts a worker whose standard input and output are the transport.
func launchStream(cmd *exec.Cmd, spec Spec) (conn, error) {
	cmd.Args = append(cmd.Args, transportStdio)
	if spec.Mode == Wasm {
		cmd.Args = append(cmd.Args, spec.CacheDir)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = outW
	err = cmd.Start()
	outW.Close() // the child has its own
	if err != nil {
		outR.Close()
		return nil, err
	}
	return &streamConn{in: outR, out: in}, nil
}

// command is the worker's command line, with nothing of this process's environment.
func command(spec Spec) (*exec.Cmd, *tail, error) {
	exe := spec.Exe
	if exe == "" {
		own, err := ownExecutable()
		if err != nil {
			return nil, nil, err
		}
		exe = own
	}
	stderr := &tail{}
	cmd := exec.Command(exe, Verb, spec.Mode.String(), string(spec.role()))
	cmd.Env = workerEnv(cmp.Or(spec.Procs, 2))
	cmd.Stderr = stderr
	cmd.SysProcAttr = processAttributes()
	cmd.Dir = rootDir()
	cmd.WaitDelay = pipeGrace
	return cmd, stderr, nil
}
