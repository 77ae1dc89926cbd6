package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/secure-torch/secure-torch/sandbox/probe"
)

// probeKind is the kind of job that makes one forbidden call. Every worker has it.
const probeKind = "sandbox.probe"

type probeParams struct {
	Name   string `json:"name"`
	Parent int    `json:"parent"`
}

// Diagnosis is what `doctor` found out by trying.
type Diagnosis struct {
	Version int    `json:"version"` // of this layout: docs/schema/doctor.json
	Role    Role   `json:"role"`
	Mode    string `json:"mode"`
	// Executable is what the workers are: "scan-worker", the small one that this program holds, or
	// "secure-torch", this program.
	Executable string        `json:"executable,omitempty"`
	Grade      string        `json:"grade"` // of the layers in force, also where the mode wants more; empty without a worker
	OK         bool          `json:"ok"`    // the mode is reached and every probe was stopped
	Problem    string        `json:"problem,omitempty"`
	Layers     []LayerState  `json:"layers"`
	Backend    string        `json:"backend,omitempty"`
	Entries    int           `json:"filter_entries,omitempty"`
	ABI        int           `json:"landlock_abi,omitempty"`
	Threads    ThreadState   `json:"threads"`
	Start      time.Duration `json:"start_ns"` // from nothing to a confined worker
	Probes     []ProbeState  `json:"probes"`
}

// LayerState is one layer as a worker found it.
type LayerState struct {
	Name    string `json:"name"`
	InForce bool   `json:"in_force"`
	Needed  bool   `json:"needed"` // by the mode asked for
	Why     string `json:"why,omitempty"`
}

// ThreadState says on how many of a worker's threads the kernel confirms the filter.
type ThreadState struct {
	Seen     int `json:"seen"`
	Filtered int `json:"filtered"`
}

// unconfirmed says that the kernel does not confirm on every thread what is to be in force.
func (t ThreadState) unconfirmed(what string) string {
	if t.Seen == 0 {
		return "the kernel shows no thread of the process: /proc hides it (mounted with hidepid), so that nothing confirms " + what
	}
	return fmt.Sprintf("the kernel confirms %s on %d of %d threads only", what, t.Filtered, t.Seen)
}

// ProbeState is what came of one forbidden call.
type ProbeState struct {
	Name string `json:"name"`
	// Outcome is "killed", "allowed", the name of the error the call got, or why it was not tried.
	Outcome string `json:"outcome"`
	Stopped bool   `json:"stopped"`
}

// Outcomes of a probe that did not come back with an error number.
const (
	OutcomeKilled  = "killed"
	OutcomeAllowed = "allowed"
	OutcomeUntried = "not tried" // nothing would have stopped it, and it would have ended the process
)

// Diagnose starts workers as spec says and has them try what they must not be able to do. all makes
// every probe there is, not one for each way out.
func Diagnose(ctx context.Context, spec Spec, all bool) Diagnosis {
	d := Diagnosis{Version: 1, Role: spec.role(), Mode: spec.Mode.String(), Layers: []LayerState{}, Probes: []ProbeState{}}
	began := time.Now()
	w, err := Start(ctx, spec)
	if err != nil {
		d.Problem = err.Error()
		if missing, ok := errors.AsType[*UnavailableError](err); ok && missing.Reached.Layers != nil {
			d.reached(spec.Mode, missing.Reached)
		}
		return d
	}
	d.Start = time.Since(began)
	d.Executable = "secure-torch"
	if w.twin {
		d.Executable = "scan-worker"
	}
	c := w.Confinement()
	d.reached(spec.Mode, c)
	if spec.Mode == Wasm {
		d.inModule(ctx, w)
	} else {
		d.Threads = w.threads()
	}
	w.Close()
	if spec.Mode != Wasm {
		d.inProcesses(ctx, spec, c, all)
	}
	for _, p := range d.Probes {
		if !p.Stopped && d.Problem == "" {
			d.Problem = "what is forbidden was not stopped: " + p.Name
		}
	}
	d.OK = d.Problem == ""
	return d
}

// inProcesses has a process of its own make each forbidden call: it dies of it.
func (d *Diagnosis) inProcesses(ctx context.Context, spec Spec, c Confinement, all bool) {
	switch {
	case !c.Has(LayerSeccomp):
		d.Problem = "there is no filter: nothing keeps a worker from files, network and programs"
	case d.Threads.Seen != d.Threads.Filtered || d.Threads.Seen == 0:
		d.Problem = d.Threads.unconfirmed("the filter")
	}
	for _, p := range probeNames(all) {
		d.Probes = append(d.Probes, spec.tryProbe(ctx, p))
	}
}

// inModule has one module ask for everything: it is refused, and lives on.
func (d *Diagnosis) inModule(ctx context.Context, w *Worker) {
	for _, name := range probe.WasmNames() {
		d.Probes = append(d.Probes, w.probe(ctx, name))
	}
}

func (d *Diagnosis) reached(mode Mode, c Confinement) {
	d.Grade, d.Backend, d.Entries, d.ABI = c.Grade().String(), c.Backend, c.Entries, c.ABI
	if mode == Wasm {
		d.Layers = append(d.Layers, LayerState{Name: LayerWasm, InForce: c.Has(LayerWasm), Needed: true, Why: c.Missing[LayerWasm]})
		return
	}
	for _, name := range []string{LayerDumpable, LayerRlimits, LayerNoNewPrivs, LayerLandlock, LayerSeccomp} {
		d.Layers = append(d.Layers, LayerState{
			Name: name, InForce: c.Has(name), Needed: mode == Strict && name != LayerLandlock, Why: c.Missing[name],
		})
	}
}

type probeName struct {
	name  string
	alone bool // not to be tried where nothing stops it
}

// tryProbe has a worker of its own make one call.
func (s Spec) tryProbe(ctx context.Context, p probeName) ProbeState {
	state := ProbeState{Name: p.name, Outcome: OutcomeUntried}
	w, err := Start(ctx, s)
	if err != nil {
		state.Outcome = err.Error()
		return state
	}
	defer w.Close()
	if p.alone && !w.Confinement().Has(LayerSeccomp) {
		return state
	}
	return w.probe(ctx, p.name)
}

// probe has a worker try one thing.
func (w *Worker) probe(ctx context.Context, name string) ProbeState {
	state := ProbeState{Name: name, Outcome: OutcomeUntried}
	req := Request{Kind: probeKind, MaxResult: 1 << 10, Items: []Item{{
		Params: probeParams{Name: name, Parent: os.Getpid()}, Deadline: 10 * time.Second,
	}}}
	returned := false
	err := w.Run(ctx, req, func(_ int, answer []byte, handler error) bool {
		state.Outcome, returned = string(answer), handler == nil
		if handler != nil { // the call was not made
			state.Outcome = handler.Error()
		}
		return true
	})
	if f, ok := errors.AsType[*Failure](err); ok {
		state.Outcome = f.Error()
		if f.Kind == Forbidden {
			state.Outcome = OutcomeKilled
		}
	}
	state.Stopped = returned && state.Outcome != OutcomeAllowed || state.Outcome == OutcomeKilled
	return state
}
