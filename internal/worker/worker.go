// Package worker is the main of a confined worker: it puts the format engine behind sandbox.Serve.
package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/internal/repo"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/formats"
	"github.com/secure-torch/secure-torch/sandbox"
)

// Wanted tells whether args (os.Args) ask this process to be a worker. A test binary whose tests
// scan files calls it first thing in TestMain, and Main if it says yes.
func Wanted(args []string) bool { return len(args) > 1 && args[1] == sandbox.Verb }

// Main serves until the parent hangs up, and ends the process.
func Main() {
	if err := serve(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(3)
	}
	os.Exit(0)
}

// jobs by kind, but for KindScan.
var jobs = map[string]func(sandbox.Job, io.Writer) error{
	KindIndex:   indexFile,
	KindInspect: inspect,
	KindPlan:    planFiles,
	KindFollow:  follow,
}

// Kinds of job.
const (
	// KindScan scans one file and answers a modelscan.Report. Params are ScanParams. More files are Python beside it.
	KindScan = "scan"
	// KindIndex scans one file and describes its objects. Params are IndexParams. The answer is the length of
	// the report (32 bits, little-endian), the report, and then the sections of an index.Index or one FAIL
	// section with the reason why there is none.
	KindIndex = "index"
	// KindInspect scans one file and shows what is in it. Params are InspectParams. The answer is the length of
	// the report (32 bits, little-endian), the report, and then text.
	KindInspect = "inspect"
	// KindPlan tells which files of a model folder a call reads. Params are a ref.Question, the answer is a
	// ref.Plan, or null where no rule holds.
	KindPlan = "plan"
	// KindFollow tells what else has to go with a scan: Params and files are those of KindScan, the answer is the
	// indices into ScanParams.Beside of files that were not opened and that a loader would import.
	KindFollow = "follow"
)

// newHandler does the jobs of one worker.
func newHandler() sandbox.Handler {
	s := &scans{}
	return func(job sandbox.Job, out io.Writer) error {
		if job.Kind == KindScan {
			return s.scan(job, out)
		}
		do, ok := jobs[job.Kind]
		if !ok {
			return fmt.Errorf("unknown kind of job %q", job.Kind)
		}
		return do(job, out)
	}
}

// scans remembers what was asked last: it is the same for most files.
type scans struct {
	text   []byte
	params ScanParams
}

func (s *scans) scan(job sandbox.Job, out io.Writer) error {
	if len(job.Files) == 0 {
		return errors.New("a scan without a file")
	}
	if s.text == nil || !bytes.Equal(s.text, job.Params) {
		var params ScanParams
		if err := json.Unmarshal(job.Params, &params); err != nil {
			return err
		}
		s.text, s.params = bytes.Clone(job.Params), params
	}
	report := scanReport(job.Files[0], s.params.Limits)
	if s.params.Beside != nil || s.params.Cut {
		repo.Beside(context.Background(), report, tree(job, &s.params), s.params.Limits)
		makeText(report)
	}
	return json.NewEncoder(out).Encode(report)
}

func follow(job sandbox.Job, out io.Writer) error {
	if len(job.Files) == 0 {
		return errors.New("nothing to follow")
	}
	var params ScanParams
	if err := json.Unmarshal(job.Params, &params); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(repo.Wanted(tree(job, &params), params.Limits))
}

// tree is a job's first file with what lies beside it.
func tree(job sandbox.Job, params *ScanParams) *repo.Tree {
	t := &repo.Tree{Source: source(job.Files[0]), Names: params.Beside, Cut: params.Cut}
	for _, f := range job.Files[1:] {
		t.Modules = append(t.Modules, source(f))
	}
	return t
}

// ScanParams are what a scan is asked.
type ScanParams struct {
	modelscan.Limits
	// Beside names all files in the folder of the one that is scanned, and what Python imports of those below it; nil
	// where that is not known. Cut says that there are more.
	Beside []string `json:",omitempty"`
	Cut    bool     `json:",omitempty"`
}

func source(f sandbox.Input) modelscan.Source {
	return modelscan.Source{Name: f.Name, R: f, Size: f.Size, As: repo.Format(f.Name)}
}

func scanReport(f sandbox.Input, limits modelscan.Limits) *modelscan.Report {
	src := source(f)
	report := modelscan.Scan(context.Background(), src, formats.All(), limits)
	addTensors(report, src, limits)
	makeText(report)
	return report
}

// makeText makes every string fit for the way to the parent.
func makeText(r *modelscan.Report) {
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Path, f.Subject, f.Message = text(f.Path), text(f.Subject), text(f.Message)
	}
	for i := range r.Gaps {
		g := &r.Gaps[i]
		g.Path, g.Reason = text(g.Path), text(g.Reason)
	}
	for i := range r.Facts {
		f := &r.Facts[i]
		f.Path, f.Name, f.Value = text(f.Path), text(f.Name), text(f.Value)
	}
	for i, note := range r.Coverage.Notes {
		r.Coverage.Notes[i] = text(note)
	}
	r.Artifact = text(r.Artifact)
}

// maxText bounds one string of a report, in bytes. The parent refuses longer ones.
const maxText = 4096

func text(s string) string {
	const cut = "…"
	s = modelscan.Text(s)
	if len(s) <= maxText {
		return s
	}
	n := maxText - len(cut)
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + cut
}
