package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/modelscan/index"
	"github.com/secure-torch/secure-torch/sandbox"
)

// newIndexCmd is what st.load calls: one open descriptor in; report and object graph out.
func newIndexCmd() *cobra.Command {
	var fd int
	var name, graph, mode string
	var trust trustFlags
	cmd := &cobra.Command{
		Use:    "index --fd N",
		Short:  "Scan an open descriptor and describe the objects in it, for the Python package",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("graph", graph, "loadable", "always", "never"); err != nil {
				return err
			}
			m, err := sandbox.ParseMode(mode)
			if err != nil {
				return err
			}
			how := map[string]engine.IndexMode{"loadable": engine.IndexIfLoadable, "always": engine.IndexAlways, "never": engine.IndexNever}
			return indexDescriptor(cmd, fd, name, how[graph], m, &trust)
		},
	}
	cmd.Flags().IntVar(&fd, "fd", -1, "descriptor of the file, open for reading")
	cmd.Flags().StringVar(&name, "name", "model", "what the report calls the file")
	cmd.Flags().StringVar(&graph, "graph", "loadable", "describe the objects: when loadable, always or never")
	trust.add(cmd)
	cmd.Flags().StringVar(&trust.sbom, "sbom", "", "the bill of materials, instead of the one beside the file")
	cmd.Flags().StringVar(&mode, "sandbox", "strict", "strict, auto, process or off")
	return cmd
}

func indexDescriptor(cmd *cobra.Command, fd int, name string, how engine.IndexMode, mode sandbox.Mode, trust *trustFlags) (err error) {
	f, err := fromDescriptor(fd, name)
	if err != nil {
		return err
	}
	defer f.Close() // opened for reading
	options := engine.Options{Mode: mode, Workers: 1, Lazy: true}
	checker, done, err := trust.checker(mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if !checker.Idle() { // st.load is to be fast where nobody asks
		options.Judge = checker
	}
	e, err := engine.New(options)
	if err != nil {
		return err
	}
	defer e.Close()
	a, graph, err := e.IndexFile(cmd.Context(), f, how)
	if err != nil {
		return err
	}
	return writeIndex(cmd.OutOrStdout(), a, graph)
}

// fromDescriptor takes a file that the calling process opened. The first three descriptors are not files to read.
func fromDescriptor(fd int, name string) (*artifact.File, error) {
	if fd < 3 {
		return nil, fmt.Errorf("--fd %d is no descriptor of a file", fd)
	}
	return artifact.FromDescriptor(os.NewFile(uintptr(fd), name), name)
}

// indexMagic begins the output; the encoding's version and the sections follow.
const indexMagic = "STIX"

// writeIndex writes the header, the tool's version, the report as `scan --format json` has it, what the
// worker said of the objects, and an end mark: output without it was cut off.
func writeIndex(w io.Writer, a *engine.Artifact, graph []byte) error {
	head := binary.LittleEndian.AppendUint32([]byte(indexMagic), index.Version)
	if _, err := w.Write(head); err != nil {
		return err
	}
	tool, err := json.Marshal(map[string]string{"version": buildVersion()})
	if err != nil {
		return err
	}
	text, err := report.Artifact(report.Result{Artifact: a})
	if err != nil {
		return err
	}
	for _, s := range []struct {
		tag  string
		body []byte
	}{{"TOOL", tool}, {"REPT", text}} {
		if err := index.WriteSection(w, s.tag, s.body); err != nil {
			return err
		}
	}
	if _, err := w.Write(graph); err != nil {
		return err
	}
	return index.WriteSection(w, "DONE", nil)
}
