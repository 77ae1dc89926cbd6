package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestReference: docs/cli.md says what --help says. With UPDATE_REFERENCE=1 (make generate) it is written.
func TestReference(t *testing.T) {
	const file = "../../docs/cli.md"
	var b bytes.Buffer
	b.WriteString("<!-- Generated from the program's help by make generate. Do not edit. -->\n\n# Command line\n\n")
	b.WriteString("`secure-torch --help`, and the same of each command. Scores, rules and formats are told by `rules`, `explain` and `doctor`.\n")
	if err := reference(&b, newRootCmd(), 1); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE_REFERENCE") == "1" {
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, b.Bytes()) {
		t.Errorf("docs/cli.md is stale: run make generate (%v)", err)
	}
}

// reference writes a command's page and those of its commands.
func reference(b *bytes.Buffer, cmd *cobra.Command, depth int) error {
	if cmd.Hidden || cmd.Name() == "help" {
		return nil
	}
	if depth > 1 {
		fmt.Fprintf(b, "\n%s %s\n", strings.Repeat("#", depth), cmd.CommandPath())
	}
	var help bytes.Buffer
	cmd.SetOut(&help)
	if err := cmd.Help(); err != nil {
		return err
	}
	b.WriteString("\n```text\n")
	for line := range strings.Lines(help.String()) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	b.WriteString("```\n")
	for _, c := range cmd.Commands() {
		if err := reference(b, c, min(depth+1, 3)); err != nil {
			return err
		}
	}
	return nil
}
