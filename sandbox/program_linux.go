package sandbox

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/sandbox/profile"
)

// boot puts on the tight filter and runs the program, inside of the interpreter.
//
//go:embed python/boot.py
var boot string

// DefaultProfile is the filter of a Program in the OCI shape.
func DefaultProfile() []byte { return profile.Text() }

// Defaults of ProgramLimits, and bounds.
const (
	programTime   = 2 * time.Minute
	programMemory = 8 << 30
	programOutput = 8 << 30
	maxSpoken     = 1 << 20 // bytes of standard output, and of standard error

	longestArgument = 128 << 10 // MAX_ARG_STRLEN of Linux
)

// RunProgram runs a program in two stages. Before the interpreter starts, Landlock leaves it what its
// installation lies in, to read, and a coarse filter takes away the network, new processes and other
// processes. It imports the modules. Then it puts on the tight filter, under which nothing can be
// opened; the kernel confirms that to this process; and only then the input is sent.
//
// The error says why the program was not run, an *UnavailableError where this system cannot confine it.
// What a program that ran did is in the report.
func RunProgram(ctx context.Context, p Program) (ProgramReport, error) {
	began := time.Now()
	r := &programRun{program: p, report: ProgramReport{Version: 1, Grade: GradeOff.String(), Layers: []string{}}}
	err := r.run(ctx)
	r.report.Duration = time.Since(began)
	if err != nil {
		r.report.Outcome, r.report.Detail = ProgramRefused, err.Error()
	}
	return r.report, err
}

type programRun struct {
	program Program
	profile profile.Profile
	report  ProgramReport
	cmd     *exec.Cmd
	control *packetConn
	said    ending        // what the interpreter wrote on standard error
	exited  chan struct{} // closed when it has ended
}

func (r *programRun) run(ctx context.Context) error {
	if err := r.program.check(); err != nil {
		return err
	}
	if err := r.readProfile(); err != nil {
		return err
	}
	spec, err := r.spec(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.program.Limits.Time, programTime))
	defer cancel()
	if err := r.start(spec); err != nil {
		return err
	}
	defer r.control.Close()
	stop := context.AfterFunc(ctx, func() { _ = r.cmd.Process.Kill() }) // an error: it has ended
	defer stop()
	err = r.converse()
	if err != nil {
		_ = r.cmd.Process.Kill()
	}
	<-r.exited
	if err != nil && ctx.Err() == nil {
		return err
	}
	r.conclude(ctx)
	if err != nil { // it is too late for the program, whatever else has failed
		r.report.Detail += ", before the program began"
		return nil
	}
	return r.seal()
}

// check refuses what would be found out when the program has run, or never.
func (p Program) check() error {
	if p.Limits.Time < 0 || p.Limits.Memory < 0 || p.Limits.Output < 0 { // as an unsigned number no limit at all
		return refused("a limit is below zero: %s, %d and %d bytes", p.Limits.Time, p.Limits.Memory, p.Limits.Output)
	}
	if p.Input != nil {
		flags, err := unix.FcntlInt(p.Input.Fd(), unix.F_GETFL, 0)
		if err != nil || flags&unix.O_ACCMODE != unix.O_RDONLY {
			return refused("the input is not open for reading only: the program could write to it")
		}
	}
	if p.Output == nil {
		return nil
	}
	const closed = unix.F_SEAL_SEAL | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if seals, err := unix.FcntlInt(p.Output.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&closed != 0 {
		return refused("the output is no memfd that can be written and sealed")
	}
	return nil
}

func (r *programRun) readProfile() error {
	r.profile = profile.Default()
	if r.program.Profile != nil {
		var err error
		if r.profile, err = profile.Read(r.program.Profile); err != nil {
			return errRefused{err}
		}
	}
	r.report.Profile = ProfileState{r.profile.Name, r.profile.SHA256, r.profile.Added}
	return nil
}

// start starts the first stage and waits for its end on one thread, as launch does for workers.
func (r *programRun) start(spec stage) error {
	exe, err := ownExecutable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	if len(text) >= longestArgument {
		return refused("the program and what it is told come to %d bytes, and %d can be handed on: put the program into a script", len(text), longestArgument)
	}
	filter, err := filterFile(r.profile.Entries)
	if err != nil {
		return err
	}
	defer filter.Close()
	output := r.program.Output
	if output == nil {
		if output, err = NewOutput(); err != nil {
			return err
		}
		defer output.Close()
	}
	shieldDescriptors()
	parent, child, err := packetPair()
	if err != nil {
		return err
	}
	defer child.Close()
	r.control = parent
	r.cmd = exec.Command(exe, Verb, stageVerb, string(text))
	r.cmd.Env, r.cmd.Dir, r.cmd.SysProcAttr = workerEnv(1), rootDir(), processAttributes()
	r.cmd.WaitDelay = pipeGrace
	r.cmd.ExtraFiles = []*os.File{child, filter, output}
	r.cmd.Stdout = &spoken{to: r.program.Stdout}
	r.cmd.Stderr = io.MultiWriter(&r.said, &spoken{to: r.program.Stderr})
	r.exited = make(chan struct{})
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := r.cmd.Start()
		started <- err
		if err == nil {
			_ = r.cmd.Wait() // the state is in cmd.ProcessState
			close(r.exited)
		}
	}()
	if err := <-started; err != nil {
		parent.Close()
		return err
	}
	return nil
}

