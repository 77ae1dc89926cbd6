package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/sandbox"
)

func newDoctorCmd() *cobra.Command {
	var asJSON, all bool
	var mode, role string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Prove the sandbox: start real workers and have them try what they must not",
		Long: `Start confined workers as a scan does and have each try one thing it must not be able to do.
What is said about the sandbox comes from these tries alone.

Exit code: 0 when the mode asked for is reached and every try was stopped, else 2.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := sandboxMode(mode)
			if err != nil {
				return err
			}
			if err := oneOf("role", role, string(sandbox.Scan), string(sandbox.Trust)); err != nil {
				return err
			}
			spec := sandbox.Spec{Mode: m, Role: sandbox.Role(role)}
			if m == sandbox.Wasm {
				spec.CacheDir = engine.WasmCache()
			}
			d := sandbox.Diagnose(cmd.Context(), spec, all)
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				err = enc.Encode(d)
			} else {
				err = doctorText(cmd.OutOrStdout(), d)
			}
			if err != nil {
				return err
			}
			if !d.OK {
				return exitCode(exitTrouble)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&all, "all", false, "try every forbidden call there is a probe for, not one for each way out")
	cmd.Flags().StringVar(&mode, "sandbox", "strict", "strict, auto, wasm, process or off")
	cmd.Flags().StringVar(&role, "role", "scan", "whose workers: scan (model files) or trust (signatures and policies)")
	return cmd
}

// advice for a layer that is missing.
var advice = map[string]string{
	sandbox.LayerLandlock: "a kernel of 5.13 or newer with landlock in its lsm= list, and no container profile around that forbids it; without it the filter alone keeps files out of reach",
	sandbox.LayerSeccomp:  "run on Linux, outside of a container profile that forbids seccomp(2); or --sandbox=auto, which takes what there is and says so",
}

// withoutWorker returns err, for which there is no worker, with a next step: hint, which is about --sandbox, where
// that makes a difference.
func withoutWorker(err error, hint string) error {
	if errors.Is(err, sandbox.ErrNoProc) {
		hint = "mount procfs at /proc (mount -t proc proc /proc); no --sandbox does without"
	}
	return withHint(err, "%s", hint)
}

func doctorText(out io.Writer, d sandbox.Diagnosis) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(d.Layers) > 0 {
		fmt.Fprintln(w, "LAYER\tNEEDED\tFOUND\t")
	}
	for _, l := range d.Layers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Name, yesNo(l.Needed, "yes", "no"), yesNo(l.InForce, "in force", "absent"), layerDetail(d, l))
	}
	if len(d.Probes) > 0 {
		fmt.Fprintln(w, "\nATTEMPT\tOUTCOME\t\t")
	}
	for _, p := range d.Probes {
		fmt.Fprintf(w, "%s\t%s\t%s\t\n", p.Name, report.Escape(p.Outcome), yesNo(p.Stopped || p.Outcome == sandbox.OutcomeUntried, "", "NOT STOPPED"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case d.Mode == sandbox.Wasm.String() && d.Start > 0:
		fmt.Fprintf(out, "\nThere is no filter around the module. A worker was ready after %s.\n", d.Start.Round(100*time.Microsecond))
	case d.Start > 0:
		fmt.Fprintf(out, "\nThe kernel confirms the filter on %d of %d threads. A worker (%s) was ready after %s.\n",
			d.Threads.Filtered, d.Threads.Seen, d.Executable, d.Start.Round(100*time.Microsecond))
	}
	if d.Problem != "" {
		fmt.Fprintf(out, "Problem: %s\n", report.Escape(d.Problem))
	}
	_, err := fmt.Fprintf(out, "Sandbox %s: %s, %s\n", d.Mode, yesNo(d.Grade != "", "grade "+d.Grade, "no worker"), yesNo(d.OK, "proven", "NOT GOOD ENOUGH"))
	return err
}

func layerDetail(d sandbox.Diagnosis, l sandbox.LayerState) string {
	switch {
	case !l.InForce && l.Why != "":
		text := report.Escape(l.Why)
		if a := advice[l.Name]; a != "" {
			text += "; needs " + a
		}
		return text
	case l.InForce && l.Name == sandbox.LayerLandlock:
		return fmt.Sprintf("ABI %d", d.ABI)
	case l.InForce && l.Name == sandbox.LayerSeccomp:
		return fmt.Sprintf("%s, %d calls listed, everything else kills", d.Backend, d.Entries)
	}
	return ""
}

func yesNo(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}
