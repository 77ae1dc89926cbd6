package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// Origin says where the bytes of an artifact came from that is not on this machine, and what they cost.
type Origin struct {
	URI    string        `json:"uri"`
	Commit string        `json:"commit,omitempty"`
	Status remote.Status `json:"status"` // the word of the store's own scanners
	// Digest that the store names, "sha256:…" or "git-sha1:…"; Verified: the content was found to have it.
	Digest   string `json:"digest,omitempty"`
	Verified bool   `json:"verified"`
	Requests int    `json:"requests"`
	Bytes    int64  `json:"bytes"`
	// Err is why the content could not be had; it stands in the report too.
	Err error `json:"-"`
}

// RemoteOptions of a scan of remote files.
type RemoteOptions struct {
	// Full downloads every file, verifies its digest and scans all of it, instead of reading it by ranges.
	Full bool
	// Ahead is how many files are fetched at the same time; 0 for 32 by ranges, 4 in full.
	Ahead int
	// Deadline bounds the whole scan, however many files there are; 0 for an hour by ranges, a day in full.
	Deadline time.Duration
	// Skip are files of the listing, by index, that are not scanned and not visited.
	Skip []int
}

func (o RemoteOptions) withDefaults() RemoteOptions {
	ahead, deadline := 32, time.Hour
	if o.Full {
		ahead, deadline = 4, 24*time.Hour
	}
	if o.Ahead <= 0 {
		o.Ahead = ahead
	}
	o.Deadline = cmp.Or(o.Deadline, deadline)
	return o
}

// remoteDeadline bounds one file's scan: most of it is spent waiting for a server.
const remoteDeadline = 5 * time.Minute

// coverageRanges is the coverage mode of a file of which only some ranges were read.
const coverageRanges = "ranges"

// ScanRemote scans the files of a listing and visits their Artifacts in its order. The parent fetches what every
// scan begins with, many files at a time; a worker then asks for more where it needs it, and reaches no network
// itself. visit is called from one goroutine.
func (e *Engine) ScanRemote(ctx context.Context, list *remote.Listing, opts RemoteOptions, visit func(*Artifact)) {
	opts = opts.withDefaults()
	ctx, cancel := context.WithTimeoutCause(bulk(ctx), opts.Deadline, fmt.Errorf("the whole scan took longer than %s", opts.Deadline))
	defer cancel()
	around := newSurroundings(ctx, list)
	results := make([]chan *Artifact, len(list.Files)) // nil for what is skipped
	var wanted []int
	skip := make(map[int]bool, len(opts.Skip))
	for _, i := range opts.Skip {
		skip[i] = true
	}
	for i := range results {
		if !skip[i] {
			results[i], wanted = make(chan *Artifact, 1), append(wanted, i)
		}
	}
	next := make(chan int)
	turns := make(chan struct{}, e.opts.Workers) // workers at the same time
	var fetchers sync.WaitGroup
	for range min(opts.Ahead, len(list.Files)) {
		fetchers.Go(func() {
			for i := range next {
				r := remoteScan{e: e, file: list.Files[i], owner: list.Name, commit: list.Commit, turns: turns, start: time.Now(), around: around, index: i}
				if opts.Full && !r.small() {
					results[i] <- r.full(ctx)
				} else {
					results[i] <- r.ranges(ctx, opts.Full)
				}
			}
		})
	}
	go func() {
		defer close(next)
		for _, i := range wanted {
			next <- i
		}
	}()
	e.pool.Tune(e.opts.Workers, itemsInBulk)
	for _, i := range wanted {
		visit(<-results[i])
	}
	fetchers.Wait()
	e.pool.Tune(e.ahead(), 0)
}

// remoteScan is one remote file on its way.
type remoteScan struct {
	e      *Engine
	file   remote.File
	owner  string // the listing
	commit string
	turns  chan struct{}
	start  time.Time
	around *surroundings
	index  int // in the listing
}

func (s *remoteScan) label() string { return clip(modelscan.Text(path.Base(s.file.Path)), maxLabel) }

