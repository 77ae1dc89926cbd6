package worker_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/modeltest/race"
	"github.com/secure-torch/secure-torch/internal/worker"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

func TestMain(m *testing.M) {
	if worker.Wanted(os.Args) {
		worker.Main()
	}
	os.Exit(m.Run())
}

// TestWasmAgrees: the worker as a WebAssembly module says the same of every file as the native one.
func TestWasmAgrees(t *testing.T) {
	needModule(t)
	cache := filepath.Join(t.TempDir(), "cache")
	native, module := open(t, engine.Options{Workers: 1}), open(t, engine.Options{Workers: 1, Mode: sandbox.Wasm, WasmCache: cache})
	for name, content := range map[string]string{
		"clean.pkl": "\x80\x02}q\x00.", "evil.pkl": "cposix\nsystem\n(S'echo pwned'\ntR.", "cut.pt": "PK\x03\x04\x14\x00", "empty.pt": "",
		"notes.txt": "plain text\n", "zeros.bin": string(make([]byte, 3<<20)),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		want, got := native.ScanFile(t.Context(), path), module.ScanFile(t.Context(), path)
		if got.Sandbox.Grade != "wasm" {
			t.Errorf("%s: grade %q: %+v", name, got.Sandbox.Grade, got.Report)
		}
		if got.Verdict() != want.Verdict() || len(got.Report.Findings) != len(want.Report.Findings) || len(got.Report.Gaps) != len(want.Report.Gaps) {
			t.Errorf("%s: %s %+v\nthe native worker: %s %+v", name, got.Verdict(), got.Report, want.Verdict(), want.Report)
		}
		if name == "evil.pkl" && got.Verdict() != modelscan.Unsafe {
			t.Errorf("%s: %s", name, got.Verdict())
		}
	}
	if info, err := os.Stat(cache); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("cache: %v, %v", info, err)
	}
}

// needModule skips a test where the module was not built, or takes minutes to compile, unless REQUIRE_WASM is set.
func needModule(t *testing.T) {
	t.Helper()
	required := os.Getenv("REQUIRE_WASM") != ""
	if race.Enabled && !required {
		t.Skip("compiling the module takes minutes under the race detector: `make test-wasm` runs this without")
	}
	_, err := worker.Module()
	if errors.Is(err, worker.ErrNotBuilt) && !required {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestWasmIsProven: a module asks its host for everything it must not have, and is refused all of it.
func TestWasmIsProven(t *testing.T) {
	needModule(t)
	d := sandbox.Diagnose(t.Context(), sandbox.Spec{Mode: sandbox.Wasm, CacheDir: filepath.Join(t.TempDir(), "cache")}, true)
	if !d.OK || d.Grade != sandbox.GradeWasm.String() || len(d.Probes) < 15 {
		t.Errorf("%+v", d)
	}
}

// TestWasmCacheMustBePrivate: compiled code that others may have written is not run.
func TestWasmCacheMustBePrivate(t *testing.T) {
	needModule(t)
	cache := t.TempDir()
	if err := os.Chmod(cache, 0o777); err != nil {
		t.Fatal(err)
	}
	if e, err := engine.New(engine.Options{Mode: sandbox.Wasm, WasmCache: cache}); err == nil {
		e.Close()
		t.Error("a cache that others can write to was used")
	}
}

// TestWasmNotBuilt: without the module the mode is refused, and nothing weaker is taken instead.
func TestWasmNotBuilt(t *testing.T) {
	if _, err := worker.Module(); err == nil {
		t.Skip("the module is built in")
	}
	if e, err := engine.New(engine.Options{Mode: sandbox.Wasm, WasmCache: t.TempDir()}); err == nil {
		e.Close()
		t.Error("a worker was started without the module that was asked for")
	}
}

func open(t *testing.T, opts engine.Options) *engine.Engine {
	t.Helper()
	e, err := engine.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}
