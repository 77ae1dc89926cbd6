package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
	"github.com/secure-torch/secure-torch/trust/sbom"
)

// maxTensors bounds the tensors of one file whose numbers are counted.
const maxTensors = 200_000

type sbomFlags struct{ format, output, name, version, created, sandbox, read string }

func newSbomCmd() *cobra.Command {
	var flags sbomFlags
	cmd := &cobra.Command{
		Use:   "sbom PATH",
		Short: "Write a bill of materials for a model, or show what one says",
		Long: `Scan a model, a file or a folder, hash its files and write a bill of materials: files with digests, licence, data sets and
base models from the model card, type and sizes from config.json, the number of parameters read from the weights, and what
the scan found as vulnerabilities. With --read, show what an SPDX, CycloneDX or aiProfile document says, as policies see it.`,
		Example: "  secure-torch sbom model/ --format spdx3 --output sbom.spdx.json\n  secure-torch sbom --read sbom.spdx.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			mode, err := sandboxMode(flags.sandbox)
			if err != nil {
				return err
			}
			switch {
			case flags.read != "" && len(args) == 0:
				return showSBOM(cmd, mode, flags.read)
			case len(args) == 1 && flags.read == "":
				return writeSBOM(cmd, mode, args[0], flags)
			}
			return withHint(errors.New("name one model, or --read one document"), "see `secure-torch sbom --help`")
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.format, "format", sbom.SPDX3, "spdx3 (SPDX 3.0.1), spdx2 (SPDX 2.3) or cyclonedx (CycloneDX 1.7)")
	f.StringVarP(&flags.output, "output", "o", "", "write to a file instead of standard output")
	f.StringVar(&flags.name, "name", "", "name of the model (default that of its repository or folder)")
	f.StringVar(&flags.version, "model-version", "", "version of the model (default the commit of its repository)")
	f.StringVar(&flags.created, "created", "", "time to write as that of creation, as in 2026-01-31T00:00:00Z, for documents that come out the same again (default now)")
	f.StringVar(&flags.read, "read", "", "show what this document says")
	f.StringVar(&flags.sandbox, "sandbox", "strict", "strict, auto or off: confinement of the processes that read the files")
	return cmd
}

