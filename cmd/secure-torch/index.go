package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/describe"
	"github.com/secure-torch/secure-torch/internal/engine"
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
			m, err := sandboxMode(mode)
			if err != nil {
				return err
			}
			return indexDescriptor(cmd, fd, name, describe.Modes()[graph], m, &trust)
		},
	}
	cmd.Flags().IntVar(&fd, "fd", -1, "descriptor of the file, open for reading")
	cmd.Flags().StringVar(&name, "name", "model", "what the report calls the file")
	cmd.Flags().StringVar(&graph, "graph", "loadable", "describe the objects: when loadable, always or never")
	trust.add(cmd)
	trust.signers.add(cmd)
	cmd.Flags().StringVar(&trust.sbom, "sbom", "", "the bill of materials, instead of the one beside the file")
	cmd.Flags().StringVar(&mode, "sandbox", "strict", "strict, auto, process or off")
	return cmd
}

func indexDescriptor(cmd *cobra.Command, fd int, name string, how engine.IndexMode, mode sandbox.Mode, trust *trustFlags) (err error) {
	f, err := describe.Descriptor(fd, name)
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
	return describe.Write(cmd.OutOrStdout(), buildVersion(), a, graph)
}
