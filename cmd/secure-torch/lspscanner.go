package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/sandbox"
)

// modelScanner scans for an editor. Asked for no mode it is strict where that can be had; where it cannot,
// it takes the strongest confinement there is and says so once. A mode that was asked for is kept.
type modelScanner struct {
	notices chan string // of size 1
	engine  func() (*engine.Engine, error)

	mu    sync.Mutex
	begun *engine.Engine // to be closed
	done  func()         // with signatures
}

// newModelScanner starts no worker before the first scan. The engines come from newEngine.
func newModelScanner(word string, newEngine func(engine.Options) (*engine.Engine, error)) (*modelScanner, error) {
	mode, err := sandbox.ParseMode(word)
	if err != nil {
		return nil, withHint(fmt.Errorf("--sandbox: %w", err), "use strict, auto, wasm, process or off")
	}
	m := &modelScanner{notices: make(chan string, 1)}
	m.engine = sync.OnceValues(func() (*engine.Engine, error) {
		e, err := m.start(mode, word == "", newEngine)
		m.mu.Lock()
		m.begun = e
		m.mu.Unlock()
		return e, err
	})
	return m, nil
}

// start makes an engine; one that may degrade proves first that strict workers start here.
func (m *modelScanner) start(mode sandbox.Mode, degrade bool, newEngine func(engine.Options) (*engine.Engine, error)) (*engine.Engine, error) {
	judging := mode
	if degrade {
		judging = sandbox.Auto // strict where that can be had
	}
	judge, done, err := editorChecker(judging)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.done = done
	m.mu.Unlock()
	e, err := newEngine(engine.Options{Mode: mode, Lazy: !degrade, Judge: judge})
	if err == nil || !degrade {
		return e, err
	}
	if _, missing := errors.AsType[*sandbox.UnavailableError](err); !missing {
		return newEngine(engine.Options{Mode: mode, Lazy: true, Judge: judge}) // a worker that did not start once: each scan tries again
	}
	m.notices <- err.Error() + ". Models are examined in the strongest sandbox that this system has; every report says which. " +
		"Set --sandbox=strict to have none examined instead"
	return newEngine(engine.Options{Mode: sandbox.Auto, Lazy: true, Judge: judge})
}

// ScanTarget implements lsp.Scanner.
func (m *modelScanner) ScanTarget(ctx context.Context, target artifact.Target) *engine.Artifact {
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
	if m.begun != nil {
		m.begun.Close()
	}
	if m.done != nil {
		m.done()
	}
}