// showSBOM prints what a document says.
func showSBOM(cmd *cobra.Command, mode sandbox.Mode, path string) error {
	asker := provenance.NewAsker(mode, "")
	defer asker.Close()
	doc, err := provenance.ReadSBOM(cmd.Context(), asker, path)
	if err != nil {
		return err
	}
	if doc.State == evidence.Invalid {
		return withHint(fmt.Errorf("%s: %s", report.Escape(path), report.Escape(doc.Message)), "docs/sbom.md lists the formats that are read")
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

func writeSBOM(cmd *cobra.Command, mode sandbox.Mode, path string, flags sbomFlags) error {
	if err := oneOf("format", flags.format, sbom.SPDX3, sbom.SPDX2, sbom.CycloneDX); err != nil {
		return err
	}
	inventory, err := takeInventory(cmd, mode, path, flags)
	if err != nil {
		return err
	}
	text, err := sbom.Write(flags.format, inventory)
	if err != nil {
		return err
	}
	if flags.output == "" {
		_, err = cmd.OutOrStdout().Write(text)
		return err
	}
	return provenance.WriteFile(flags.output, text, 0o644)
}

// takeInventory scans and hashes the model's files, and reads what lies beside them.
func takeInventory(cmd *cobra.Command, mode sandbox.Mode, path string, flags sbomFlags) (*sbom.Inventory, error) {
	source := provenance.SourceOf(filepath.Join(path, "file"))
	v := &sbom.Inventory{Created: time.Now(), Tool: "secure-torch", ToolVer: buildVersion()}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	v.Name, v.Version = cmp.Or(flags.name, source.Repo, filepath.Base(full)), cmp.Or(flags.version, source.Commit)
	if source.Repo != "" {
		v.PURL = "pkg:huggingface/" + source.Repo + "@" + source.Commit
	}
	if flags.created != "" {
		if v.Created, err = time.Parse(time.RFC3339, flags.created); err != nil {
			return nil, withHint(fmt.Errorf("--created %q is no time", flags.created), "as in 2026-01-31T00:00:00Z")
		}
	}
	limits := modelscan.DefaultLimits()
	limits.MaxFacts = maxTensors
	e, err := engine.New(engine.Options{Mode: mode, Digest: true, Limits: &limits})
	if err != nil {
		return nil, withoutWorker(err, "--sandbox=auto takes what confinement there is")
	}
	defer e.Close()
	root := full
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.IsDir() {
		root = filepath.Dir(full)
	}
	w := weights{}
	e.ScanAll(cmd.Context(), []string{path}, func(a *engine.Artifact) { err = errors.Join(err, take(v, w, a, root)) })
	if err = errors.Join(err, cmd.Context().Err()); err != nil {
		return nil, err
	}
	if len(v.Files) == 0 {
		return nil, fmt.Errorf("there are no files in %s", report.Escape(path))
	}
	v.Parameters = w.total()
	return v, beside(cmd, mode, v, root)
}

// take adds one scanned file, to the inventory and to its weights.
func take(v *sbom.Inventory, w weights, a *engine.Artifact, root string) error {
	sum, ok := strings.CutPrefix(a.Digest, "sha256:")
	if !ok {
		return fmt.Errorf("%s was not hashed: %s", report.Escape(a.Path), report.Escape(a.Report.Failure))
	}
	full, err := filepath.Abs(a.Path)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(root, full)
	if err != nil {
		return err
	}
	f := sbom.File{Name: report.Escape(filepath.ToSlash(name)), Size: a.Size, SHA256: sum, Formats: a.Report.Formats, Verdict: a.Verdict().String()}
	for _, x := range a.Report.Findings {
		r, _ := rule.Get(x.Rule)
		if r.Severity > rule.Info {
			f.Findings = append(f.Findings, sbom.Finding{
				Rule: string(x.Rule), Name: r.Name, Severity: r.Severity.String(), Message: report.Escape(x.Message), CWE: r.CWE, Score: r.Score,
			})
		}
	}
	v.Files = append(v.Files, f)
	w.add(filepath.Dir(name), a.Report)
	return nil
}

// weights are the numbers of parameters, by format and by folder and name of the tensor: the same weights often lie in a
// repository in several formats and precisions, and are one model.
type weights map[string]map[string]int64

func (w weights) add(dir string, r *modelscan.Report) {
	for _, fact := range r.Facts {
		if fact.Kind != modelscan.TensorFact || len(r.Formats) == 0 {
			continue
		}
		format := r.Formats[0]
		if w[format] == nil {
			w[format] = map[string]int64{}
		}
		key := dir + "\x00" + cmp.Or(fact.Name, fact.Path) // arrays of an .npz have no names but those of their members
		w[format][key] = max(w[format][key], elements(fact.Shape))
	}
}

// total is that of the format which has the most.
func (w weights) total() (most int64) {
	for _, tensors := range w {
		var n int64
		for _, elements := range tensors {
			n += elements
		}
		most = max(most, n)
	}
	return most
}

// elements is how many numbers a tensor of that shape has; 0 where that is more than any model has.
func elements(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > 0 && n > (1<<50)/d {
			return 0
		}
		n *= d
	}
	return n
}

// beside reads the model card and config.json in the model's folder, in the trust worker.
func beside(cmd *cobra.Command, mode sandbox.Mode, v *sbom.Inventory, root string) error {
	asker := provenance.NewAsker(mode, "")
	defer asker.Close()
	for _, name := range []string{"README.md", "config.json"} {
		path := filepath.Join(root, name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		doc, err := provenance.ReadSBOM(cmd.Context(), asker, path)
		if err != nil {
			return err
		}
		if doc.State != evidence.Valid {
			continue // a README without front matter, another config.json
		}
		p := doc.Profile
		if name == "README.md" {
			v.Profile = p
			continue
		}
		v.Profile.ModelType, v.Profile.Architecture = cmp.Or(p.ModelType, v.Profile.ModelType), cmp.Or(p.Architecture, v.Profile.Architecture)
		v.Profile.Hyperparameters = p.Hyperparameters
	}
	return nil
}
