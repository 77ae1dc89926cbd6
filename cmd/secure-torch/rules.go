package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/rule"
)

func newRulesCmd() *cobra.Command {
	var scores bool
	var format string
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "List the rules",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if format == "json" {
				return rulesJSON(cmd.OutOrStdout())
			}
			return rulesText(cmd.OutOrStdout(), scores)
		},
	}
	cmd.Flags().BoolVar(&scores, "scores", false, "show each rule's part of the threat score")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func rulesText(w io.Writer, scores bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rule.All() {
		if scores {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", r.ID, r.Severity, r.Name, r.Score, r.Title)
		} else {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.ID, r.Severity, r.Name, r.Title)
		}
	}
	if scores {
		fmt.Fprint(table, "\nThe threat score is the sum of the broken rules' scores, each counted once, capped at 100:\nSAFE 0, LOW 1-15, MEDIUM 16-35, HIGH 36-65, CRITICAL 66-100. Default max_threat_score is 20 (allows SAFE, LOW, and lower MEDIUM scores).\n")
	}
	return table.Flush()
}

func rulesJSON(w io.Writer) error {
	type row struct {
		ID       rule.ID       `json:"id"`
		Name     string        `json:"name"`
		Title    string        `json:"title"`
		Severity rule.Severity `json:"severity"`
		Score    int           `json:"score"`
		CWE      []string      `json:"cwe"`
		CVE      []string      `json:"cve"`
		Since    string        `json:"since"`
	}
	rows := []row{}
	for _, r := range rule.All() {
		rows = append(rows, row{r.ID, r.Name, r.Title, r.Severity, r.Score, append([]string{}, r.CWE...), append([]string{}, r.CVE...), r.Since})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{"version": 1, "rules": rows})
}
