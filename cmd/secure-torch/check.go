package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/internal/workspace"
	"github.com/secure-torch/secure-torch/sandbox"
)

// checkFlags are what `check` takes.
type checkFlags struct {
	format, failOn, sandbox string
	noResolve               bool
}

func newCheckCmd() *cobra.Command {
	var flags checkFlags
	cmd := &cobra.Command{
		Use:   "check SRC...",
		Short: "Read Python source and tell what the models it loads would do",
		Long: `Read Python files and notebooks, and folders of them: find every call that loads a model, find out
which file it loads, and scan that file without loading it. Nothing is ever run.

Exit code: 1 diagnostics at or above --fail-on; else 2 something could not be examined; else 0.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return withHint(errors.New("nothing to check"), "name files or folders: secure-torch check src/")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runCheck(cmd, args, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.format, "format", "text", "text or json")
	f.StringVar(&flags.failOn, "fail-on", "high", "lowest severity that makes the exit code 1: info, low, medium, high, critical or never")
	f.StringVar(&flags.sandbox, "sandbox", "strict", "strict, auto or off: confinement of the processes that read model files")
	f.BoolVar(&flags.noResolve, "no-resolve", false, "do not look for the files that the calls name")
	return cmd
}

func runCheck(cmd *cobra.Command, args []string, flags checkFlags) error {
	if err := oneOf("format", flags.format, "text", "json"); err != nil {
		return err
	}
	if err := oneOf("fail-on", flags.failOn, "info", "low", "medium", "high", "critical", "never"); err != nil {
		return err
	}
	colors, err := useColor(cmd, cmd.OutOrStdout())
	if err != nil {
		return err
	}
	paths, problems := workspace.Files(args, workspace.Filter{})
	scanner, closeScanner, err := flags.scanner()
	if err != nil {
		return err
	}
	defer closeScanner()
	ws := workspace.New(args)
	result := check.New(check.Options{WorkDir: ".", Workspace: ws.At, NoResolve: flags.noResolve}).Run(cmd.Context(), paths, ws, scanner)
	if err := cmd.Context().Err(); err != nil {
		return withHint(errors.New("interrupted"), "nothing was reported, because not everything was checked")
	}
	result.Problems = append(problems, result.Problems...)
	run := checkRun(result)
	if err := writeCheck(cmd.OutOrStdout(), flags.format, run, report.Palette{On: colors}); err != nil {
		return err
	}
	return checkCode(run, flags.failOn)
}

// scanner is the engine, where models are to be scanned.
func (f checkFlags) scanner() (check.Scanner, func(), error) {
	if f.noResolve {
		return nil, func() {}, nil
	}
	mode, err := sandbox.ParseMode(f.sandbox)
	if err != nil {
		return nil, nil, withHint(fmt.Errorf("--sandbox: %w", err), "use strict, auto or off")
	}
	e, err := engine.New(engine.Options{Mode: mode, Lazy: true})
	if err != nil {
		return nil, nil, withHint(err, "--no-resolve checks the source alone; --sandbox=auto takes what confinement there is")
	}
	return e, e.Close, nil
}

// checkRun is the result as it is to be reported.
func checkRun(result *check.Result) *report.CheckRun {
	run := &report.CheckRun{Version: buildVersion()}
	for _, f := range result.Files {
		run.Files = append(run.Files, report.CheckedFile{Path: f.Path, Lines: check.NewLines(f.Source), Calls: f.Calls(), Diagnostics: f.Diagnostics})
	}
	for _, a := range result.Artifacts {
		run.Results = append(run.Results, report.Result{Artifact: a})
	}
	for _, p := range result.Problems {
		run.Gaps = append(run.Gaps, report.SourceGap{Path: p.Path, Reason: p.Err.Error()})
	}
	return run
}

func writeCheck(w io.Writer, format string, run *report.CheckRun, colors report.Palette) error {
	if format == "json" {
		return report.CheckJSON(w, run)
	}
	return report.CheckText(w, run, colors)
}

// checkCode is the exit code of a run that was reported.
func checkCode(run *report.CheckRun, failOn string) error {
	threshold := rule.Critical + 1
	if failOn != "never" {
		if err := threshold.UnmarshalText([]byte(failOn)); err != nil {
			return err
		}
	}
	switch {
	case run.Worst() >= threshold:
		return exitCode(exitFindings)
	case len(run.Gaps) > 0:
		return exitCode(exitTrouble)
	}
	return nil
}
