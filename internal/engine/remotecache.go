package engine

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/secure-torch/secure-torch/internal/cache"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// keptRemote is what the cache has of a remote file that was read by ranges.
type keptRemote struct {
	kept
	Size int64
	// Verified: all of it was read, and had the digest that the store names.
	Verified bool
	// Notes and Ranges are of the coverage, where not all of it was read.
	Ranges bool
	Notes  []string
}

// entry is the name of the cache's entry about the file; ok is false where none may be kept: nothing else pins the
// content than a commit and a digest that the store names for it. A store that serves another content under the same
// digest lies to a scan without a cache too. The name has the URL in it: no repository speaks for another's files.
func (s *remoteScan) entry() (name cache.Name, ok bool) {
	pin := s.file.SHA256 + s.file.BlobID
	if s.e.opts.Cache == nil || s.e.cacheScope == "" || s.commit == "" || pin == "" || s.file.Size < 0 {
		return name, false
	}
	around, ok := s.around.state(s.index)
	return cache.NameOf(s.e.cacheScope, "remote", s.label(), s.file.URI, s.commit, pin, fmt.Sprint(s.file.Size), around), ok
}

// cached is the artifact that the cache has about the file, or nil.
func (s *remoteScan) cached() *Artifact {
	name, ok := s.entry()
	if !ok {
		return nil
	}
	content, ok := s.e.opts.Cache.Get(name)
	if !ok {
		return nil
	}
	var k keptRemote
	if err := json.Unmarshal(content, &k); err != nil {
		return nil
	}
	report, err := decodeReport(k.Report, s.label(), &s.e.limits)
	if err != nil {
		return nil
	}
	if k.Ranges {
		report.Coverage.Mode, report.Coverage.Notes = coverageRanges, append(report.Coverage.Notes, k.Notes...)
	}
	a := s.artifact(report, k.Size)
	a.Sandbox, a.Digest, a.Duration, a.Cached, a.Origin.Verified = k.Sandbox, k.Digest, k.Duration, true, k.Verified
	return a
}

// keep has the cache keep what a worker reported, raw, unless another try may end otherwise.
func (s *remoteScan) keep(a *Artifact, raw *modelscan.Report, readErr error) {
	name, ok := s.entry()
	if !ok || readErr != nil || a.Report.Failure != "" {
		return
	}
	for _, f := range a.Report.Findings {
		if f.Rule == rule.ForbiddenCall || f.Rule == rule.DigestMismatch {
			return
		}
	}
	for _, g := range a.Report.Gaps {
		if slices.Contains(passing, g.Rule) {
			return
		}
	}
	report, err := json.Marshal(raw)
	if err != nil {
		return
	}
	k := keptRemote{kept: kept{report, a.Sandbox, a.Digest, a.Duration}, Size: a.Size, Verified: a.Origin.Verified}
	if a.Report.Coverage.Mode == coverageRanges {
		k.Ranges, k.Notes = true, a.Report.Coverage.Notes[len(raw.Coverage.Notes):]
	}
	if content, err := json.Marshal(k); err == nil {
		s.e.opts.Cache.Put(name, content)
		s.e.put.Add(1)
	}
}
