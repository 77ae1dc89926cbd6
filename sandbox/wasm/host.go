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
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages)
	if cacheDir != "" {
		if err := private(cacheDir); err != nil {
			return err
		}
		cache, err := wazero.NewCompilationCacheWithDir(cacheDir)
		if err != nil {
			return fmt.Errorf("cache of the compiled worker: %w", err)
		}
		defer cache.Close(ctx)
		config = config.WithCompilationCache(cache)
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	defer runtime.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return err
	}
	compiled, err := runtime.CompileModule(ctx, module)
	if err != nil {
		return fmt.Errorf("compile the worker: %w", err)
	}
	_, err = runtime.InstantiateModule(ctx, compiled, has.WithStdin(os.Stdin).WithStdout(os.Stdout).WithStderr(os.Stderr).
		WithSysNanotime().WithSysWalltime().WithSysNanosleep().WithRandSource(rand.Reader))
	if exit, ok := errors.AsType[*sys.ExitError](err); ok && exit.ExitCode() == 0 {
		return nil
	}
	return err
}

// private makes the folder, or checks that nobody else can write to it.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
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
