package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/internal/watch"
	"github.com/secure-torch/secure-torch/sandbox"
)

type watchFlags struct{ format, failOn, sandbox, config string }

func newWatchCmd() *cobra.Command {
	var flags watchFlags
	cmd := &cobra.Command{
		Use:   "watch PATH...",
		Short: "Scan model files and folders, and again whenever something in them changes",
		Long: `Scan what is there, then every file that appears or changes, once it has not been written to for a
moment, until interrupted. JSON is written one report a line; a line {"gone":[…]} names files that went.

Exit code, of the files as they were last seen: 1 findings at or above --fail-on; else 2 something could
not be examined; else 0.`,
		Example: "  secure-torch watch models/\n  secure-torch watch models/ --format json | jq .artifacts[].verdict",
		Args:    somePaths("watch", "models/"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runWatch(cmd, args, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.format, "format", "text", "text or json")
	f.StringVar(&flags.failOn, "fail-on", "", "lowest severity that makes the exit code 1: info, low, medium, high, critical or never (default high)")
	f.StringVar(&flags.sandbox, "sandbox", "", "strict, auto or off: confinement of the processes that read the files (default strict)")
	f.StringVar(&flags.config, "config", "", "the config to use, instead of the nearest secure-torch.toml or pyproject.toml")
	return cmd
}

func runWatch(cmd *cobra.Command, paths []string, flags watchFlags) error {
	if err := oneOf("format", flags.format, "text", "json"); err != nil {
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
	colors, err := useColor(cmd, cmd.OutOrStdout())
	if err != nil {
		return err
	}
	mode, err := sandbox.ParseMode(cmp.Or(flags.sandbox, settings.Sandbox))
	if err != nil {
		return withHint(fmt.Errorf("--sandbox: %w", err), "use strict, auto or off")
	}
	e, err := engine.New(engine.Options{Mode: mode, Digest: settings.NeedsDigest()})
	if err != nil {
		return withHint(err, "nothing was scanned. --sandbox=auto takes what confinement there is")
	}
	defer e.Close()
	w := &watching{e: e, paths: paths, settings: settings, format: flags.format, out: cmd.OutOrStdout(),
		colors: report.Palette{On: colors}, last: map[string]report.Result{}}
	if err := w.run(cmd.Context(), cmd.ErrOrStderr()); err != nil {
		return err
	}
	return verdictCode(&report.Run{Results: slices.Collect(maps.Values(w.last))}, threshold)
}

// watching is a `watch` under way.
type watching struct {
	e        *engine.Engine
	paths    []string
	settings *config.Loaded
	format   string
	out      io.Writer
	colors   report.Palette
	last     map[string]report.Result // by absolute path
}

// run returns nil when it is interrupted: that is how it ends.
func (w *watching) run(ctx context.Context, stderr io.Writer) error {
	watcher := watch.New(watch.Options{Notice: func(why string) { fmt.Fprintln(stderr, why) }})
	go watcher.Run(ctx)
	watcher.Set(ctx, w.paths) // before the first scan: what changes during it is seen
	var first []report.Result
	w.e.ScanAll(ctx, w.paths, func(a *engine.Artifact) { first = append(first, report.Result{Artifact: a}) })
	for ctx.Err() == nil {
		if err := w.emit(first); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case changes := <-watcher.Changes():
			gone, next := w.apply(ctx, changes)
			if err := w.tellGone(gone); err != nil {
				return err
			}
			first = next
		}
	}
	return nil
}

// apply scans what changed and lists what went.
func (w *watching) apply(ctx context.Context, changes []watch.Change) (gone []string, results []report.Result) {
	for _, c := range changes {
		if ctx.Err() != nil {
			break
		}
		if c.Gone {
			delete(w.last, c.Path)
			gone = append(gone, w.asked(c.Path))
			continue
		}
		a := w.e.ScanTarget(ctx, artifact.Target{Path: c.Path, Within: w.within(c.Path)})
		a.Path = w.asked(c.Path)
		results = append(results, report.Result{Artifact: a})
	}
	return gone, results
}

// asked spells a watched file's path as the first report of its folder did: below the path that was given.
func (w *watching) asked(path string) string {
	for _, p := range w.paths {
		if root, err := filepath.Abs(p); err == nil && artifact.Inside(root, path) {
			if rel, err := filepath.Rel(root, path); err == nil {
				return filepath.Join(p, rel)
			}
		}
	}
	return path
}

// within are the folders that a file found in a watched folder may lead to; none for one that was named.
func (w *watching) within(path string) []string {
	for _, p := range w.paths {
		root, err := filepath.Abs(p)
		if err == nil && root != path && artifact.Inside(root, path) {
			return append([]string{root}, artifact.BlobsFor(path)...)
		}
	}
	return nil
}

// emit reports results and remembers them.
func (w *watching) emit(results []report.Result) error {
	if len(results) == 0 {
		return nil
	}
	for i := range results {
		suppress(&results[i], w.settings, nil)
		if abs, err := filepath.Abs(results[i].Path); err == nil {
			w.last[abs] = results[i]
		}
	}
	run := &report.Run{Version: buildVersion(), Results: results}
	if w.format == "text" {
		return report.Text(w.out, run, w.colors)
	}
	var long, line bytes.Buffer
	if err := report.JSON(&long, run); err != nil {
		return err
	}
	if err := json.Compact(&line, long.Bytes()); err != nil {
		return err
	}
	line.WriteByte('\n')
	_, err := w.out.Write(line.Bytes())
	return err
}

func (w *watching) tellGone(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	if w.format == "text" {
		for _, p := range paths {
			if _, err := fmt.Fprintf(w.out, "gone: %s\n", report.Escape(p)); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range paths {
		paths[i] = report.Escape(paths[i])
	}
	return json.NewEncoder(w.out).Encode(map[string][]string{"gone": paths})
}
