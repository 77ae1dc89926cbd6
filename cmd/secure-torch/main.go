//go:generate go run ../../internal/rule/gendocs ../..

// Command secure-torch tells whether the models that Python code loads are safe, before anything is loaded.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/worker"
)

// Exit codes. Findings win over gaps, gaps over success.
const (
	exitOK       = 0
	exitFindings = 1 // at or above --fail-on
	exitTrouble  = 2 // an error, something not examined, or wrong usage
)

func main() {
	if worker.Wanted(os.Args) { // the shortest way: a worker is started for a few files
		worker.Main()
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process: it executes one command line and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // whoever asks twice is not kept waiting for an orderly end
	root := newRootCmd()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var code exitCode
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(stderr, "error: %v\nhint: %s\n", err, hintOf(cmd, err))
	return exitTrouble
}

// hintOf is the next step after err: its own, that of a path which is not there, or the command's help.
func hintOf(cmd *cobra.Command, err error) string {
	if h, ok := errors.AsType[hinted](err); ok {
		return h.hint
	}
	if missing, ok := errors.AsType[*fs.PathError](err); ok {
		if hint := missingHint(missing.Path); hint != "" {
			return hint
		}
	}
	return fmt.Sprintf("see `%s --help`", cmd.CommandPath())
}

// exitCode ends the program quietly: everything there is to say has been printed.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit %d", int(c)) }

// hinted is an error that knows the next step of the person who reads it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// withHint returns err with a next step.
func withHint(err error, format string, args ...any) error {
	return hinted{err, fmt.Sprintf(format, args...)}
}
