package wasm_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/secure-torch/secure-torch/internal/modeltest/race"
	"github.com/secure-torch/secure-torch/internal/worker"
	"github.com/secure-torch/secure-torch/sandbox"
	"github.com/secure-torch/secure-torch/sandbox/wasm"
)

// TestMain plays a worker around whose module the host has left everything open.
func TestMain(m *testing.M) {
	if worker.Wanted(os.Args) {
		cache, _ := sandbox.WasmHost(os.Args[2:])
		module, err := worker.Module()
		if err == nil {
			open := wazero.NewModuleConfig().WithArgs(sandbox.GuestArgs()...).WithFSConfig(wazero.NewFSConfig().WithDirMount("/", "/")).WithEnv("TOKEN", "x")
			err = wasm.HostWith(context.Background(), module, cache, open)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestProbesReachTheHost is the control run of the module's probes: with a folder and an environment handed
// in, they get at them.
func TestProbesReachTheHost(t *testing.T) {
	needModule(t)
	d := sandbox.Diagnose(t.Context(), sandbox.Spec{Mode: sandbox.Wasm, CacheDir: filepath.Join(t.TempDir(), "cache")}, true)
	if d.OK {
		t.Error("doctor calls a module proven that has a file system")
	}
	for _, want := range []string{"open a file", "stat a file", "list a folder", "a folder handed in", "a descriptor that is open", "an environment"} {
		if !slices.Contains(d.Probes, sandbox.ProbeState{Name: want, Outcome: sandbox.OutcomeAllowed}) {
			t.Errorf("%s: stopped where nothing stops it: %+v", want, d.Probes)
		}
	}
}

func needModule(t *testing.T) {
	t.Helper()
	required := os.Getenv("REQUIRE_WASM") != ""
	if race.Enabled && !required {
		t.Skip("compiling the module takes minutes under the race detector: `make test-wasm` runs this without")
	}
	if _, err := worker.Module(); err != nil {
		if required {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// TestWasmCache: a compiled module that was cut, or that can't be kept, is made anew; one in a folder of others' is not run.
func TestWasmCache(t *testing.T) {
	needModule(t)
	dir := filepath.Join(t.TempDir(), "cache")
	start := func(cache string) error {
		w, err := sandbox.Start(t.Context(), sandbox.Spec{Mode: sandbox.Wasm, CacheDir: cache})
		if err == nil {
			w.Close()
		}
		return err
	}
	if err := start(dir); err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(kept) == 0 {
		t.Fatalf("nothing is kept: %v", err)
	}
	for _, file := range kept {
		if err := os.Truncate(file, 1000); err != nil {
			t.Fatal(err)
		}
	}
	if err := start(dir); err != nil {
		t.Errorf("cut: %v", err)
	}
	if err := start("/dev/null/cache"); err != nil {
		t.Errorf("no place: %v", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := start(dir); err == nil {
		t.Error("what others can write was run")
	}
}
