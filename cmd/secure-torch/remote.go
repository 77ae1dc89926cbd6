package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/hub"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/plain"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/ranges"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/s3"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/report"
)

// sources are what one command line asks to be scanned: paths, and references to stores here and elsewhere.
type sources struct {
	asked     []string
	refs      []ref.Ref
	full      bool
	offline   bool
	resolvers map[ref.Kind]remote.Resolver
	hub       *hub.Client
	tell      func(string)
	judge     *provenance.Checker // nil where nobody asks who made the files
}

// newSources reads the command line. Nothing is connected to yet.
func newSources(cmd *cobra.Command, asked []string, full, offline bool) (*sources, error) {
	settings, err := hub.FromEnv(os.Getenv)
	if err != nil {
		return nil, withHint(err, "HF_ENDPOINT is like https://huggingface.co")
	}
	s := &sources{asked: asked, full: full, tell: func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), text) }}
	for _, a := range asked {
		r, err := ref.Parse(a, settings.Endpoint.String())
		if err != nil {
			return nil, withHint(fmt.Errorf("%s: %w", report.Escape(a), err), "scan takes paths, hf:org/model[@revision][/path], https://…, s3://bucket/key, models:/name/version, ollama:name[:tag]")
		}
		s.refs = append(s.refs, r)
	}
	settings.Offline = settings.Offline || offline
	s.offline = settings.Offline
	opts := web.Options{UserAgent: "secure-torch/" + buildVersion(), Notice: s.tell}
	s.hub = hub.New(settings, hub.Options{Web: opts})
	s.resolvers = map[ref.Kind]remote.Resolver{ref.Hub: s.hub, ref.URL: plain.New(opts, ranges.Limits{}, s.offline)}
	store := s3.FromEnv(os.Getenv)
	store.Offline = s.offline
	s.resolvers[ref.S3] = s3.New(store, opts, ranges.Limits{})
	return s, nil
}

func (s *sources) close() { s.hub.Close() }

// scan scans what was asked for, in its order. A reference that can't be resolved ends it, when it is the only one;
// else it is an artifact that could not be scanned.
func (s *sources) scan(ctx context.Context, e *engine.Engine, visit func(*engine.Artifact)) error {
	for i := 0; i < len(s.refs) && ctx.Err() == nil; i++ {
		r := s.refs[i]
		if r.Kind == ref.Path {
			paths := []string{r.Value}
			for i+1 < len(s.refs) && s.refs[i+1].Kind == ref.Path {
				i++
				paths = append(paths, s.refs[i].Value)
			}
			s.missing(paths)
			e.ScanAll(ctx, paths, visit)
			continue
		}
		err := s.store(ctx, e, r, visit)
		if err == nil {
			continue
		}
		err = hintFor(r, err)
		if len(s.refs) == 1 {
			return err
		}
		if h, ok := errors.AsType[hinted](err); ok {
			s.tell(fmt.Sprintf("hint: %s: %s", report.Escape(s.asked[i]), h.hint))
		}
		visit(engine.Unscanned(s.asked[i], err))
	}
	return nil
}

// missing says what to do about paths that are not there; their reports say that they are not.
func (s *sources) missing(paths []string) {
	for _, p := range paths {
		if hint := missingHint(p); hint != "" {
			s.tell("hint: " + hint)
		}
	}
}

// missingHint is what to do about a path that is not there; nothing where it is.
func missingHint(path string) string {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	hint := report.Escape(path) + " is not here: check the spelling, and the folder that the command runs in"
	if strings.Contains(path, "/") && ref.IsRepo(path) {
		hint += "; of the hub it would be hf:" + path
	}
	return hint
}

// hintFor adds what to do about a reference that nothing was found at.
func hintFor(r ref.Ref, err error) error {
	if e, ok := errors.AsType[*remote.Error](err); ok {
		return withHint(err, "%s", e.Hint())
	}
	switch r.Kind {
	case ref.Hub:
		return withHint(err, "the network may not be used: drop --offline (or HF_HUB_OFFLINE, or offline in the config) to scan it on the hub without downloading it; the cache is where HF_HUB_CACHE or HF_HOME says")
	case ref.Ollama:
		return withHint(err, "`ollama list` shows what there is, `ollama pull` fetches it; the store is where OLLAMA_MODELS says")
	case ref.MLflow:
		return withHint(err, "the store is where MLFLOW_TRACKING_URI says, else ./mlruns; of a server download it first: mlflow artifacts download")
	}
	return withHint(err, "check the spelling")
}

