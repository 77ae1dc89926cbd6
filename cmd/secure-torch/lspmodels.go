package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/hub"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/lsp"
	"github.com/secure-torch/secure-torch/sandbox"
	"github.com/secure-torch/secure-torch/trust/publisher"
)

// userJudge judges by the user's own trust policy as it is now: one that he edits holds from the next scan on. One that
// has become unreadable does not: that before it does.
type userJudge struct {
	asker *sandbox.Pool
	tell  func(error)

	mu      sync.Mutex
	checker *provenance.Checker
	stamp   policyStamp
}

// policyStamp changes with the policy's file.
type policyStamp struct {
	size int64
	time time.Time
}

func stampOf(file string) policyStamp {
	info, err := os.Stat(file)
	if err != nil {
		return policyStamp{}
	}
	return policyStamp{info.Size(), info.ModTime()}
}

// newUserJudge fails where the policy can't be read.
func newUserJudge(mode sandbox.Mode, tell func(error)) (*userJudge, error) {
	j := &userJudge{asker: provenance.NewAsker(mode, ""), tell: tell}
	if err := j.load(); err != nil {
		j.asker.Close()
		return nil, err
	}
	return j, nil
}

func (j *userJudge) load() error {
	j.stamp = stampOf(userTrustPolicy())
	policy, err := loadTrustPolicy("")
	if err != nil {
		return err
	}
	j.checker = provenance.NewChecker(j.asker, provenance.Settings{Trust: policy, TrustedRoot: fetchedRoot()})
	return nil
}

// Begin implements engine.Judge.
func (j *userJudge) Begin(ctx context.Context, path string, f *artifact.File) func(*engine.Artifact) {
	j.mu.Lock()
	if stampOf(userTrustPolicy()) != j.stamp {
		if err := j.load(); err != nil {
			j.tell(err)
		}
	}
	checker := j.checker
	j.mu.Unlock()
	return checker.Begin(ctx, path, f)
}

// Choices implements lsp.Truster. Only an identity that somebody vouches for can be written into a policy: of a key or a
// certificate the signature does not bring what is needed.
func (m *modelScanner) Choices(a *engine.Artifact) []lsp.TrustChoice {
	s := a.Signature
	if s == nil || s.State != evidence.Valid || s.Method != evidence.Sigstore || s.Signer == "" || s.Issuer == "" {
		return nil
	}
	source := provenance.SourceOf(a.Path)
	if strings.ContainsAny(source.Path, "*?[") {
		return nil // it can't be told from a pattern
	}
	if source.Kind == "hub" {
		owner, _, _ := strings.Cut(source.Repo, "/")
		return []lsp.TrustChoice{{Title: "Only this model", Match: "hf:" + source.Repo}, {Title: "All of " + owner, Match: "hf:" + owner + "/*"}}
	}
	return []lsp.TrustChoice{{Title: "Only this model", Match: "path:" + source.Path}, {Title: "All in its folder", Match: "path:" + path.Dir(source.Path) + "/*"}}
}

// Trust implements lsp.Truster.
func (m *modelScanner) Trust(a *engine.Artifact, match string) error {
	file := userTrustPolicy()
	if file == "" {
		return errors.New("this system has no folder for a policy of your own")
	}
	text, err := provenance.ReadMaterial(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s := a.Signature
	out, err := publisher.Add(text, match, publisher.Publisher{Signer: s.Signer, Issuer: s.Issuer, Repository: s.Repository, Workflow: s.Workflow},
		func(name string) ([]byte, error) {
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(file), name)
			}
			return provenance.ReadMaterial(name)
		})
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return config.ReplaceFile(file, out)
}

// Convert implements lsp.Converter.
func (m *modelScanner) Convert(ctx context.Context, target artifact.Target, to string) error {
	if err := mayReplace(target.Path, to, false); err != nil {
		return err
	}
	e, err := m.engine()
	if err != nil {
		return err
	}
	in, err := artifact.Open(target.Path, target.Within...)
	if err != nil {
		return err
	}
	defer in.Close() // opened for reading
	_, err = conversion{engine: e, most: maxConverted}.run(ctx, io.Discard, in, to)
	return err
}

// maxConverted is the highest threat score of what is converted, as with `convert`.
const maxConverted = 20

// ScanHub implements lsp.HubScanner: by ranges, and only what the call would read.
func (m *modelScanner) ScanHub(ctx context.Context, r ref.Ref, o ref.Options) (*lsp.HubReport, error) {
	e, err := m.engine()
	if err != nil {
		return nil, err
	}
	settings, err := hub.FromEnv(os.Getenv)
	if err != nil {
		return nil, err
	}
	client := hub.New(settings, hub.Options{Web: web.Options{UserAgent: "secure-torch/" + buildVersion(), Notice: func(text string) { m.log.Warn("hub", "notice", text) }}})
	defer client.Close()
	list, err := client.Resolve(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &lsp.HubReport{Commit: list.Commit, Notes: list.Notes}
	var unread []int
	if r.File == "" {
		if plan, err := e.PlanRemote(ctx, o, list); err == nil && plan != nil {
			out.Notes = append(out.Notes, planText(plan, list))
			unread = plan.Others
		}
	}
	e.ScanRemote(ctx, list, engine.RemoteOptions{Skip: unread}, func(a *engine.Artifact) { out.Files = append(out.Files, a) })
	slices.SortStableFunc(out.Files, func(a, b *engine.Artifact) int { return int(b.Verdict()) - int(a.Verdict()) })
	return out, ctx.Err()
}
