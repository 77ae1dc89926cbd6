package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/convert"
	"github.com/secure-torch/secure-torch/internal/describe"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/index"
)

func newConvertCmd() *cobra.Command {
	var mode string
	var fd int
	var force, asJSON bool
	c := conversion{}
	cmd := &cobra.Command{
		Use:   "convert IN OUT.safetensors",
		Short: "Write the tensors of a checkpoint or a pickled module as safetensors",
		Long: `Write the tensors of a checkpoint or a pickled module as safetensors, without running anything of it.

The input is scanned first; one that is not safe to load is refused, and so is one that has tensors outside of its
state_dict or module, unless --all or --only says what becomes of them. What is left out is named on standard error. Tensors that are the same are written once, the
other names stand in the metadata (secure_torch.ties) beside the input's SHA-256. The new file is read back and compared.`,
		Args: operands(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := sandboxMode(mode)
			if err != nil {
				return err
			}
			if err := mayReplace(args[0], args[1], force); err != nil {
				return err
			}
			in, err := openInput(fd, args[0])
			if err != nil {
				return err
			}
			defer in.Close() // opened for reading
			c.python = fd >= 0
			if c.engine, err = engine.New(engine.Options{Mode: m, Workers: 1, Lazy: true}); err != nil {
				return err
			}
			defer c.engine.Close()
			plan, err := c.run(cmd.Context(), cmd.ErrOrStderr(), in, args[1])
			if err != nil {
				return err
			}
			return tell(cmd.OutOrStdout(), args[1], plan, asJSON)
		},
	}
	cmd.Flags().StringVar(&mode, "sandbox", "strict", "strict, auto, process or off")
	cmd.Flags().IntVar(&c.most, "max-threat-score", 20, "highest threat score that is converted")
	cmd.Flags().BoolVar(&force, "force", false, "replace OUT if it exists")
	cmd.Flags().StringVar(&c.sel.Only, "only", "", `take the dict or module with these dotted keys (model.state_dict; "." is the outermost), leave the rest`)
	cmd.Flags().BoolVar(&c.sel.All, "all", false, "take every tensor in dicts, lists and modules, by dotted names")
	cmd.MarkFlagsMutuallyExclusive("only", "all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was written as JSON")
	// What st.convert calls: its file is open, and IN is only what it is called.
	cmd.Flags().IntVar(&fd, "fd", -1, "descriptor of the file, open for reading")
	_ = cmd.Flags().MarkHidden("fd") // fails for a flag that does not exist
	return cmd
}

// leftOut tells what of the file is not converted. Tensors are left out only when --only says so.
func (c conversion) leftOut(w io.Writer, plan *index.Plan) error {
	if plan.LeftEntries == 0 {
		return nil
	}
	var names []string
	for _, l := range plan.Left[:min(len(plan.Left), 10)] {
		name := report.Escape(l.Name)
		if len(name) > 100 {
			name = strings.ToValidUTF8(name[:100], "") + "…"
		}
		if l.Tensors > 0 {
			name += fmt.Sprintf(" (%d tensors)", l.Tensors)
		}
		names = append(names, name)
	}
	if more := plan.LeftEntries - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	if plan.LeftTensors > 0 && c.sel.All { // in objects of classes that are no modules
		return withHint(fmt.Errorf("%d tensors would be left out: %s", plan.LeftTensors, strings.Join(names, ", ")),
			"pass %s the keys of the dict or module to take", c.word("--only with", "only="))
	}
	if plan.LeftTensors > 0 && c.sel.Only == "" {
		from := cmp.Or(plan.From, ".")
		return withHint(fmt.Errorf("%d tensors would be left out: %s", plan.LeftTensors, strings.Join(names, ", ")),
			"pass %s to take them by dotted names, or %s to leave them out", c.word("--all", "all=True"),
			c.word("--only "+report.Escape(from), "only='"+report.Escape(from)+"'"))
	}
	_, err := fmt.Fprintf(w, "left out: %s\n", strings.Join(names, ", "))
	return err
}

// word is how whoever reads the hint says it: on the command line, or as an argument of st.convert.
func (c conversion) word(option, argument string) string {
	if c.python {
		return argument
	}
	return option
}

