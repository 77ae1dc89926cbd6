package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/internal/watch"
	"github.com/secure-torch/secure-torch/sandbox"
	"github.com/secure-torch/secure-torch/sandbox/resident"
)

type watchFlags struct {
	format, failOn, sandbox, config, since string
	once                                   bool
}

func newWatchCmd() *cobra.Command {
	var flags watchFlags
	cmd := &cobra.Command{
		Use:   "watch PATH...",
		Short: "Scan model files and folders, and again whenever something in them changes",
		Long: `Scan what is there, then every file that appears or changes, once it has not been written to for a
moment, until interrupted. JSON is written one report a line; a line {"gone":[…]} names files that went.
With --once --since it scans what has changed since then, and ends: for a cron job.

Exit code, of the files as they were last seen: 1 findings at or above --fail-on; else 2 something could
not be examined; else 0.`,
		Example: "  secure-torch watch models/\n  secure-torch watch models/ --format json | jq .artifacts[].verdict\n  secure-torch watch models/ --once --since 24h",
		Args:    somePaths("watch", "models/"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runWatch(cmd, args, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.format, "format", "text", "text or json")
	f.StringVar(&flags.failOn, "fail-on", "", "lowest severity that makes the exit code 1: info, low, medium, high, critical or never (default high)")
	f.StringVar(&flags.sandbox, "sandbox", "", "strict, auto or off: confinement of the processes that read the files (default strict)")
	f.BoolVar(&flags.once, "once", false, "scan what is there, and end")
	f.StringVar(&flags.since, "since", "", "with --once: only what was written or moved here since: 24h, 2026-01-31T00:00:00Z, or a file whose time counts")
	f.StringVar(&flags.config, "config", "", "the config to use, instead of the nearest secure-torch.toml or pyproject.toml")
	return cmd
}

func runWatch(cmd *cobra.Command, paths []string, flags watchFlags) error {
	if err := oneOf("format", flags.format, "text", "json"); err != nil {
		return err
	}
	since, err := parseSince(flags, time.Now())
	if err != nil {
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
	mode, err := sandboxMode(cmp.Or(flags.sandbox, settings.Sandbox))
	if err != nil {
		return err
	}
	e, err := engine.New(engine.Options{Mode: mode, Digest: settings.NeedsDigest()})
	if err != nil {
		return withoutWorker(err, "nothing was scanned. --sandbox=auto takes what confinement there is")
	}
	defer e.Close()
	w := &watching{e: e, paths: paths, settings: settings, format: flags.format, out: cmd.OutOrStdout(),
		colors: report.Palette{On: colors}, bad: map[string]outcome{}, speakers: speakers{}}
	if flags.once {
		changes, err := watch.Since(paths, since)
		if err != nil {
			return withHint(err, "--once needs the paths to be there")
		}
		_, results := w.apply(cmd.Context(), changes)
		err = w.emit(results)
		if err != nil {
			return err
		}
	} else if err := w.run(cmd.Context(), cmd.ErrOrStderr()); err != nil {
		return err
	}
	return w.code(threshold)
}

// parseSince reads --since: a duration before now, a time, or a file's.
func parseSince(flags watchFlags, now time.Time) (time.Time, error) {
	if flags.since == "" {
		return time.Time{}, nil
	}
	if !flags.once {
		return time.Time{}, withHint(fmt.Errorf("--since goes with --once"), "watch %s --once --since %s", "PATH", flags.since)
	}
	if d, err := time.ParseDuration(flags.since); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if at, err := time.Parse(time.RFC3339, flags.since); err == nil {
		return at, nil
	}
	info, err := os.Stat(flags.since)
	if err != nil {
		return time.Time{}, withHint(fmt.Errorf("--since %q is no duration, no time and no file", flags.since), "like 24h, 2026-01-31T00:00:00Z, or a file that was touched last time")
	}
	return info.ModTime(), nil
}

// watching is a `watch` under way.
type watching struct {
	e        *engine.Engine
	paths    []string
	settings *config.Loaded
	format   string
	out      io.Writer
	colors   report.Palette
	bad      map[string]outcome // by absolute path: of a hundred thousand files only those are kept that count
	speakers speakers
}

// outcome is what a file adds to the exit code.
type outcome struct {
	worst    rule.Severity
	examined bool
}

// code is the exit code, of the files as they were last seen.
func (w *watching) code(threshold rule.Severity) error {
	code := exitOK
	for _, o := range w.bad {
		if o.worst >= threshold {
			return exitCode(exitFindings)
		}
		if !o.examined {
			code = exitTrouble
		}
	}
	if code != exitOK {
		return exitCode(code)
	}
	return nil
}

// watchGCPercent makes the collector run earlier than by default: a watcher sits there for days, and has time.
const watchGCPercent = 40

// firstScanRoom is the memory that the first scan takes beside what the watcher knows of the files, in bytes; before it
// takes more the collector works harder.
const firstScanRoom = 8 << 20

// tighten bounds what this process takes by what it has now, and firstScanRoom, until loosen is called. It is a wish: the
// collector never takes more than half of the time for it.
func tighten() (loosen func()) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, int64(m.Sys-m.HeapReleased)+firstScanRoom))
	return func() { debug.SetMemoryLimit(before) }
}

