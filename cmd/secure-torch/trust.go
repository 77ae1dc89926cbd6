package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/trust/sigstore"
	"github.com/secure-torch/secure-torch/trust/tufroot"
)

func newTrustCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Show what your trust policy says of a model; fetch the newest Sigstore root",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTrustExplainCmd(), newTrustUpdateCmd())
	return cmd
}

func newTrustExplainCmd() *cobra.Command {
	var path, format string
	cmd := &cobra.Command{
		Use:   "explain PATH|hf:org/model|s3://bucket/key|https://...",
		Short: "Tell which rule of the trust policy is about a model, and what it asks for",
		Args:  operands(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			policy, err := loadTrustPolicy(path)
			if err != nil {
				return err
			}
			return explainTrust(cmd.OutOrStdout(), policy, args[0], format == "json")
		},
	}
	cmd.Flags().StringVar(&path, "trust-policy", "", "the policy (default trust.yaml in your own configuration folder)")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

// explanation is what a trust policy says of one model.
type explanation struct {
	Path     string                `json:"path"`
	Names    []string              `json:"names"` // what the patterns are held against
	Rule     string                `json:"rule"`
	Mode     evidence.Mode         `json:"mode"`
	AnyOf    []string              `json:"any_of"`
	Bundle   string                `json:"bundle,omitempty"`
	Unsigned string                `json:"unsigned_files"`
	Since    string                `json:"min_signed_at,omitempty"`
	Root     *evidence.TrustedRoot `json:"sigstore_root"`
}

func explainTrust(w io.Writer, policy *evidence.TrustPolicy, path string, asJSON bool) error {
	asked, err := ref.Parse(path, ref.DefaultEndpoint)
	if err != nil {
		return withHint(fmt.Errorf("%s: %w", report.Escape(path), err), "name a path, hf:org/model, s3://bucket/key or https://…")
	}
	source := provenance.SourceOfRef(asked)
	e := explanation{Path: report.Escape(source.Path), Names: source.Names(), AnyOf: []string{}, Rule: "no trust policy", Mode: evidence.Warn, Unsigned: "error"}
	for i, n := range e.Names {
		e.Names[i] = report.Escape(n)
	}
	if policy != nil {
		r := policy.Rule(source.Names()...)
		e.Rule, e.Mode = r.Name, r.Mode
		for _, a := range r.Authorities {
			e.AnyOf = append(e.AnyOf, a.Name)
		}
		if r.Lenient {
			e.Unsigned = "warn"
		}
		if !r.MinSignedAt.IsZero() {
			e.Since = r.MinSignedAt.Format(time.DateOnly)
		}
	}
	if asked.Kind == ref.Path {
		e.Path = report.Escape(filepath.ToSlash(path))
		bundle, _ := provenance.FindSignature(path)
		e.Bundle = report.Escape(filepath.ToSlash(bundle))
	}
	root, err := rootInUse(policy)
	if err != nil {
		return err
	}
	e.Root = root
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(e)
	}
	fmt.Fprintf(w, "%s\n  known as    %s\n  rule        %s\n  mode        %s\n", e.Path, strings.Join(e.Names, ", "), e.Rule, e.Mode)
	for _, a := range e.AnyOf {
		fmt.Fprintf(w, "  signed by   %s\n", a)
	}
	if e.Since != "" {
		fmt.Fprintf(w, "  since       %s\n", e.Since)
	}
	if e.Bundle != "" {
		fmt.Fprintf(w, "  signature   %s\n", e.Bundle)
	}
	_, err = fmt.Fprintf(w, "  unsigned files  %s\n  sigstore root  %s, newest part of %s\n", e.Unsigned, e.Root.Origin, e.Root.Newest.Format(time.DateOnly))
	return err
}

// rootInUse describes the Sigstore root that signatures are checked with: the policy's, else the one that was fetched,
// else the one that is built in.
func rootInUse(policy *evidence.TrustPolicy) (*evidence.TrustedRoot, error) {
	text := fetchedRoot()
	if policy != nil && policy.TrustedRoot != nil {
		text = policy.TrustedRoot
	}
	root, err := sigstore.Builtin()
	if text != nil {
		root, err = sigstore.ParseRoot(text)
	}
	if err != nil {
		return nil, err
	}
	return &root.Info, nil
}

func newTrustUpdateCmd() *cobra.Command {
	var mirror, anchor string
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Fetch the newest root of Sigstore's public instance (goes to the network)",
		Long: `Fetch Sigstore's trusted_root.json through its update framework, which this program's copy of the first root vouches for,
and keep it in your own configuration folder. From then on it is used instead of the one that is built in.
No other command goes to the network for it. A private instance has another --mirror and a first --root of its own.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := updateRoot(cmd.Context(), mirror, anchor)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	cmd.Flags().StringVar(&mirror, "mirror", tufroot.PublicMirror, "repository of the update framework to fetch from")
	cmd.Flags().StringVar(&anchor, "root", "", "root.json to begin with, of another instance's repository (default that of the public instance, built in)")
	return cmd
}

// updateRoot fetches the root, and keeps it once it is known to be one. It returns what to tell.
func updateRoot(ctx context.Context, mirror, anchor string) (string, error) {
	to := userRoot()
	if to == "" {
		return "", withHint(fmt.Errorf("there is no configuration folder for you on this system"), "set HOME or XDG_CONFIG_HOME")
	}
	o := tufroot.Options{Mirror: mirror, Cache: filepath.Join(filepath.Dir(to), "tuf"), UserAgent: "secure-torch/" + buildVersion()}
	switch public := mirror == tufroot.PublicMirror; {
	case anchor != "":
		var err error
		if o.Root, err = provenance.ReadMaterial(anchor); err != nil {
			return "", withHint(err, "--root names the repository's first root.json")
		}
	case !public:
		return "", withHint(fmt.Errorf("nothing says whom to believe in the repository at %s", report.Escape(mirror)), "--root names its first root.json, which you have from somewhere else")
	}
	text, err := tufroot.Fetch(ctx, o)
	if err != nil {
		return "", withHint(err, "the root that was there before is still used")
	}
	root, err := sigstore.ParseRoot(text)
	if err != nil {
		return "", withHint(err, "the root that was there before is still used")
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	if err := provenance.WriteFile(to, text, 0o600); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: newest part of %s, sha256 %s", report.Escape(filepath.ToSlash(to)), root.Info.Newest.Format(time.DateOnly), root.Info.SHA256), nil
}

// userRoot is where `trust update` keeps the root; empty where the system has no such folder.
func userRoot() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "secure-torch", "trusted_root.json")
}

// fetchedRoot is the root that `trust update` fetched; nil where there is none.
func fetchedRoot() []byte {
	text, err := provenance.ReadMaterial(userRoot())
	if err != nil {
		return nil // there is the one that is built in
	}
	if _, err := sigstore.ParseRoot(text); err != nil {
		return nil
	}
	return text
}