// artifact is what is known of the file before it was scanned.
func (s *remoteScan) artifact(r *modelscan.Report, size int64) *Artifact {
	o := &Origin{URI: s.file.URI, Commit: s.commit, Status: s.file.Status}
	switch {
	case s.file.SHA256 != "":
		o.Digest = "sha256:" + s.file.SHA256
	case s.file.BlobID != "":
		o.Digest = "git-sha1:" + s.file.BlobID
	}
	if s.file.Status.Level == "unsafe" {
		r.Findings = append(r.Findings, modelscan.Finding{Rule: rule.HubFlagged, Path: s.label(), Offset: -1, Subject: "securityFileStatus",
			Message: "the hub's own scanners say \"unsafe\"" + words(s.file.Status)})
	}
	return &Artifact{Path: s.file.Name, Report: r, Size: max(size, 0), Duration: time.Since(s.start), Origin: o}
}

// absent is the artifact of a file that could not be had.
func (s *remoteScan) absent(err error, size int64) *Artifact {
	a := s.artifact(unread(s.label(), err), size)
	a.Origin.Err = err
	return a
}

// words of the single scanners, those that object first named.
func words(st remote.Status) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(st.Scanners)) {
		if word := st.Scanners[name]; word != "safe" {
			parts = append(parts, name+": "+word)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// turn waits until a worker may be used. It returns nil when ctx ended first.
func (s *remoteScan) turn(ctx context.Context) (done func()) {
	select {
	case s.turns <- struct{}{}:
		return func() { <-s.turns }
	case <-ctx.Done():
		return nil
	}
}

// ranges scans the file without downloading it; of all of it, where that is asked for.
func (s *remoteScan) ranges(ctx context.Context, all bool) *Artifact {
	ctx, cancel := context.WithTimeoutCause(ctx, remoteDeadline, errors.New("the file took too long to fetch"))
	defer cancel()
	if a := s.cached(); a != nil && !all {
		return a
	}
	content := s.around.open(ctx, s.index)
	err := content.Prefetch(ctx)
	if err == nil && all {
		_, err = io.Copy(io.Discard, io.NewSectionReader(content, 0, content.Size()))
	}
	if err != nil {
		return s.spent(s.absent(err, content.Size()), content.Spent())
	}
	beside := s.around.beside(ctx, s, content)
	done := s.turn(ctx)
	if done == nil {
		return s.artifact(failed(s.label(), context.Cause(ctx)), content.Size())
	}
	report, box := s.request(ctx, content, beside)
	done()
	raw := *report
	a := s.artifact(report, content.Size())
	a.Sandbox = box
	s.spent(a, content.Spent())
	s.judge(a, content)
	s.keep(a, &raw, errors.Join(content.Err(), beside.err()))
	return a
}

func (s *remoteScan) spent(a *Artifact, cost remote.Cost) *Artifact {
	a.Origin.Requests, a.Origin.Bytes = cost.Requests, cost.Bytes
	return a
}

// request has a worker scan what content holds and fetches, and another one where the first died.
func (s *remoteScan) request(ctx context.Context, content remote.Content, beside *remoteBeside) (report *modelscan.Report, box Sandbox) {
	for range 2 {
		var err error
		if report, box, err = s.once(ctx, content, beside); !retry(err) {
			break
		}
	}
	return report, box
}

func (s *remoteScan) once(ctx context.Context, content remote.Content, beside *remoteBeside) (*modelscan.Report, Sandbox, error) {
	w, err := s.e.pool.Get(ctx, s.owner)
	if err != nil {
		return failed(s.label(), err), Sandbox{}, nil
	}
	limits := s.e.limits
	if _, whole := content.All(); !whole {
		limits.MaxRawSummed = 0 // a tensor's numbers are no more worth fetching than worth reading
	}
	item := sandbox.Item{
		Params: beside.params(limits), Deadline: remoteDeadline,
		Files: append([]sandbox.File{{Name: s.label(), Size: content.Size(), R: content}}, beside.files()...),
	}
	req := sandbox.Request{Kind: "scan", MaxResult: maxReport, Items: []sandbox.Item{item}}
	var report *modelscan.Report
	bad := true
	err = w.Run(ctx, req, func(_ int, answer []byte, handler error) bool {
		report, bad = readReport(answer, handler, s.label(), &s.e.limits)
		bad = bad || suspicious(report)
		return !bad
	})
	box := confinement(w.Confinement())
	if err != nil {
		report, bad = deathReport(s.label(), err), true
	}
	if bad || s.e.opts.OnePerArtifact {
		s.e.pool.Discard(w)
	} else {
		s.e.pool.Put(w)
	}
	return report, box, err
}

// judge adds what only the parent knows: reads that failed, and how much of the file was seen.
func (s *remoteScan) judge(a *Artifact, content remote.Content) {
	if err := content.Err(); err != nil {
		a.Report.Gaps = append(a.Report.Gaps, modelscan.Gap{Rule: fetchGap(err), Path: s.label(), Offset: -1, Reason: err.Error()})
	}
	all, whole := content.All()
	if !whole {
		a.Report.Coverage.Mode = coverageRanges
		a.Report.Coverage.Notes = append(a.Report.Coverage.Notes,
			fmt.Sprintf("read %d of %d bytes, in %d requests; the content's digest was not verified: --full does", a.Origin.Bytes, a.Size, a.Origin.Requests))
		return
	}
	sum := sha256.Sum256(all)
	a.Digest = "sha256:" + hex.EncodeToString(sum[:])
	if d := remote.NewDigest(s.file.SHA256, s.file.BlobID, int64(len(all))); d != nil {
		_, _ = d.Write(all) // a hash never fails
		s.verified(a, d)
	}
}

// verified compares the content that was read with the digest that the store names.
func (s *remoteScan) verified(a *Artifact, d *remote.Digest) {
	why := d.Mismatch()
	a.Origin.Verified = why == ""
	if why != "" {
		a.Report.Findings = append(a.Report.Findings, modelscan.Finding{Rule: rule.DigestMismatch, Path: s.label(), Offset: -1, Subject: "digest", Message: why})
	}
}

// fetchGap names the gap that a failed read is.
func fetchGap(err error) rule.ID {
	if errors.Is(err, remote.ErrBudget) {
		return rule.LimitReached
	}
	if kind, ok := remote.KindOf(err); ok && kind == remote.Changed {
		return rule.ChangedDuringScan
	}
	return rule.ReadError
}

// full downloads the file into a folder of its own, verifies its digest and scans it like any other.
func (s *remoteScan) full(ctx context.Context) *Artifact {
	fail := func(err error) *Artifact { return s.absent(err, s.file.Size) }
	dir, err := os.MkdirTemp("", "secure-torch-*")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	f, d, sum, err := s.download(ctx, filepath.Join(dir, "file"))
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	done := s.turn(ctx)
	if done == nil {
		return fail(context.Cause(ctx))
	}
	local, _, err := s.e.index(ctx, f, IndexNever, nil) // the copy lies beside nothing
	done()
	if err != nil {
		return fail(err)
	}
	a := s.artifact(local.Report, local.Size)
	a.Sandbox = local.Sandbox
	a.Origin.Bytes, a.Digest = local.Size, "sha256:"+sum
	if d != nil {
		s.verified(a, d)
	}
	return a
}

// download writes the file to path and opens it for reading, with the digests of what was written: as the store names
// it, and the SHA-256.
func (s *remoteScan) download(ctx context.Context, path string) (*artifact.File, *remote.Digest, string, error) {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, "", err
	}
	sum := sha256.New()
	d := remote.NewDigest(s.file.SHA256, s.file.BlobID, s.file.Size)
	to := []io.Writer{out, sum}
	if d != nil {
		to = append(to, d)
	}
	_, err = s.file.Download(ctx, io.MultiWriter(to...))
	if err = errors.Join(err, out.Close()); err != nil {
		return nil, nil, "", err
	}
	f, err := artifact.OpenEntry(path)
	if err != nil {
		return nil, nil, "", err
	}
	f.Path = s.file.Path // the label
	return f, d, hex.EncodeToString(sum.Sum(nil)), nil
}
