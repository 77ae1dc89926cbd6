package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// scanFlags are what a command that scans takes.
type scanFlags struct {
	format, output, failOn, sandbox, baseline, config string
	digest, full, offline, onePer, noCache            bool
	trust                                             trustFlags
}

// mapFacts bounds the tensors of one artifact that an HTML report may draw.
const mapFacts = 2000

func newScanCmd() *cobra.Command {
	var flags scanFlags
	cmd := &cobra.Command{
		Use:   "scan PATH|hf:org/model[@revision][/path]|https://...",
		Short: "Tell what loading the model files would do",
		Long: `Scan files, and folders with everything in them, in confined processes. Nothing of a model is ever run.

A repository on the hub (hf:org/model) is scanned at the commit its revision is now, by reading ranges of its
files; --full downloads and verifies them. models:/name/version and runs:/id/path are looked up in MLflow's store
on this machine, ollama:name[:tag] in Ollama's. Nothing else goes to the network.

Exit code: 1 findings at or above --fail-on; else 2 error or incomplete; else 0.`,
		Example: "  secure-torch scan model.pt\n  secure-torch scan models/ --format sarif --output models.sarif\n  secure-torch scan hf:org/model@main",
		Args:    somePaths("scan", "model.pt"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runScan(cmd, args, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.format, "format", "text", "text, json, sarif or html")
	f.StringVarP(&flags.output, "output", "o", "", "write the report to a file instead of standard output")
	f.StringVar(&flags.failOn, "fail-on", "", "lowest severity that makes the exit code 1: info, low, medium, high, critical or never (default high)")
	f.StringVar(&flags.sandbox, "sandbox", "", "strict, auto, wasm, process or off: confinement of the processes that read the files (default strict)")
	f.BoolVar(&flags.noCache, "no-cache", false, "scan files again that were scanned before and did not change since, and keep no report")
	f.BoolVar(&flags.onePer, "one-per-artifact", false, "give every file a process of its own: what takes one over can lie about no other file")
	f.StringVar(&flags.baseline, "baseline", "", "do not count the findings that this earlier JSON report has")
	f.BoolVar(&flags.digest, "digest", false, "compute every file's sha256, which reads all of it")
	f.BoolVar(&flags.full, "full", false, "download remote files and verify their digests, instead of reading ranges of them")
	f.BoolVar(&flags.offline, "offline", false, "never use the network: look hf: references up in the hub's cache on this machine (also HF_HUB_OFFLINE=1)")
	f.StringVar(&flags.config, "config", "", "the config to use, instead of the nearest secure-torch.toml or pyproject.toml")
	flags.trust.add(cmd)
	return cmd
}

// reportFormats are the ones that writeReport knows.
var reportFormats = []string{"text", "json", "sarif", "html"}

// writeReport writes the run in one of reportFormats.
func writeReport(w io.Writer, format string, run *report.Run, colors report.Palette) error {
	switch format {
	case "json":
		return report.JSON(w, run)
	case "sarif":
		return report.SARIF(w, run)
	case "html":
		return report.HTML(w, run)
	default:
		return report.Text(w, run, colors)
	}
}

func runScan(cmd *cobra.Command, paths []string, flags scanFlags) error {
	if err := oneOf("format", flags.format, reportFormats...); err != nil {
		return err
	}
	settings, err := loadConfig(flags.config)
	if err != nil {
		return err
	}
	threshold, err := failOn(cmp.Or(flags.failOn, settings.FailOn))
	if err != nil {
		return err
	}
	source, err := newSources(cmd, paths, flags.full, flags.offline || settings.Offline)
	if err != nil {
		return err
	}
	defer source.close()
	known, err := loadBaseline(flags.baseline)
	if err != nil {
		return err
	}
	colors, err := useColor(cmd, cmd.OutOrStdout())
	if err != nil {
		return err
	}
	options := engine.Options{Digest: flags.digest || settings.NeedsDigest(), OnePerArtifact: flags.onePer, Cache: openCache(flags.noCache || settings.NoCache)}
	if flags.format == "html" {
		limits := modelscan.DefaultLimits()
		limits.MaxFacts = mapFacts
		options.Limits = &limits
	}
	run, err := scanTrusted(cmd, source, cmp.Or(flags.sandbox, settings.Sandbox), options, &flags.trust)
	if err != nil {
		return err
	}
	for i := range run.Results {
		suppress(&run.Results[i], settings, known)
	}
	if err := emit(cmd, flags, run, report.Palette{On: colors}); err != nil {
		return err
	}
	return verdictCode(run, threshold)
}

func loadConfig(explicit string) (*config.Loaded, error) {
	settings, err := config.Load(".", explicit)
	if err != nil {
		return nil, withHint(err, "`secure-torch.toml` takes the keys of docs/schema/config.json")
	}
	return settings, nil
}

// scanAll scans the paths and gathers what is to be reported.
func scanAll(cmd *cobra.Command, source *sources, mode string, options engine.Options) (*report.Run, error) {
	var err error
	if options.Mode, err = sandboxMode(mode); err != nil {
		return nil, err
	}
	e, err := engine.New(options)
	if err != nil {
		return nil, withoutWorker(err, "the files were not scanned. --sandbox=auto takes what confinement there is; --sandbox=off scans without any")
	}
	defer e.Close()
	run := &report.Run{Version: buildVersion()}
	progress := newProgress(cmd.ErrOrStderr())
	err = source.scan(cmd.Context(), e, func(a *engine.Artifact) {
		progress.step(a.Path)
		run.Results = append(run.Results, report.Result{Artifact: a})
	})
	progress.done()
	if err != nil {
		return nil, err
	}
	if err := cmd.Context().Err(); err != nil {
		return nil, withHint(errors.New("interrupted"), "nothing was reported, because not everything was scanned")
	}
	if len(run.Results) == 0 {
		return nil, withHint(errors.New("there are no files in "+report.Escape(strings.Join(source.asked, ", "))), "an empty folder is not a clean one: check the path")
	}
	return run, nil
}

// emit writes the report to --output or to standard output.
func emit(cmd *cobra.Command, flags scanFlags, run *report.Run, colors report.Palette) (err error) {
	if flags.output == "" {
		return writeReport(cmd.OutOrStdout(), flags.format, run, colors)
	}
	if err := spareModels(flags.output, run); err != nil {
		return err
	}
	f, err := os.Create(flags.output)
	if err != nil {
		return withHint(err, "--output names a file that can be written")
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	if err := writeReport(w, flags.format, run, report.Palette{}); err != nil {
		return err
	}
	return w.Flush()
}

// spareModels refuses to write the report over a model that was just scanned.
func spareModels(output string, run *report.Run) error {
	there, err := os.Stat(output)
	if err != nil {
		return nil // os.Create says what is wrong, if anything is
	}
	for _, r := range run.Results {
		if info, err := os.Stat(r.Artifact.Path); err == nil && os.SameFile(there, info) && r.Artifact.Report.Kind != modelscan.KindOther {
			return withHint(fmt.Errorf("--output %s is one of the models that were scanned", report.Escape(output)), "it was left as it is; choose another file for the report")
		}
	}
	return nil
}

// failOn reads a threshold. "never" is above every severity.
func failOn(word string) (rule.Severity, error) {
	if word == "never" {
		return rule.Critical + 1, nil
	}
	var s rule.Severity
	if err := s.UnmarshalText([]byte(cmp.Or(word, "high"))); err != nil {
		return 0, withHint(fmt.Errorf("--fail-on %q is unknown", word), "use info, low, medium, high, critical or never")
	}
	return s, nil
}

// verdictCode is the exit code of a run that was reported.
func verdictCode(run interface {
	Worst() rule.Severity
	Examined() bool
}, threshold rule.Severity) error {
	switch {
	case run.Worst() >= threshold:
		return exitCode(exitFindings)
	case !run.Examined():
		return exitCode(exitTrouble)
	}
	return nil
}
