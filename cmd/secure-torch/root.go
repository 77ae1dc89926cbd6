package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/nearest"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/sandbox"
)

// somePaths refuses a command line without paths: there would be nothing to do to them.
func somePaths(verb, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return withHint(errors.New("nothing to "+verb), "name files or folders: %s %s", cmd.CommandPath(), example)
		}
		return nil
	}
}

// operands refuses another number of operands than the command's usage names.
func operands(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return withHint(fmt.Errorf("%s takes %s, not %d", cmd.CommandPath(), report.Count(n, "argument", "arguments"), len(args)), "write %s", cmd.UseLine())
	}
}

// newRootCmd builds the whole command tree. It has no state: every call makes a fresh one.
func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "secure-torch",
		Short: "Tells whether a model is safe to load, before anything is loaded",
		Long: `secure-torch reads model files and the Python that loads them, without ever running either,
and tells what loading would do.

Exit code: 1 findings at or above --fail-on (default high); else 2 error, incomplete or wrong usage; else 0.`,
		Version:       buildLine(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().String("color", "auto", "colour the output: auto, always or never (auto heeds NO_COLOR)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return withHint(err, "see `%s --help`", cmd.CommandPath())
	})
	addGroup(root, "Look at models:", newScanCmd(), newCheckCmd(), newInspectCmd(), newWatchCmd(), newLspCmd(), newIndexCmd())
	addGroup(root, "Say who may come in:", newVerifyCmd(), newSignCmd(), newSbomCmd(), newPolicyCmd(), newTrustCmd())
	addGroup(root, "Use what is not trusted:", newConvertCmd(), newSandboxCmd())
	addGroup(root, "Ask about the tool:", newRulesCmd(), newExplainCmd(), newDoctorCmd(), newCacheCmd(), newVersionCmd())
	root.SetHelpCommandGroupID(root.Groups()[len(root.Groups())-1].ID)
	root.SetCompletionCommandGroupID(root.Groups()[len(root.Groups())-1].ID)
	return root
}

// addGroup adds commands that stand together in the help.
func addGroup(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, c := range commands {
		c.GroupID = title
	}
	root.AddCommand(commands...)
}

// unknownCommand explains a first word that is no command. A path is the likeliest mistake.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if _, statErr := os.Lstat(args[0]); statErr == nil {
		return withHint(err, "to scan that file: secure-torch scan %s", args[0])
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	if near, ok := nearest.Of(args[0], names); ok {
		return withHint(err, "did you mean `secure-torch %s`?", near)
	}
	return withHint(err, "see `secure-torch --help`")
}

// useColor decides whether w gets colours.
func useColor(cmd *cobra.Command, w io.Writer) (bool, error) {
	switch choice, _ := cmd.Flags().GetString("color"); choice {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w), nil
	default:
		return false, withHint(fmt.Errorf("--color %q is unknown", choice), "use auto, always or never")
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// sandboxMode reads the value of --sandbox, or of the config's key of that name.
func sandboxMode(word string) (sandbox.Mode, error) {
	mode, err := sandbox.ParseMode(word)
	if err != nil {
		err = withHint(fmt.Errorf("--sandbox %q is unknown", word), "use strict, auto, wasm, process or off")
	}
	return mode, err
}

// oneOf checks the value of a flag that takes one of a few words.
func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return withHint(fmt.Errorf("--%s %q is unknown", flag, value), "use %s", strings.Join(allowed[:len(allowed)-1], ", ")+" or "+allowed[len(allowed)-1])
}