// converse follows the program through its two stages and sends the input.
func (r *programRun) converse() error {
	var first Confinement
	if err := r.hear(&first); err != nil {
		return err
	}
	if missing := lacking(first, LayerRlimits, LayerNoNewPrivs, LayerSeccomp); missing != nil {
		return &UnavailableError{Mode: Strict, Missing: missing, Reached: first}
	}
	var second struct {
		Ready   bool   `json:"ready"`
		Problem string `json:"problem"`
	}
	if err := r.hear(&second); err != nil {
		return err
	}
	if !second.Ready {
		return refused("%s", second.Problem)
	}
	// The interpreter took away its dumpable flag before the filter; what counts is what the kernel says.
	first.Layers = append(first.Layers, LayerDumpable)
	r.report.Layers, r.report.Missing, r.report.Grade = first.Layers, first.Missing, first.Grade().String()
	r.report.Threads = confirmed(r.cmd.Process.Pid, filtersHere()+2)
	if t := r.report.Threads; t.Seen == 0 || t.Seen != t.Filtered {
		return &UnavailableError{Mode: Strict, Reached: first, Missing: map[string]string{
			LayerSeccomp: t.unconfirmed("both filters"),
		}}
	}
	var files []*os.File
	if r.program.Input != nil {
		files = []*os.File{r.program.Input}
	}
	if err := r.control.sendRaw([]byte("go"), files); err != nil {
		return err
	}
	// There is nothing more to say or to hear, and nobody to hold what the program would send.
	r.control.Close()
	return nil
}

// hear takes one message of the interpreter, which is trusted until the input is sent.
func (r *programRun) hear(into any) error {
	n, err := r.control.f.Read(r.control.buf)
	if err != nil || n == 0 {
		<-r.exited
		return refused("the interpreter ended before the program began: %s", cmp.Or(lastLine(r.said.String()), r.cmd.ProcessState.String()))
	}
	return json.Unmarshal(r.control.buf[:n], into)
}

// conclude reads how the program ended.
func (r *programRun) conclude(ctx context.Context) {
	state := r.cmd.ProcessState
	r.report.ExitCode = state.ExitCode()
	name, forbidden := killedBy(state)
	switch {
	case forbidden:
		r.report.Outcome, r.report.Detail = ProgramForbidden, name
	case ctx.Err() != nil:
		r.report.Outcome, r.report.Detail = ProgramTimedOut, ctx.Err().Error()
	case name != "":
		r.report.Outcome, r.report.Detail = ProgramDied, name
	case !state.Success():
		r.report.Outcome, r.report.Detail = ProgramFailed, lastLine(r.said.String())
	default:
		r.report.Outcome = ProgramDone
	}
}

// seal makes the output unchangeable: the process that wrote it is gone, and so are its mappings.
func (r *programRun) seal() error {
	if r.program.Output == nil {
		return nil
	}
	fd := r.program.Output.Fd()
	if _, err := unix.FcntlInt(fd, unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE); err != nil {
		return refused("the output can't be sealed: %w", err)
	}
	info, err := r.program.Output.Stat()
	if err != nil {
		return err
	}
	r.report.OutputBytes = info.Size()
	r.report.OutputCut = info.Size() >= cmp.Or(r.program.Limits.Output, programOutput)
	return nil
}

// ending keeps the last bytes of what is written to it: an exception's text comes last.
type ending struct {
	mu  sync.Mutex
	buf []byte
}

func (e *ending) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.buf = append(e.buf, p...)
	e.buf = e.buf[max(0, len(e.buf)-stderrKept):]
	return len(p), nil
}

func (e *ending) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return string(e.buf)
}

// spoken passes on the first maxSpoken bytes and drops the rest.
type spoken struct {
	mu sync.Mutex
	to io.Writer
	n  int
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cut := p[:min(len(p), maxSpoken-s.n)]; s.to != nil && len(cut) > 0 {
		s.n += len(cut)
		if _, err := s.to.Write(cut); err != nil {
			s.to = nil // the program is not to be held up by somebody who does not listen
		}
	}
	return len(p), nil
}

// NewOutput makes a file for Program.Output.
func NewOutput() (*os.File, error) { return memoryFile("output", nil) }

// memoryFile makes a memfd with the given content.
func memoryFile(name string, content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err := f.Write(content); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
