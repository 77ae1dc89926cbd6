package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/sandbox"
)

// Exit codes of a program that did not end by itself, as shells have them.
const (
	exitTimedOut = 124
	exitKilled   = 128 // and the signal's number
	sigsys       = 31
	sigkill      = 9
)

func newSandboxCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run a Python program over a file that is not to be trusted, confined",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSandboxExecCmd(), newSandboxProfileCmd())
	return cmd
}

func newSandboxProfileCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "profile",
		Short: "Print the filter that `sandbox exec` puts on, as an OCI seccomp profile",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(sandbox.DefaultProfile())
			return err
		},
	}
}

// execFlags are what `sandbox exec` takes.
type execFlags struct {
	program           sandbox.Program
	profile           string
	input, output     string
	inputFD, outputFD int
	json              bool
}

func newSandboxExecCmd() *cobra.Command {
	var flags execFlags
	cmd := &cobra.Command{
		Use:   "exec [flags] -- python [-c PROGRAM | SCRIPT] [ARG...]",
		Short: "Run a Python program that can open, connect to and start nothing",
		Long: `Start the interpreter, import the modules named with --import, take from the process every system call
but those for computing and for reading and writing open files, and only then run the program. In it,
INPUT is a binary file over --input and OUTPUT an unbuffered one over --output; nothing else can be opened.
Starting a process, or anything else that is off the list, kills it.

It contains what the program does. It does not make the result trustworthy: scan it like any other file.

Exit code: the program's own; 159 when the filter killed it, 137 when something else did, 124 when it took
too long, 2 when it was not run.`,
		Example: "  secure-torch sandbox exec --import pickle --input model.pkl -- python3 -c 'import pickle; print(type(pickle.load(INPUT)))'",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return withHint(errors.New("no program to run"), "secure-torch sandbox exec -- python3 script.py")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return sandboxExec(cmd, flags, args) },
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVar(&flags.profile, "profile", "", "file with calls to add, as an OCI seccomp profile (see `secure-torch sandbox profile`)")
	f.StringArrayVar(&flags.program.Imports, "import", nil, "module to import before the program starts; trusted code (repeatable)")
	f.StringArrayVar(&flags.program.Paths, "path", nil, "folder to add to the end of sys.path (repeatable)")
	f.StringVar(&flags.input, "input", "", "file that the program reads as INPUT")
	f.StringVar(&flags.output, "output", "", "new file for what the program writes to OUTPUT")
	f.IntVar(&flags.inputFD, "input-fd", -1, "descriptor in place of --input")
	f.IntVar(&flags.outputFD, "output-fd", -1, "descriptor of a memfd in place of --output: it is sealed when the program has ended")
	f.DurationVar(&flags.program.Limits.Time, "timeout", 0, "kill the program after this time (default 2m)")
	f.Int64Var(&flags.program.Limits.Memory, "max-memory", 0, "bytes of memory (default 8 GiB)")
	f.Int64Var(&flags.program.Limits.Output, "max-output", 0, "bytes that can be written to OUTPUT (default 8 GiB)")
	f.BoolVar(&flags.json, "json", false, "print a report as JSON; what the program prints goes to standard error")
	cmd.MarkFlagsMutuallyExclusive("input", "input-fd")
	cmd.MarkFlagsMutuallyExclusive("output", "output-fd")
	return cmd
}

func sandboxExec(cmd *cobra.Command, flags execFlags, args []string) error {
	p, err := flags.fill(args)
	if err != nil {
		return err
	}
	input, err := flags.openInput()
	if err != nil {
		return withHint(err, "--input names a file")
	}
	if input != nil {
		defer input.Close() // opened for reading
		p.Input = input.File
	}
	keep, err := flags.openOutput(&p)
	if err != nil {
		return err
	}
	var out, said bytes.Buffer
	p.Stdout, p.Stderr = &out, &said
	r, err := sandbox.RunProgram(cmd.Context(), p)
	if showErr := flags.show(cmd, r, &out, &said); showErr != nil {
		return showErr
	}
	switch {
	case err != nil:
		return withHint(fmt.Errorf("not run: %s", report.Escape(err.Error())), "%s", execHint(err))
	case r.Outcome != sandbox.ProgramDone:
		return programCode(r)
	}
	if input != nil {
		if err := input.Changed(); err != nil {
			return withHint(err, "what the program made of it is not kept")
		}
	}
	if err := keep(); err != nil {
		return withHint(err, "--output names a file that does not exist yet")
	}
	return nil
}

