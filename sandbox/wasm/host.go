// Package wasm runs a worker that was compiled to WebAssembly: it has memory of its own, standard
// input and output to its parent, clocks and random numbers. No file, network or process is within its
// reach, for nothing it imports offers any. The process around it can be killed as any worker.
package wasm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// memoryPages bounds the module's memory: 1 GiB in pages of 64 KiB, as the data limit of other workers.
const memoryPages = 1 << 14

// Host runs the module's main with the given arguments until it ends. cacheDir, if not empty, keeps the
// compiled module: what lies there is run, so that it has to be the user's own and nobody else's.
func Host(ctx context.Context, module []byte, cacheDir string, args []string) error {
	return host(ctx, module, cacheDir, wazero.NewModuleConfig().WithArgs(args...))
}

// host is Host with a configuration that may hold more than there should be, for the control run of the probes.
func host(ctx context.Context, module []byte, cacheDir string, has wazero.ModuleConfig) error {
	b, err := build(ctx, module, cacheDir)
	if err != nil {
		return err
	}
	defer b.close(ctx)
	_, err = b.runtime.InstantiateModule(ctx, b.module, has.WithStdin(os.Stdin).WithStdout(os.Stdout).WithStderr(os.Stderr).
		WithSysNanotime().WithSysWalltime().WithSysNanosleep().WithRandSource(rand.Reader))
	if exit, ok := errors.AsType[*sys.ExitError](err); ok && exit.ExitCode() == 0 {
		return nil
	}
	return err
}

// built is the module as machine code.
type built struct {
	cache   wazero.CompilationCache // nil for none
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

func (b *built) close(ctx context.Context) {
	if b.runtime != nil {
		b.runtime.Close(ctx)
	}
	if b.cache != nil {
		b.cache.Close(ctx)
	}
}

// build takes the machine code that is kept, or makes it. Where it can't be kept, or what is kept was cut (a disk that was
// full, a start that was killed), it is made for this process alone.
func build(ctx context.Context, module []byte, cacheDir string) (*built, error) {
	if cacheDir == "" || os.MkdirAll(cacheDir, 0o700) != nil {
		return compile(ctx, module, "")
	}
	if err := private(cacheDir); err != nil {
		return nil, err
	}
	b, err := compile(ctx, module, cacheDir)
	if err == nil {
		return b, nil
	}
	_ = os.RemoveAll(cacheDir) // the next start keeps it anew, where it can
	return compile(ctx, module, "")
}

func compile(ctx context.Context, module []byte, cacheDir string) (*built, error) {
	b := &built{}
	if err := b.compile(ctx, module, cacheDir); err != nil {
		b.close(ctx)
		return nil, err
	}
	return b, nil
}

func (b *built) compile(ctx context.Context, module []byte, cacheDir string) (err error) {
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages)
	if cacheDir != "" {
		if b.cache, err = wazero.NewCompilationCacheWithDir(cacheDir); err != nil {
			return fmt.Errorf("cache of the compiled worker: %w", err)
		}
		config = config.WithCompilationCache(b.cache)
	}
	b.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, b.runtime); err != nil {
		return err
	}
	if b.module, err = b.runtime.CompileModule(ctx, module); err != nil {
		return fmt.Errorf("compile the worker: %w", err)
	}
	return nil
}

// private checks that nobody else can write to the folder.
func private(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", dir)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%s can be written by others: what lies there would be run", dir)
	}
	return owned(dir, info)
}
