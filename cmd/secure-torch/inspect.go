package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/sandbox"
)

func newInspectCmd() *cobra.Command {
	var mode, format string
	var disassemble, decompile, provenance bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what is in a model file: its tree, tensors and metadata, and the opcodes of its pickles",
		Long: `Show what is in a model file, without running any of it.

Exit code: 2 where something could not be read, else 0: this shows, and does not judge; scan does.`,
		Args: operands(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			listing := engine.NoListing
			switch {
			case disassemble && decompile:
				return withHint(errors.New("--disassemble and --decompile are two listings"), "choose one of them")
			case disassemble:
				listing = engine.Opcodes
			case decompile:
				listing = engine.Program
			}
			if err := localOnly(args); err != nil {
				return err
			}
			confinement, err := sandboxMode(mode)
			if err != nil {
				return err
			}
			return runInspect(cmd, args[0], confinement, format, listing, provenance)
		},
	}
	f := cmd.Flags()
	f.StringVar(&format, "format", "text", "text or json")
	f.StringVar(&mode, "sandbox", "strict", "strict, auto or off: confinement of the process that reads the file")
	f.BoolVarP(&disassemble, "disassemble", "d", false, "list the opcodes of every pickle")
	f.BoolVarP(&decompile, "decompile", "p", false, "list every pickle as the Python program that it amounts to")
	f.BoolVar(&provenance, "provenance", false, "judge the signature and the bill of materials that lie beside it, which hashes the whole file where there are some")
	return cmd
}

func runInspect(cmd *cobra.Command, path string, mode sandbox.Mode, format string, pickles engine.Listing, provenance bool) error {
	options := engine.Options{Mode: mode}
	if provenance {
		judge, done, err := editorChecker(mode)
		if err != nil {
			return err
		}
		defer done()
		options.Judge = judge
	}
	e, err := engine.New(options)
	if err != nil {
		return withoutWorker(err, "--sandbox=auto takes what confinement there is; --sandbox=off reads the file without any")
	}
	defer e.Close()
	if hint := missingHint(path); hint != "" {
		fmt.Fprintln(cmd.ErrOrStderr(), "hint: "+hint)
	} else if info, err := os.Stat(path); err == nil && info.IsDir() {
		fmt.Fprintf(cmd.ErrOrStderr(), "hint: inspect shows one file; secure-torch scan %s looks at all in the folder\n", report.Escape(path))
	}
	a, listing := e.Inspect(cmd.Context(), path, pickles)
	w := cmd.OutOrStdout()
	if format == "json" {
		err = report.InspectJSON(w, a, listing)
	} else if err = report.Inspect(w, a); err == nil {
		_, err = io.WriteString(w, report.Listing(listing))
	}
	if err != nil {
		return err
	}
	if run := (report.Run{Results: []report.Result{{Artifact: a}}}); !run.Examined() {
		return exitCode(exitTrouble)
	}
	return nil
}
