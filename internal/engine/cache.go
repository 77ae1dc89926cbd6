package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/cache"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// kept is what the cache has of an artifact. It is read back as a worker's report is: as hostile input.
type kept struct {
	Report   json.RawMessage
	Sandbox  Sandbox
	Digest   string
	Duration time.Duration
}

// settled is how long a file must not have changed before a report on it is kept: within a clock tick a
// change would not show in its times.
const settled = 2 * time.Second

// scope is the part of an entry's name that all files of an engine share: this very binary (with it the rules
// and lists) and what the reports depend on. It is empty where the binary can't be told from others.
func (e *Engine) scope() string {
	exe := e.opts.Exe
	if exe == "" {
		var err error
		if exe, err = os.Executable(); err != nil {
			return ""
		}
	}
	f, err := artifact.Open(exe)
	if err != nil {
		return ""
	}
	defer f.Close()
	limits, err := json.Marshal(e.limits)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%+v %s %d %v", f.Key, limits, e.opts.Mode, e.opts.Digest)
}

// entryOf is the name of the entry about a job's open file; ok is false where none may be kept.
func (e *Engine) entryOf(j *job) (name cache.Name, ok bool) {
	k := j.file.Key
	if e.opts.Cache == nil || e.cacheScope == "" || k.Ino == 0 || k.Ctime == 0 {
		return name, false
	}
	return cache.NameOf(e.cacheScope, j.label(), fmt.Sprintf("%+v", k), j.beside.state()), true
}

// cached is the artifact that the cache has about a job's open file, or nil.
func (e *Engine) cached(j *job) *Artifact {
	name, ok := e.entryOf(j)
	if !ok {
		return nil
	}
	content, ok := e.opts.Cache.Get(name)
	if !ok {
		return nil
	}
	var k kept
	if err := json.Unmarshal(content, &k); err != nil {
		return nil
	}
	report, err := decodeReport(k.Report, j.label(), &e.limits)
	if err != nil || j.file.Changed() != nil {
		return nil
	}
	return &Artifact{Path: j.target.Path, Report: report, Sandbox: k.Sandbox, Digest: k.Digest, Size: j.file.Key.Size, Duration: k.Duration, Cached: true}
}

// passing are the gaps that another try may not have.
var passing = []rule.ID{rule.ChangedDuringScan, rule.WorkerFailed, rule.ReadError}

// keep has the cache keep what a worker reported, unless it failed or another try may end otherwise.
func (e *Engine) keep(j *job, a *Artifact) {
	name, ok := e.entryOf(j)
	if !ok || a.Report.Failure != "" || j.file.Changed() != nil || j.beside.changed() != nil || time.Since(time.Unix(0, max(j.file.Key.Ctime, j.file.Key.Mtime))) < e.settled {
		return
	}
	for _, g := range a.Report.Gaps {
		if slices.Contains(passing, g.Rule) {
			return
		}
	}
	for _, f := range a.Report.Findings {
		if f.Rule == rule.ForbiddenCall {
			return
		}
	}
	report, err := json.Marshal(a.Report)
	if err != nil {
		return
	}
	if content, err := json.Marshal(kept{report, a.Sandbox, a.Digest, a.Duration}); err == nil {
		e.opts.Cache.Put(name, content)
		e.put.Add(1)
	}
}