// store scans what a reference to a store leads to: over the network, or, where that may not be used or the store
// is on this machine, on its disks.
func (s *sources) store(ctx context.Context, e *engine.Engine, r ref.Ref, visit func(*engine.Artifact)) error {
	resolver := s.resolvers[r.Kind]
	if resolver == nil || r.Kind == ref.Hub && s.offline {
		return s.local(ctx, e, r, visit)
	}
	list, err := resolver.Resolve(ctx, r)
	if err != nil {
		return err
	}
	for _, note := range list.Notes {
		s.tell(fmt.Sprintf("%s: %s", list.Name, note))
	}
	if r.Kind == ref.Hub && r.Type == ref.Models && r.File == "" {
		if plan, err := e.PlanRemote(ctx, ref.Options{}, list); err == nil && plan != nil { // where it can't be told, the scan says why
			s.tell(list.Name + ": " + planText(plan, list))
		}
	}
	if s.judge != nil && (r.Kind == ref.Hub || list.Beside != nil) {
		repo, files, next := s.judge.Repository(list, r), list.Files, visit
		visit = func(a *engine.Artifact) { // in the listing's order
			repo.Judge(ctx, &files[0], a)
			files = files[1:]
			next(a)
		}
	}
	e.ScanRemote(ctx, list, engine.RemoteOptions{Full: s.full}, s.hinting(visit))
	return nil
}

// hinting says, once for each kind of failure, what to do about files that could not be had.
func (s *sources) hinting(visit func(*engine.Artifact)) func(*engine.Artifact) {
	told := map[remote.Kind]bool{}
	return func(a *engine.Artifact) {
		if a.Origin != nil {
			if e, ok := errors.AsType[*remote.Error](a.Origin.Err); ok && !told[e.Kind] {
				told[e.Kind] = true
				s.tell("hint: " + e.Hint())
			}
		}
		visit(a)
	}
}

// planText is "transformers 5.24 reads model.safetensors; beside it lie pytorch_model.bin; it loads org/base too".
func planText(p *ref.Plan, list *remote.Listing) string {
	names := func(indices []int) string {
		const most = 4
		var out []string
		for _, i := range indices[:min(len(indices), most)] {
			out = append(out, report.Escape(list.Files[i].Path))
		}
		if more := len(indices) - most; more > 0 {
			out = append(out, fmt.Sprintf("%d more", more))
		}
		return strings.Join(out, ", ")
	}
	text := report.Escape(p.By) + " reads no weights of it by default"
	if len(p.Weights) > 0 {
		text = report.Escape(p.By) + " reads " + names(p.Weights) + " by default"
	}
	if len(p.Others) > 0 {
		text += "; not read: " + names(p.Others)
	}
	for _, e := range p.Elsewhere {
		text += "; it loads " + report.Escape(e) + " too, which is not scanned here"
	}
	return text
}

// local scans files of a store on this machine.
func (s *sources) local(ctx context.Context, e *engine.Engine, r ref.Ref, visit func(*engine.Artifact)) error {
	base := artifact.Base{}
	if r.Kind == ref.MLflow {
		base.WorkDir = "." // where ./mlruns is
	}
	found := artifact.Resolve(r, base)
	if len(found.Targets) == 0 {
		name := r.String()
		if r.Kind == ref.Ollama {
			name = "ollama:" + name
		}
		if strings.HasPrefix(found.Why, name) {
			return errors.New(found.Why)
		}
		return fmt.Errorf("%s: %s", name, found.Why)
	}
	for _, t := range found.Targets {
		visit(e.ScanTarget(ctx, t))
	}
	return nil
}

// localOnly refuses references, rather than looking for a file of that name.
func localOnly(paths []string) error {
	for _, p := range paths {
		if r, err := ref.Parse(p, ref.DefaultEndpoint); err != nil || r.Kind != ref.Path {
			return withHint(fmt.Errorf("%s is no file on this machine", report.Escape(p)), "`secure-torch scan` takes references to stores; download the file to look into it: nothing in it runs by downloading")
		}
	}
	return nil
}
