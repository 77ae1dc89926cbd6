package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/trust/policy"
)

func newPolicyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Test, try and begin policies in Rego that decide which models come in",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyTestCmd(), newPolicyEvalCmd(), newPolicyInputCmd(), newPolicyInitCmd())
	return cmd
}

func newPolicyTestCmd() *cobra.Command {
	var mode string
	cmd := &cobra.Command{
		Use:   "test PATH...",
		Short: "Run the rules whose names begin with test_",
		Long:  "Run the tests of policy files and folders, as `opa test` does.\n\nExit code: 0 all passed; 1 some failed; 2 they could not be run.",
		Args:  somePaths("test", "policies/"),
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := askPolicy(cmd, mode, args, evidence.PolicyQuestion{Test: true})
			if err != nil {
				return err
			}
			if len(answer.Tests) == 0 {
				return withHint(errors.New("there are no tests"), "a test is a rule whose name begins with test_")
			}
			failed := 0
			for _, r := range answer.Tests {
				word := "ok  "
				if !r.Passed {
					word = "FAIL"
					failed++
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s %s %s\n", word, report.Escape(r.Module), report.Escape(r.Name), report.Escape(r.Error))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d passed, %d failed\n", len(answer.Tests)-failed, failed)
			if failed > 0 {
				return exitCode(exitFindings)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&mode, "sandbox", "strict", "strict, auto or off: confinement of the process that runs the policies")
	return cmd
}

func newPolicyEvalCmd() *cobra.Command {
	var mode, input string
	cmd := &cobra.Command{
		Use:   "eval PATH... --input FILE",
		Short: "Show what policies decide about one input",
		Long: `Evaluate policy files and folders on an input in JSON, of the layout of docs/schema/policy-input.json ("-" reads it from
standard input), and print the decision.

Exit code: 0 allowed; 1 denied; 2 it could not be decided, which denies too.`,
		Example: "  secure-torch policy input model.pt --environment production > input.json\n  secure-torch policy eval policies/ --input input.json",
		Args:    somePaths("evaluate", "policy.rego"),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := readInput(cmd.InOrStdin(), input)
			if err != nil {
				return withHint(err, "--input names a JSON file")
			}
			answer, err := askPolicy(cmd, mode, args, evidence.PolicyQuestion{Inputs: []json.RawMessage{doc}})
			if err != nil {
				return err
			}
			if len(answer.Decisions) != 1 {
				return fmt.Errorf("%d decisions", len(answer.Decisions))
			}
			d := answer.Decisions[0]
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(d); err != nil {
				return err
			}
			switch {
			case d.Error != "":
				return exitCode(exitTrouble)
			case !d.Allowed:
				return exitCode(exitFindings)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&input, "input", "-", "the input, a JSON file")
	cmd.Flags().StringVar(&mode, "sandbox", "strict", "strict, auto or off: confinement of the process that runs the policies")
	return cmd
}

func newPolicyInputCmd() *cobra.Command {
	var mode string
	var trust trustFlags
	cmd := &cobra.Command{
		Use:   "input MODEL",
		Short: "Show what policies are told of one model",
		Long: `Scan one model, a file here or on the hub, and print in JSON what "scan --policy" would tell policies of it: the input of
"policy eval", and of tests. Nothing is decided.`,
		Example: "  secure-torch policy input model.pt --environment production > input.json",
		Args:    operands(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := newSources(cmd, args, false, false)
			if err != nil {
				return err
			}
			defer source.close()
			var inputs [][]byte
			trust.show = func(input []byte) { inputs = append(inputs, input) }
			if _, err := scanTrusted(cmd, source, mode, engine.Options{Workers: 1}, &trust); err != nil {
				return err
			}
			if len(inputs) != 1 {
				return withHint(fmt.Errorf("there are %d models in %s", len(inputs), report.Escape(args[0])), "name one file that a loader reads")
			}
			var out bytes.Buffer
			if err := json.Indent(&out, inputs[0], "", "  "); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), out.String())
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&mode, "sandbox", "strict", "strict, auto or off: confinement of the processes that read the files")
	flags.StringVar(&trust.environment, "environment", "", "what policies are told of where the model will run: production")
	flags.StringVar(&trust.policy, "trust-policy", "", "who may sign which models (default trust.yaml in your own configuration folder, if there is one)")
	flags.StringVar(&trust.sbom, "sbom", "", "the bill of materials, instead of the one beside the file")
	return cmd
}

// maxInput bounds the input of `policy eval`, in bytes.
const maxInput = 16 << 20

func readInput(stdin io.Reader, path string) ([]byte, error) {
	r := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close() // opened for reading
		r = f
	}
	doc, err := io.ReadAll(io.LimitReader(r, maxInput))
	if err == nil && !json.Valid(doc) {
		err = errors.New("the input is not JSON")
	}
	return doc, err
}

// askPolicy has the policies at paths evaluated or tested in the trust worker.
func askPolicy(cmd *cobra.Command, word string, paths []string, q evidence.PolicyQuestion) (*evidence.PolicyAnswer, error) {
	mode, err := sandboxMode(word)
	if err != nil {
		return nil, err
	}
	if q.Modules, err = provenance.ReadPolicies(paths); err != nil {
		return nil, err
	}
	if len(q.Modules) == 0 {
		return nil, withHint(errors.New("there are no .rego files in "+report.Escape(strings.Join(paths, ", "))), "`secure-torch policy init` writes some")
	}
	asker := provenance.NewAsker(mode, "")
	defer asker.Close()
	answer, err := provenance.AskPolicy(cmd.Context(), asker, q)
	if err != nil {
		return nil, withHint(err, "nothing was decided")
	}
	if answer.Error != "" {
		return nil, withHint(errors.New(report.Escape(answer.Error)), "docs/policies.md shows what a policy looks like")
	}
	return answer, nil
}

func newPolicyInitCmd() *cobra.Command {
	var list, force bool
	cmd := &cobra.Command{
		Use:   "init [FOLDER [NAME...]]",
		Short: "Write ready policies, with their tests, to start from",
		Example: "  secure-torch policy init --list\n  secure-torch policy init policies/ licences_in_production pinned_revision\n" +
			"  secure-torch policy test policies/",
		RunE: func(cmd *cobra.Command, args []string) error {
			modules, err := policy.Library()
			if err != nil {
				return err
			}
			if list {
				for _, m := range modules {
					if !policy.IsTest(m.Name) {
						fmt.Fprintf(cmd.OutOrStdout(), "%-24s %s\n", m.Name, description(m.Text))
					}
				}
				return nil
			}
			if len(args) == 0 {
				return withHint(errors.New("no folder to write to"), "secure-torch policy init policies/")
			}
			return writePolicies(cmd.OutOrStdout(), modules, args[0], args[1:], force)
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "list the ready policies")
	cmd.Flags().BoolVar(&force, "force", false, "replace files that exist")
	return cmd
}

// description is that of a policy's metadata.
func description(text string) string {
	_, rest, _ := strings.Cut(text, "# description: ")
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

// writePolicies writes the named policies, all where none are named, and their tests.
func writePolicies(w io.Writer, modules []evidence.Module, dir string, names []string, force bool) error {
	for _, name := range names {
		if !slices.ContainsFunc(modules, func(m evidence.Module) bool { return m.Name == name }) {
			return withHint(fmt.Errorf("there is no ready policy %q", name), "`secure-torch policy init --list` shows them")
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, m := range modules {
		if len(names) > 0 && !slices.Contains(names, strings.TrimSuffix(m.Name, "_test")) {
			continue
		}
		path := filepath.Join(dir, m.Name+".rego")
		if _, err := os.Lstat(path); err == nil && !force {
			return withHint(fmt.Errorf("%s exists", report.Escape(path)), "pass --force to replace it")
		}
		if err := provenance.WriteFile(path, []byte(m.Text), 0o644); err != nil {
			return err
		}
		fmt.Fprintln(w, report.Escape(filepath.ToSlash(path)))
	}
	return nil
}
