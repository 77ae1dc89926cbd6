package sandbox

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/sandbox/bpf"
	"github.com/secure-torch/secure-torch/sandbox/policy"
)

// stage is what the first stage is told: what to become, and what that may read.
type stage struct {
	Argv    []string `json:"argv"`
	Read    []string `json:"read"`    // files, and folders with what is in them
	Execute []string `json:"execute"` // files
	Memory  int64    `json:"memory"`
	Output  int64    `json:"output"`
	CPU     int64    `json:"cpu"` // seconds
}

// bootSpec is what boot.py is told.
type bootSpec struct {
	Imports []string `json:"imports"`
	Paths   []string `json:"paths"`
	Args    []string `json:"args"`
	Source  *string  `json:"source"`
	Seccomp int      `json:"seccomp"` // number of the system call
}

func (r *programRun) spec(ctx context.Context) (stage, error) {
	p := r.program
	py, err := findInterpreter(ctx, cmp.Or(p.Python, "python3"))
	if err != nil {
		return stage{}, err
	}
	for _, path := range p.Paths {
		if !filepath.IsAbs(path) {
			return stage{}, refused("the folder %q of modules is not an absolute path", path)
		}
	}
	told := bootSpec{Imports: nonNil(p.Imports), Paths: nonNil(p.Paths), Args: nonNil(p.Args), Seccomp: unix.SYS_SECCOMP}
	readable := append(py.readable(), p.Paths...)
	switch {
	case p.Source != "":
		told.Source = &p.Source
	case len(p.Args) > 0:
		script, err := filepath.Abs(p.Args[0])
		if err != nil {
			return stage{}, err
		}
		told.Args = append([]string{script}, p.Args[1:]...)
		readable = append(readable, script)
	default:
		return stage{}, refused("there is no program to run")
	}
	text, err := json.Marshal(told)
	if err != nil {
		return stage{}, err
	}
	limits := p.Limits
	execute := []string{py.Executable}
	if py.loader != "" {
		execute = append(execute, py.loader)
	}
	return stage{
		Argv: []string{py.Command, "-I", "-B", "-c", boot, string(text)}, Read: readable, Execute: execute,
		Memory: cmp.Or(limits.Memory, programMemory), Output: cmp.Or(limits.Output, programOutput),
		CPU: int64(cmp.Or(limits.Time, programTime).Seconds()) + 5,
	}, nil
}

func nonNil(s []string) []string { return append([]string{}, s...) }

// becomeProgram is the first stage: it gives up what the interpreter does not need to import modules,
// reports that on descriptor 3, and becomes the interpreter.
func becomeProgram(text string) error {
	var s stage
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	if len(s.Argv) == 0 {
		return errNotByHand
	}
	c := Confinement{Layers: []string{}, Missing: map[string]string{}}
	for _, step := range []step{
		{LayerRlimits, func(*Confinement) error { return s.limits() }},
		{LayerNoNewPrivs, func(*Confinement) error { return giveUpRights(readsAnything) }},
		{LayerLandlock, s.restrict},
		{LayerSeccomp, func(c *Confinement) error { return loadCoarse(c) }},
	} {
		if err := step.put(&c); err != nil {
			c.Missing[step.layer] = err.Error()
		} else {
			c.Layers = append(c.Layers, step.layer)
		}
	}
	state, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, err := unix.SendmsgN(3, state, nil, nil, unix.MSG_NOSIGNAL); err != nil {
		return err
	}
	if lacking(c, LayerRlimits, LayerNoNewPrivs, LayerSeccomp) != nil {
		return errors.New("not confined: the interpreter is not started")
	}
	return fmt.Errorf("start %s: %w", s.Argv[0], unix.Exec(s.Argv[0], s.Argv, programEnv))
}

// readsAnything is what root keeps until the tight filter is on: modules in the folders of other users. Landlock says which.
const readsAnything = 1 << unix.CAP_DAC_READ_SEARCH

func loadCoarse(c *Confinement) error {
	program, err := bpf.CompileOver(policy.Coarse(), unix.SECCOMP_RET_ALLOW)
	if err != nil {
		return err
	}
	c.Backend = "two stages"
	return bpf.Load(program)
}

func (s stage) limits() error {
	for resource, value := range map[int]int64{
		unix.RLIMIT_DATA: s.Memory, unix.RLIMIT_AS: s.Memory + spareSpace, unix.RLIMIT_CPU: s.CPU, unix.RLIMIT_NOFILE: fileLimit, unix.RLIMIT_FSIZE: s.Output, unix.RLIMIT_CORE: 0,
	} {
		if err := lowerLimit(resource, uint64(value)); err != nil {
			return fmt.Errorf("limit %d: %w", resource, err)
		}
	}
	return nil
}

// restrict leaves what is listed, to read, and the interpreter itself, to execute.
func (s stage) restrict(c *Confinement) error {
	var rules []landlock.Rule
	for _, path := range s.Read {
		info, err := os.Stat(path)
		switch {
		case err != nil: // it was there a moment ago; without a rule it can't be read
		case info.IsDir():
			rules = append(rules, landlock.PathAccess(llsys.AccessFSReadFile|llsys.AccessFSReadDir, path))
		default:
			rules = append(rules, landlock.PathAccess(llsys.AccessFSReadFile, path))
		}
	}
	for _, path := range s.Execute {
		rules = append(rules, landlock.PathAccess(llsys.AccessFSReadFile|llsys.AccessFSExecute, path))
	}
	return restrict(c, rules...)
}

// filterFile holds the tight filter as the kernel takes it (struct sock_filter, 8 bytes each), sealed.
func filterFile(entries []policy.Entry) (*os.File, error) {
	program, err := bpf.Compile(entries)
	if err != nil {
		return nil, err
	}
	if len(program) > math.MaxInt16 {
		return nil, fmt.Errorf("a filter of %d instructions", len(program))
	}
	var text []byte
	for _, in := range program {
		text = binary.NativeEndian.AppendUint16(text, in.Op)
		text = append(text, in.Jt, in.Jf)
		text = binary.NativeEndian.AppendUint32(text, in.K)
	}
	f, err := memoryFile("filter", text)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// confirmed asks the kernel on how many threads of a process the given number of filters is in force.
func confirmed(pid, filters int) ThreadState {
	var t ThreadState
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid)) // the pattern is good
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended meanwhile
		}
		t.Seen++
		if statusField(text, "Seccomp") == "2" && statusField(text, "NoNewPrivs") == "1" && statusField(text, "Seccomp_filters") == strconv.Itoa(filters) {
			t.Filtered++
		}
	}
	return t
}

// filtersHere is the number of filters that this process runs under itself, in a container for one.
func filtersHere() int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(statusField(text, "Seccomp_filters")) // absent before Linux 5.9: then nothing is confirmed
	return n
}

func statusField(status []byte, name string) string {
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
