package engine

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/cache"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// Options of an Engine. The zero Options are those of `scan`.
type Options struct {
	Mode sandbox.Mode
	// Workers that scan at the same time; 0 for one per CPU.
	Workers int
	// Limits of one scan; nil for modelscan.DefaultLimits.
	Limits *modelscan.Limits
	// Digest computes every file's sha256, which reads all of it.
	Digest bool
	// OnePerArtifact gives every file a worker of its own.
	OnePerArtifact bool
	// Lazy starts no worker before the first file: New then can't tell that there is no sandbox.
	Lazy bool
	// Deadline of a file of no size; 0 for the default. Larger files get more.
	Deadline time.Duration
	// WasmCache is the folder, private to the user, that keeps the compiled worker of sandbox.Wasm; empty
	// for one in the user's cache folder.
	WasmCache string
	// Procs bounds the threads that compute at the same time in one worker; 0 for 2.
	Procs int
	// Judge, if not nil, looks at what lies beside each file on this machine.
	Judge Judge
	// Exe is the executable that serves as worker; empty for this one.
	Exe string
	// Cache, when set, keeps reports on local files between runs. An entry holds for one file as it is on this
	// machine (device, inode, size and both times), under one name, for this very binary, these limits, this
	// mode and this choice of Digest. What was cut short or changed meanwhile is never kept.
	Cache *cache.Store
}

// Engine scans files in confined workers. It is safe for use by several goroutines.
type Engine struct {
	opts   Options
	limits modelscan.Limits
	pool   *sandbox.Pool
	plans  plans
	owners artifact.Owners

	cacheScope string
	settled    time.Duration
	put        atomic.Int64 // entries given to the cache
}

// New returns an engine. Unless opts.Lazy is set it starts a worker first, and the error is a
// *sandbox.UnavailableError when the confinement asked for cannot be had.
func New(opts Options) (*Engine, error) {
	if opts.Workers <= 0 {
		opts.Workers = runtime.NumCPU()
	}
	e := &Engine{opts: opts, limits: modelscan.DefaultLimits(), settled: settled}
	if opts.Limits != nil {
		e.limits = *opts.Limits
	}
	if opts.Digest {
		e.limits.MaxRawSummed = -1 // every byte is read anyway
	}
	if opts.Cache != nil {
		e.cacheScope = e.scope()
	}
	e.pool = sandbox.NewPool(sandbox.Spec{Mode: opts.Mode, Exe: opts.Exe, Procs: opts.Procs, CacheDir: wasmCache(opts)}, e.ahead())
	e.pool.Limit(opts.Workers)
	if !opts.Lazy {
		if err := e.pool.Ready(context.Background()); err != nil {
			e.pool.Close()
			return nil, err
		}
	}
	return e, nil
}

// wasmCache is empty, and the module is compiled every time, where the user has no cache folder.
func wasmCache(opts Options) string {
	if opts.Mode != sandbox.Wasm || opts.WasmCache != "" {
		return opts.WasmCache
	}
	return WasmCache()
}

// WasmCache is the folder in the user's cache folder that keeps the compiled worker of sandbox.Wasm; empty
// where the user has none.
func WasmCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "secure-torch", "wasm")
}

// ahead is the number of workers kept ready while nobody asks for many.
func (e *Engine) ahead() int {
	if e.opts.Lazy {
		return 0
	}
	return 1
}

// bulk lets files of which there are many wait behind those that somebody looks at, unless the caller says otherwise.
func bulk(ctx context.Context) context.Context {
	if _, said := sandbox.PriorityOf(ctx); said {
		return ctx
	}
	return sandbox.WithPriority(ctx, sandbox.Bulk)
}

// InBackground marks what is done for nobody who waits: it lets everything else go first.
func InBackground(ctx context.Context) context.Context {
	return sandbox.WithPriority(ctx, sandbox.Bulk)
}

// Close ends the workers.
func (e *Engine) Close() {
	e.pool.Close()
	if e.put.Load() > 0 {
		_, _ = e.opts.Cache.Prune(cache.DefaultSize) // what is left over is pruned another time
	}
}

// ScanFile scans the file at path. A path that cannot be scanned is an Artifact that says so.
func (e *Engine) ScanFile(ctx context.Context, path string) *Artifact {
	return e.ScanTarget(ctx, artifact.Target{Path: path})
}

// ScanTarget scans a file that a reference was resolved to.
func (e *Engine) ScanTarget(ctx context.Context, target artifact.Target) *Artifact {
	var out *Artifact
	s := scanner{e: e, batch: 1}
	s.scan(ctx, []*job{{target: target}}, func(_ int, a *Artifact) { out = a })
	return out
}

// KnownTarget is what ScanTarget would answer from the cache, without a worker; nil where it would need one.
func (e *Engine) KnownTarget(ctx context.Context, target artifact.Target) *Artifact {
	j := &job{target: target}
	if e.opts.Cache == nil || j.open() != nil {
		return nil
	}
	defer j.close()
	if j.cached = e.cached(j); j.cached == nil {
		return nil
	}
	if e.opts.Judge != nil {
		j.judge = e.opts.Judge.Begin(ctx, target.Path, j.file)
	}
	s := scanner{e: e, batch: 1}
	return s.finish(j, j.cached)
}

// Deadline of one file: parsing never needs long, but a machine may be busy.
const (
	deadlineBase = 20 * time.Second
	bytesPerSec  = 25 << 20
)

func (e *Engine) deadline(size int64) time.Duration {
	d := cmp.Or(e.opts.Deadline, deadlineBase) + time.Duration(size/bytesPerSec)*time.Second
	if e.opts.Mode == sandbox.Wasm {
		d *= 8 // how much slower it is
	}
	return d
}

// confinement describes a worker in an Artifact.
func confinement(c sandbox.Confinement) Sandbox {
	s := Sandbox{Grade: c.Grade().String(), Layers: c.Layers}
	for layer, why := range c.Missing {
		if s.Missing == nil {
			s.Missing = map[string]string{}
		}
		s.Missing[layer] = why
	}
	return s
}

// failed is the report on a file that could not be scanned at all.
func failed(label string, err error) *modelscan.Report {
	return &modelscan.Report{
		Artifact: label, Formats: []string{}, Findings: []modelscan.Finding{}, Gaps: []modelscan.Gap{},
		Coverage: modelscan.Coverage{Mode: "full"}, Failure: fmt.Sprint(err),
	}
}

// Unscanned is the artifact of a file that no engine could be had for.
func Unscanned(path string, err error) *Artifact {
	return &Artifact{Path: path, Report: failed(filepath.Base(path), err)}
}
