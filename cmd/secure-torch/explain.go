package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/nearest"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/internal/rule"
)

func newExplainCmd() *cobra.Command {
	return &cobra.Command{
		Use:               "explain RULE",
		Short:             "Print the page of a rule, by id (ST201), name (pickle-os-system) or advisory (CVE-2025-1550)",
		Args:              operands(1),
		ValidArgsFunction: completeRules,
		RunE: func(cmd *cobra.Command, args []string) error {
			if a, ok := rule.FindAdvisory(args[0]); ok {
				return printAdvisory(cmd.OutOrStdout(), a)
			}
			r, err := findRule(args[0])
			if err != nil {
				return err
			}
			return printRule(cmd.OutOrStdout(), r)
		},
	}
}

func completeRules(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	for _, r := range rule.All() {
		ids = append(ids, cobra.CompletionWithDesc(string(r.ID), r.Title))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// findRule looks a rule up by id or by name, whatever the case.
func findRule(word string) (rule.Rule, error) {
	all := rule.All()
	i := slices.IndexFunc(all, func(r rule.Rule) bool {
		return strings.EqualFold(string(r.ID), word) || strings.EqualFold(r.Name, word)
	})
	if i >= 0 {
		return all[i], nil
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
	}
	err := fmt.Errorf("there is no rule %q", word)
	if near, ok := nearest.Of(strings.ToLower(word), names); ok {
		return rule.Rule{}, withHint(err, "did you mean %s?", near)
	}
	if upper := strings.ToUpper(word); strings.HasPrefix(upper, "CVE-") || strings.HasPrefix(upper, "GHSA-") {
		return rule.Rule{}, withHint(fmt.Errorf("no rule is about %s", report.Escape(word)), "docs/cve.md lists the advisories that some rule is about")
	}
	return rule.Rule{}, withHint(err, "`secure-torch rules` lists them all")
}

func printRule(w io.Writer, r rule.Rule) error {
	_, err := fmt.Fprintf(w, "# %s %s: %s\n\nSeverity: %s. Threat score: %d. Since: %s.%s%s\n\n%s",
		r.ID, r.Name, r.Title, r.Severity, r.Score, r.Since, listed("CWE", r.CWE), listed("CVE", r.CVE), r.Body())
	return err
}

// printAdvisory prints what answers for an advisory: rules, and the cases that are run with every change.
func printAdvisory(w io.Writer, a rule.Advisory) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\nA file that uses it breaks:\n\n", a.ID)
	for _, r := range a.Rules {
		fmt.Fprintf(&b, "- %s %s (%s): %s\n", r.ID, r.Name, r.Severity, r.Title)
	}
	if len(a.Cases) > 0 {
		b.WriteString("\nTested with every change by:\n\n")
	}
	for _, c := range a.Cases {
		fmt.Fprintf(&b, "- %s\n  %s\n", c.About, c.Path)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// listed is " CWE: a, b." or nothing.
func listed(label string, ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " " + label + ": " + strings.Join(ids, ", ") + "."
}