// settle gives back what was needed until now: memory, and pages of the program that its start alone has used. Where the
// system does not tell which those are they stay.
func (w *watching) settle() {
	debug.FreeOSMemory()
	_ = resident.Release()
}

// firstBatch is how many files of the first scan are reported at once.
const firstBatch = 500

// run returns nil when it is interrupted: that is how it ends.
func (w *watching) run(ctx context.Context, stderr io.Writer) error {
	debug.SetGCPercent(watchGCPercent)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watcher := watch.New(watch.Options{Notice: func(why string) { fmt.Fprintln(stderr, why) }})
	go watcher.Run(ctx)
	w.settle()
	watcher.Set(ctx, w.paths) // before the first scan: what changes during it is seen
	w.settle()
	loosen := tighten()
	var results []report.Result
	var broken error
	w.e.ScanAll(ctx, w.paths, func(a *engine.Artifact) {
		if results = append(results, report.Result{Artifact: a}); len(results) == firstBatch && broken == nil && ctx.Err() == nil {
			if broken = w.emit(results); broken != nil {
				cancel(broken)
			}
			results = nil
		}
	})
	loosen()
	w.settle() // the first scan needed more than what comes
	for broken == nil && ctx.Err() == nil {
		if broken = w.emit(results); broken != nil {
			break
		}
		results = nil
		select {
		case <-ctx.Done():
		case changes := <-watcher.Changes():
			var gone []string
			gone, results = w.apply(ctx, changes)
			broken = w.tellGone(gone)
		}
	}
	return broken
}

// apply scans what changed, several files at a time, and lists what went.
func (w *watching) apply(ctx context.Context, changes []watch.Change) (gone []string, results []report.Result) {
	var there []string
	for _, c := range changes {
		if c.Gone {
			delete(w.bad, c.Path)
			w.speakers.remove(c.Path)
			gone = append(gone, w.asked(c.Path))
		} else {
			there = append(there, c.Path)
		}
	}
	there = append(there, w.speakers.concerned(changes)...)
	results = make([]report.Result, len(there))
	next := make(chan int)
	var scanners sync.WaitGroup
	for range min(len(there), runtime.NumCPU()) {
		scanners.Go(func() {
			for i := range next {
				a := w.e.ScanTarget(sandbox.WithPriority(ctx, sandbox.Watching), artifact.Target{Path: there[i], Within: w.within(there[i])})
				a.Path = w.asked(there[i])
				results[i] = report.Result{Artifact: a}
			}
		})
	}
	for i := range there {
		next <- i
	}
	close(next)
	scanners.Wait()
	if ctx.Err() != nil {
		return gone, nil
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
			one := &report.Run{Results: results[i : i+1]}
			delete(w.bad, abs)
			w.speakers.add(abs)
			if o := (outcome{one.Worst(), one.Examined()}); o != (outcome{examined: true}) {
				w.bad[abs] = o
			}
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