// execHint is the next step where a program was not run.
func execHint(err error) string {
	if _, system := errors.AsType[*sandbox.UnavailableError](err); system {
		return "`secure-torch doctor` shows what this system can confine"
	}
	return "see `secure-torch sandbox exec --help`"
}

// fill completes the program that the flags describe.
func (f execFlags) fill(args []string) (p sandbox.Program, err error) {
	p = f.program
	p.Python, p.Args = args[0], args[1:]
	if strings.HasPrefix(p.Args[0], "-") && p.Args[0] != "-c" {
		return p, withHint(fmt.Errorf("the interpreter's option %s is not taken", report.Escape(p.Args[0])), "after the interpreter comes -c PROGRAM or a script; it runs with -I -B")
	}
	if standard(f.inputFD) || standard(f.outputFD) {
		return p, withHint(errors.New("--input-fd and --output-fd take no standard descriptor"), "open the file as 3 or above")
	}
	if p.Args[0] == "-c" {
		if len(p.Args) < 2 || p.Args[1] == "" {
			return p, withHint(errors.New("-c has no program after it"), "secure-torch sandbox exec -- python3 -c 'print(1)'")
		}
		p.Source, p.Args = p.Args[1], append([]string{"-c"}, p.Args[2:]...)
	}
	if f.profile != "" {
		if p.Profile, err = readBounded(f.profile, 1<<20); err != nil {
			return p, withHint(err, "--profile names a JSON file; `secure-torch sandbox profile` prints the default one")
		}
	}
	return p, nil
}

// standard tells whether a descriptor is one that this program has for itself.
func standard(fd int) bool { return 0 <= fd && fd <= 2 }

// programCode is the exit code for a program that did not succeed.
func programCode(r sandbox.ProgramReport) error {
	switch r.Outcome {
	case sandbox.ProgramForbidden:
		return exitCode(exitKilled + sigsys)
	case sandbox.ProgramTimedOut:
		return exitCode(exitTimedOut)
	case sandbox.ProgramFailed:
		return exitCode(r.ExitCode)
	default:
		return exitCode(exitKilled + sigkill)
	}
}

func (f execFlags) openInput() (*artifact.File, error) {
	switch {
	case f.inputFD > 2:
		return artifact.FromDescriptor(os.NewFile(uintptr(f.inputFD), "input"), "input")
	case f.input != "":
		return artifact.Open(f.input)
	}
	return nil, nil
}

// openOutput gives the program something to write to. keep puts it where it was asked for.
func (f execFlags) openOutput(p *sandbox.Program) (keep func() error, err error) {
	switch {
	case f.outputFD > 2:
		p.Output = os.NewFile(uintptr(f.outputFD), "output")
	case f.output != "":
		if p.Output, err = sandbox.NewOutput(); err != nil {
			return nil, err
		}
		return func() error { return writeNew(f.output, p.Output) }, nil
	}
	return func() error { return nil }, nil
}

// writeNew copies what a program has written to a file that is not there yet.
func writeNew(path string, from *os.File) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, io.NewSectionReader(from, 0, 1<<62))
	return err
}

// readBounded reads a small file of the user's own.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var text bytes.Buffer
	n, err := io.Copy(&text, io.LimitReader(f, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return text.Bytes(), err
}

// show prints what the program has printed, line by line, with nothing in it that moves a terminal, and
// what became of it.
func (f execFlags) show(cmd *cobra.Command, r sandbox.ProgramReport, out, said *bytes.Buffer) error {
	first, second := cmd.OutOrStdout(), cmd.ErrOrStderr()
	if f.json {
		first = second
	}
	escape(first, out.String())
	escape(second, said.String())
	if f.json {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	if r.OutputCut {
		fmt.Fprintf(second, "warning: what the program wrote reached the limit of %d bytes (--max-output); what came after may be missing\n", r.OutputBytes)
	}
	if r.Outcome != sandbox.ProgramDone && r.Outcome != sandbox.ProgramRefused {
		fmt.Fprintf(second, "%s: %s (sandbox %s, profile %s %.12s)\n", r.Outcome, report.Escape(r.Detail), r.Grade, r.Profile.Name, r.Profile.SHA256)
	}
	return nil
}

func escape(to io.Writer, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintln(to, report.Escape(strings.TrimRight(line, "\n")))
	}
}
