package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/cache"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/sandbox"
)

// modelScanner scans for an editor. Asked for no mode it is strict where that can be had; where it cannot,
// it takes the strongest confinement there is and says so once. A mode that was asked for is kept.
type modelScanner struct {
	notices chan string // of size 1
	cache   *cache.Store
	log     *slog.Logger
	judge   func() (engine.Judge, error)
	known   func() *engine.Engine // answers from the cache, and starts no worker; nil where there is none
	engine  func() (*engine.Engine, error)

	mu      sync.Mutex
	closing []func()
}

// scannerOptions of a modelScanner.
type scannerOptions struct {
	sandbox string
	cache   *cache.Store // nil for none
	log     *slog.Logger // nil for none
}

// newModelScanner starts no worker before the first scan. The engines come from newEngine.
func newModelScanner(opts scannerOptions, newEngine func(engine.Options) (*engine.Engine, error)) (*modelScanner, error) {
	mode, err := sandboxMode(opts.sandbox)
	if err != nil {
		return nil, err
	}
	m := &modelScanner{notices: make(chan string, 1), cache: opts.cache, log: opts.log}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	degrade := opts.sandbox == ""
	m.judge = sync.OnceValues(func() (engine.Judge, error) { return m.newJudge(mode, degrade) })
	m.known = sync.OnceValue(func() *engine.Engine {
		judge, err := m.judge()
		if err != nil || m.cache == nil {
			return nil
		}
		e, err := newEngine(engine.Options{Mode: mode, Lazy: true, Judge: judge, Cache: m.cache})
		if err != nil {
			return nil // the other says why
		}
		m.later(e.Close)
		return e
	})
	m.engine = sync.OnceValues(func() (*engine.Engine, error) {
		e, err := m.start(mode, degrade, newEngine)
		if err == nil {
			m.later(e.Close)
		}
		return e, err
	})
	return m, nil
}

// later has something done when the scanner is closed.
func (m *modelScanner) later(done func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closing = append(m.closing, done)
}

func (m *modelScanner) newJudge(mode sandbox.Mode, degrade bool) (engine.Judge, error) {
	if degrade {
		mode = sandbox.Auto // strict where that can be had
	}
	judge, err := newUserJudge(mode, func(err error) { m.log.Error("trust policy: the one before holds", "err", err) })
	if err != nil {
		return nil, err
	}
	m.later(judge.asker.Close)
	return judge, nil
}

// start makes an engine; one that may degrade proves first that strict workers start here.
func (m *modelScanner) start(mode sandbox.Mode, degrade bool, newEngine func(engine.Options) (*engine.Engine, error)) (*engine.Engine, error) {
	judge, err := m.judge()
	if err != nil {
		return nil, err
	}
	e, err := newEngine(engine.Options{Mode: mode, Lazy: !degrade, Judge: judge, Cache: m.cache})
	if err == nil || !degrade {
		return e, err
	}
	if _, missing := errors.AsType[*sandbox.UnavailableError](err); !missing {
		return newEngine(engine.Options{Mode: mode, Lazy: true, Judge: judge, Cache: m.cache}) // a worker that did not start once: each scan tries again
	}
	m.notices <- err.Error() + ". Models are examined in the strongest sandbox that this system has; every report says which. " +
		"Set --sandbox=strict to have none examined instead"
	return newEngine(engine.Options{Mode: sandbox.Auto, Lazy: true, Judge: judge, Cache: m.cache})
}

// ScanTarget implements lsp.Scanner. What is known from before needs no worker.
func (m *modelScanner) ScanTarget(ctx context.Context, target artifact.Target) *engine.Artifact {
	a := m.scan(ctx, target)
	m.log.Info("scanned", "path", target.Path, "cached", a.Cached, "verdict", a.Verdict(), "took", a.Duration)
	return a
}

func (m *modelScanner) scan(ctx context.Context, target artifact.Target) *engine.Artifact {
	if e := m.known(); e != nil {
		if a := e.KnownTarget(ctx, target); a != nil {
			return a
		}
	}
	e, err := m.engine()
	if err != nil {
		return engine.Unscanned(target.Path, err)
	}
	return e.ScanTarget(ctx, target)
}

// InspectTarget implements lsp.Inspector.
func (m *modelScanner) InspectTarget(ctx context.Context, target artifact.Target, listing engine.Listing) (*engine.Artifact, string) {
	e, err := m.engine()
	if err != nil {
		return engine.Unscanned(target.Path, err), ""
	}
	return e.InspectTarget(ctx, target, listing)
}

// Plan is check.Options.Plan: which files of a folder a call reads. No worker is started where there is nothing to ask.
func (m *modelScanner) Plan(ctx context.Context, o ref.Options, found artifact.Resolution) artifact.Resolution {
	if o == (ref.Options{}) || found.Root == "" {
		return found
	}
	e, err := m.engine()
	if err != nil {
		return found
	}
	return e.Plan(ctx, o, found)
}

// Close ends the workers.
func (m *modelScanner) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, done := range slices.Backward(m.closing) {
		done()
	}
	m.closing = nil
}