// mayReplace refuses to write over the input, by whatever name, and over another file unless force says so.
func mayReplace(from, to string, force bool) error {
	out, err := os.Stat(to)
	if err == nil {
		if in, err := os.Stat(from); err == nil && os.SameFile(in, out) {
			return withHint(fmt.Errorf("%s and %s are the same file", report.Escape(from), report.Escape(to)), "name another file for the output")
		}
		if out.IsDir() {
			return fmt.Errorf("%s is a folder", report.Escape(to))
		}
	}
	if _, err := os.Lstat(to); err == nil && !force {
		return withHint(fmt.Errorf("%s exists", report.Escape(to)), "pass --force to replace it")
	}
	return nil
}

// openInput opens the file, or takes the open descriptor if there is one.
func openInput(fd int, name string) (*artifact.File, error) {
	if fd < 0 {
		return artifact.Open(name)
	}
	return describe.Descriptor(fd, name)
}

// conversion is how a file is converted.
type conversion struct {
	engine *engine.Engine
	most   int // the highest threat score that is converted
	sel    index.Selection
	python bool // st.convert asks
}

func (c conversion) run(ctx context.Context, stderr io.Writer, in *artifact.File, to string) (*index.Plan, error) {
	plan, err := planOf(ctx, c.engine, in, c.most, c.sel)
	if err != nil {
		return nil, err
	}
	if err := c.leftOut(stderr, plan); err != nil {
		return nil, err
	}
	return plan, convert.Write(to, in, in.Key.Size, plan, func(written string, digests map[string]convert.Digest) error {
		if err := in.Changed(); err != nil {
			return err
		}
		if err := verify(ctx, c.engine, written, plan, digests); err != nil {
			return fmt.Errorf("%s was not written: the new file is not what it should be: %w", report.Escape(to), err)
		}
		return nil
	})
}

// tell prints what was written.
func tell(w io.Writer, to string, plan *index.Plan, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]any{"tensors": len(plan.Tensors), "ties": plan.Ties})
	}
	names := ""
	if n := len(plan.Ties); n > 0 {
		names = report.Count(n, "more name", "more names") + " of them, "
	}
	_, err := fmt.Fprintf(w, "%s: %s, %sread back and compared\n", report.Escape(to), report.Count(len(plan.Tensors), "tensor", "tensors"), names)
	return err
}

func verify(ctx context.Context, e *engine.Engine, path string, source *index.Plan, want map[string]convert.Digest) error {
	out, err := artifact.Open(path)
	if err != nil {
		return err
	}
	defer out.Close() // opened for reading
	if len(source.Tensors) == 0 {
		return nil
	}
	plan, err := planOf(ctx, e, out, 0, index.Selection{})
	if err != nil {
		return err
	}
	return convert.Verify(out, out.Key.Size, plan, want, source)
}

// planOf scans a file and has the worker say where its tensors are.
func planOf(ctx context.Context, e *engine.Engine, f *artifact.File, most int, sel index.Selection) (*index.Plan, error) {
	a, body, err := e.PlanFile(ctx, f, sel.Only, sel.All)
	if err != nil {
		return nil, err
	}
	score := a.Report.Score().Total
	if v := a.Verdict(); v != modelscan.Safe && v != modelscan.Review || score > most {
		return nil, withHint(fmt.Errorf("%s is not safe to load: verdict %s, threat score %d", report.Escape(f.Path), v, score),
			"see `secure-torch scan` for what is in it")
	}
	if len(body) < 16 || binary.LittleEndian.Uint64(body[8:]) != uint64(len(body)-16) {
		return nil, fmt.Errorf("the worker's answer is not understood")
	}
	switch tag := string(body[:4]); tag {
	case index.TagPlan:
		var plan index.Plan
		dec := json.NewDecoder(bytes.NewReader(body[16:]))
		dec.DisallowUnknownFields()
		return &plan, dec.Decode(&plan)
	case index.TagFailure:
		return nil, fmt.Errorf("%s can't be converted: %s", report.Escape(f.Path), report.Escape(string(body[16:])))
	}
	return nil, fmt.Errorf("the worker's answer is not understood")
}
