package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/internal/workspace"
	"github.com/secure-torch/secure-torch/modelscan"
)

// checkFlags are what `check` takes.
type checkFlags struct {
	format, output, failOn, sandbox, baseline, config, stdinName string
	selected, ignored, exclude, perFile                          []string
	noResolve, resolve, noGitignore, statistics                  bool
	fix, unsafeFixes, diff, doctests                             bool
}

func newCheckCmd() *cobra.Command {
	var flags checkFlags
	cmd := &cobra.Command{
		Use:   "check SRC...",
		Short: "Read Python source and tell what the models it loads would do",
		Long: `Read Python files and notebooks, and folders of them: find every call that loads a model, find out
which file it loads, and scan that file without loading it. Nothing is ever run.

Exit code: 1 diagnostics at or above --fail-on; else 2 something could not be read; else 0.`,
		Example: "  secure-torch check src/\n  secure-torch check --no-resolve --select ST1 --statistics .\n  secure-torch check --diff --unsafe-fixes train.py\n  secure-torch check --stdin-filename train.py - < train.py",
		Args:    somePaths("check", "src/"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runCheck(cmd, args, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.format, "format", "text", "text, json, sarif or github")
	f.StringVarP(&flags.output, "output", "o", "", "write the report to a file instead of standard output")
	f.StringVar(&flags.failOn, "fail-on", "", "lowest severity that makes the exit code 1: info, low, medium, high, critical or never (default high)")
	f.StringVar(&flags.sandbox, "sandbox", "", "strict, auto or off: confinement of the processes that read model files (default strict)")
	f.StringVar(&flags.baseline, "baseline", "", "do not count the diagnostics that this earlier JSON report has")
	f.StringVar(&flags.config, "config", "", "the config to use, instead of the nearest secure-torch.toml or pyproject.toml")
	f.StringVar(&flags.stdinName, "stdin-filename", "", "the name of the source on standard input (SRC is then -)")
	f.StringSliceVar(&flags.selected, "select", nil, "report these rules alone: ids, beginnings of ids, names, or ALL")
	f.StringSliceVar(&flags.ignored, "ignore", nil, "do not report these rules")
	f.StringSliceVar(&flags.perFile, "per-file-ignores", nil, "do not report a rule in some files: PATTERN:RULE")
	f.StringSliceVar(&flags.exclude, "exclude", nil, "leave these files and folders out (gitignore patterns)")
	f.BoolVar(&flags.noGitignore, "no-gitignore", false, "look at what .gitignore leaves out too")
	f.BoolVar(&flags.resolve, "resolve", true, "look for the files that the calls name, and scan them")
	f.BoolVar(&flags.noResolve, "no-resolve", false, "do not look for the files that the calls name")
	f.BoolVar(&flags.doctests, "doctests", false, "look at the examples in docstrings too (>>>), and tell of them as information")
	f.BoolVar(&flags.statistics, "statistics", false, "count the diagnostics by rule instead of listing them")
	f.BoolVar(&flags.fix, "fix", false, "make the safe fixes in the files")
	f.BoolVar(&flags.unsafeFixes, "unsafe-fixes", false, "make, or show, the fixes that change what the program does too")
	f.BoolVar(&flags.diff, "diff", false, "show what --fix would change, and change nothing")
	return cmd
}

func runCheck(cmd *cobra.Command, args []string, flags checkFlags) error {
	if err := oneOf("format", flags.format, "text", "json", "sarif", "github"); err != nil {
		return err
	}
	flags.noResolve = flags.noResolve || !flags.resolve
	settings, err := loadConfig(flags.config)
	if err != nil {
		return err
	}
	threshold, err := failOn(cmp.Or(flags.failOn, settings.FailOn))
	if err != nil {
		return err
	}
	filter, err := flags.filter(settings)
	if err != nil {
		return err
	}
	var run *report.CheckRun
	if flags.diff || flags.fix {
		if run, err = flags.mend(cmd, args, filter); run == nil || err != nil {
			return err
		}
	} else {
		result, err := flags.run(cmd, args, settings)
		if err != nil {
			return err
		}
		run = filter.apply(result)
	}
	if err := flags.emit(cmd, run); err != nil {
		return err
	}
	return verdictCode(run, threshold)
}

// maxRounds bounds how often sources are mended and looked at again: a fix may have been in the way of another, or a
// call shows a second fault when its first is gone.
const maxRounds = 10

// mending is what --fix has done so far.
type mending struct {
	made  int
	files map[string]bool
	left  map[string]bool // files that it was told of that they can't be changed
}

// mend makes or shows the fixes of what is reported, and returns what is left to be; nil when nothing is.
func (f checkFlags) mend(cmd *cobra.Command, args []string, filter *checkFilter) (*report.CheckRun, error) {
	so := mending{files: map[string]bool{}, left: map[string]bool{}}
	for round := 0; ; round++ {
		result, err := f.run(cmd, args, filter.settings)
		if err != nil {
			return nil, err
		}
		run := filter.apply(result)
		before := so.made
		if round < maxRounds {
			if done, err := f.fixAll(cmd.OutOrStdout(), result, &so); done || err != nil {
				return nil, err
			}
		}
		if so.made > before {
			continue
		}
		if so.made > 0 {
			_, err = fmt.Fprintf(os.Stderr, "%s made in %s\n", report.Count(so.made, "fix", "fixes"), report.Count(len(so.files), "file", "files"))
		}
		return run, err
	}
}

// run checks the sources.
func (f checkFlags) run(cmd *cobra.Command, args []string, settings *config.Loaded) (*check.Result, error) {
	inputs, problems, err := f.inputs(cmd.InOrStdin(), cmd.ErrOrStderr(), args)
	if err != nil {
		return nil, err
	}
	scanner, closeScanner, err := f.scanner(settings.Sandbox)
	if err != nil {
		return nil, err
	}
	defer closeScanner()
	grammar := analyzers.Confined
	if settings.Trusted {
		grammar = analyzers.Native
	}
	ws := workspace.New(args, grammar)
	opts := check.Options{WorkDir: ".", Workspace: ws.At, Sinks: check.Sinks(settings), NoResolve: f.noResolve, Doctests: f.doctests}
	if e, ok := scanner.(*engine.Engine); ok {
		opts.Plan = e.Plan
	}
	result := check.New(opts).Run(cmd.Context(), inputs, ws, scanner, settings.Trusted)
	if err := cmd.Context().Err(); err != nil {
		return nil, withHint(errors.New("interrupted"), "nothing was reported, because not everything was checked")
	}
	result.Problems = append(problems, result.Problems...)
	return result, nil
}

// inputs are the sources named, or the one on standard input.
func (f checkFlags) inputs(stdin io.Reader, stderr io.Writer, args []string) ([]check.Input, []workspace.Problem, error) {
	if f.stdinName != "" || len(args) == 1 && args[0] == "-" {
		text, err := sourceOn(stdin)
		return []check.Input{{Path: cmp.Or(f.stdinName, "stdin.py"), Text: text}}, nil, err
	}
	for _, p := range f.exclude {
		if err := workspace.ValidPattern(p); err != nil {
			return nil, nil, withHint(fmt.Errorf("--exclude %q: %w", p, err), "write it as in a .gitignore file")
		}
	}
	paths, problems := workspace.Files(args, workspace.Filter{Exclude: f.exclude, NoGitignore: f.noGitignore})
	for _, p := range args {
		if hint := missingHint(p); hint != "" {
			fmt.Fprintln(stderr, "hint: "+hint)
		}
	}
	paths = slices.DeleteFunc(paths, func(path string) bool {
		why := noSource(path)
		if why != nil {
			problems = append(problems, workspace.Problem{Path: path, Err: why})
			fmt.Fprintf(stderr, "hint: to scan that file: secure-torch scan %s\n", report.Escape(path))
		}
		return why != nil
	})
	if len(paths) == 0 && len(problems) == 0 {
		fmt.Fprintln(stderr, "warning: no Python files were found under the given paths\nhint: to scan the models there: secure-torch scan "+report.Escape(strings.Join(args, " ")))
	}
	inputs := make([]check.Input, len(paths))
	for i, p := range paths {
		inputs[i].Path = p
	}
	return inputs, problems, nil
}

// sourceOn reads a source to its end. It is never nil without an error.
func sourceOn(stdin io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(stdin, workspace.MaxSource+1))
	if err == nil && len(text) > workspace.MaxSource {
		err = fmt.Errorf("standard input has more than %d bytes", workspace.MaxSource)
	}
	return text, err
}

// noSource says why a file that was named is no Python: of a model, which belongs to scan, nothing would be reported
// here, and that must not read as clean.
func noSource(path string) error {
	if workspace.IsSource(path) {
		return nil
	}
	if modelscan.ModelName(filepath.ToSlash(path)) {
		return errors.New("is named as a model, and was not read as Python source")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil // whoever reads it says so
	}
	defer f.Close() // opened for reading
	head := make([]byte, 4096)
	n, _ := io.ReadFull(f, head)
	if bytes.IndexByte(head[:n], 0) >= 0 {
		return errors.New("holds NUL bytes, and no Python source does")
	}
	return nil
}

// scanner is the engine, where models are to be scanned.
func (f checkFlags) scanner(configured string) (check.Scanner, func(), error) {
	if f.noResolve {
		return nil, func() {}, nil
	}
	word := f.sandbox
	if word == "" {
		word = configured
	}
	mode, err := sandboxMode(word)
	if err != nil {
		return nil, nil, err
	}
	judge, done, err := editorChecker(mode)
	if err != nil {
		return nil, nil, err
	}
	e, err := engine.New(engine.Options{Mode: mode, Lazy: true, Judge: judge})
	if err != nil {
		done()
		return nil, nil, withoutWorker(err, "--no-resolve checks the source alone; --sandbox=auto takes what confinement there is")
	}
	return e, func() { e.Close(); done() }, nil
}

// fixAll makes or shows the fixes. It is done when they were only to be shown.
func (f checkFlags) fixAll(w io.Writer, result *check.Result, so *mending) (done bool, err error) {
	for _, file := range result.Files {
		edits, n := check.Fixes(file.Diagnostics, f.unsafeFixes)
		if n == 0 {
			continue
		}
		source, edits, err := inFile(file, edits)
		if err != nil {
			if so.left[file.Path] {
				continue
			}
			so.left[file.Path] = true
			if _, err := fmt.Fprintf(os.Stderr, "warning: %s was not changed: %v\n", report.Escape(file.Path), err); err != nil {
				return true, err
			}
			continue
		}
		so.made += n
		so.files[file.Path] = true
		if f.diff {
			if err := writeDiff(w, file.Path, source, edits); err != nil {
				return true, err
			}
			continue
		}
		if f.stdinName != "" {
			_, err := w.Write(check.Applied(source, edits))
			return true, err
		}
		if err := workspace.Replace(file.Path, source, check.Applied(source, edits)); err != nil {
			return true, withHint(err, "the file was not changed")
		}
	}
	if f.diff && so.made > 0 {
		return true, exitCode(exitFindings)
	}
	return f.diff, nil
}

func writeDiff(w io.Writer, path string, source []byte, edits []analyzers.Edit) error {
	diff, err := check.Diff(report.Escape(path), source, edits)
	if err == nil {
		_, err = io.WriteString(w, diff)
	}
	return err
}

// errNotWhole is why a source is left as it is.
var errNotWhole = errors.New("python would not parse it")

// inFile are the edits as they have to be made in a file, and what it holds; the error says why they can't be.
func inFile(file check.File, edits []analyzers.Edit) ([]byte, []analyzers.Edit, error) {
	if !file.Whole() {
		return nil, nil, errNotWhole
	}
	if !file.Notebook {
		return file.Source, edits, nil
	}
	raw, err := file.Input.Bytes()
	if err != nil {
		return nil, nil, err
	}
	nb, err := analyzers.ReadNotebook(raw)
	if err == nil && !bytes.Equal(nb.Source, file.Source) {
		err = errors.New("it changed while it was checked")
	}
	if err != nil {
		return nil, nil, err
	}
	in, err := nb.Edits(raw, edits)
	return raw, in, err
}

func (f checkFlags) emit(cmd *cobra.Command, run *report.CheckRun) (err error) {
	colors, err := useColor(cmd, cmd.OutOrStdout())
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if f.output != "" {
		file, err := os.Create(f.output)
		if err != nil {
			return withHint(err, "--output names a file that can be written")
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		w, colors = file, false
	}
	switch {
	case f.statistics:
		return report.CheckStatistics(w, run)
	case f.format == "json":
		return report.CheckJSON(w, run)
	case f.format == "sarif":
		return report.CheckSARIF(w, run)
	case f.format == "github":
		return report.CheckGitHub(w, run)
	}
	return report.CheckText(w, run, report.Palette{On: colors})
}

// splitPerFile reads PATTERN:RULE.
func splitPerFile(entry string) (pattern, word string, err error) {
	i := strings.LastIndexByte(entry, ':')
	if i <= 0 || i == len(entry)-1 {
		return "", "", withHint(fmt.Errorf("--per-file-ignores %q is not PATTERN:RULE", entry), "for example --per-file-ignores 'tests/*:ST102'")
	}
	return entry[:i], entry[i+1:], nil
}
