package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/sandbox"
	"github.com/secure-torch/secure-torch/trust/publisher"
)

// trustFlags say who may sign models, and which policies decide about them.
type trustFlags struct {
	policy      string
	require     bool
	regos       []string
	environment string
	audit       string
	root        string
	sbom        string             // only where one file is scanned
	signers     signerFlags        // only where st.load asks
	show        func(input []byte) // what policies would be told, instead of having them decide
}

func (f *trustFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.policy, "trust-policy", "", "who may sign which models (default trust.yaml in your own configuration folder, if there is one)")
	flags.BoolVar(&f.require, "require-signature", false, "a model without a signature that the trust policy accepts is a finding")
	flags.StringArrayVar(&f.regos, "policy", nil, "Rego policy, or folder of policies, that decides about each model; may be repeated")
	flags.StringVar(&f.root, "trusted-root", "", "trusted_root.json of another Sigstore instance, where the trust policy names none")
	flags.StringVar(&f.environment, "environment", "", "what policies are told of where the model will run: production")
	flags.StringVar(&f.audit, "audit-log", "", "append each decision of the policies to this file")
}

// signerFlags say who may have signed the one file that is scanned, and with which signature: st.load's pubkey_path,
// trusted_publishers and bundle_path, which it has verified, for policies to be told of.
type signerFlags struct {
	keys, identities, issuers []string // each identity has its issuer, in the same order
	bundle                    string
}

func (f *signerFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.keys, "key", nil, "PEM public key of somebody who may sign; may be repeated")
	flags.StringArrayVar(&f.identities, "identity", nil, "somebody who may sign through Sigstore; may be repeated, each with its --issuer")
	flags.StringArrayVar(&f.issuers, "issuer", nil, "who vouches for the identity")
	flags.StringVar(&f.bundle, "bundle", "", "the signature; by default the one beside the file")
}

// authorities reads the keys and pairs the identities with their issuers.
func (f *signerFlags) authorities() ([]evidence.Authority, error) {
	if len(f.identities) != len(f.issuers) {
		return nil, fmt.Errorf("%d of --identity and %d of --issuer: each needs the other", len(f.identities), len(f.issuers))
	}
	named, err := (&verifyFlags{keys: f.keys}).terms()
	if err != nil {
		return nil, err
	}
	for i, who := range f.identities {
		one, err := (&verifyFlags{identity: who, issuer: f.issuers[i]}).terms()
		if err != nil {
			return nil, err
		}
		named.Authorities = append(named.Authorities, one.Authorities...)
	}
	if len(named.Authorities) < len(f.keys)+len(f.identities) {
		return nil, errors.New("an empty --identity and --issuer name nobody")
	}
	return named.Authorities, nil
}

// userTrustPolicy is where a user's own trust policy lies; empty where the system has no such folder.
func userTrustPolicy() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "secure-torch", "trust.yaml")
}

// loadTrustPolicy reads the policy at path, or the user's own where that is empty. What it names is found from its folder.
func loadTrustPolicy(path string) (*evidence.TrustPolicy, error) {
	explicit := path != ""
	if !explicit {
		if path = userTrustPolicy(); path == "" {
			return nil, nil //nolint:nilnil // no policy is the usual case
		}
	}
	text, err := provenance.ReadMaterial(path)
	if errors.Is(err, fs.ErrNotExist) && !explicit {
		return nil, nil //nolint:nilnil // no policy is the usual case
	}
	if err != nil {
		return nil, err
	}
	policy, err := publisher.Parse(text, func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		return provenance.ReadMaterial(name)
	})
	if err != nil {
		return nil, withHint(fmt.Errorf("%s: %w", report.Escape(path), err), "docs/sigstore.md shows what a trust policy looks like")
	}
	return policy, nil
}

// checker is what looks at signatures, SBOMs and policies while models are scanned, with what to call when it is done.
func (f *trustFlags) checker(mode sandbox.Mode) (*provenance.Checker, func() error, error) {
	set := provenance.Settings{Require: f.require, Environment: f.environment, SBOM: f.sbom, Show: f.show, TrustedRoot: fetchedRoot(), Bundle: f.signers.bundle}
	var err error
	if set.Signers, err = f.signers.authorities(); err != nil {
		return nil, nil, err
	}
	if f.root != "" {
		if set.TrustedRoot, err = readRoot(f.root); err != nil {
			return nil, nil, err
		}
	}
	if set.Trust, err = loadTrustPolicy(f.policy); err != nil {
		return nil, nil, err
	}
	if set.Policies, err = provenance.ReadPolicies(f.regos); err != nil {
		return nil, nil, withHint(err, "--policy names a .rego file, or a folder of them; `secure-torch policy init` writes some")
	}
	if len(f.regos) > 0 && len(set.Policies) == 0 {
		return nil, nil, withHint(errors.New("--policy names no .rego file"), "`secure-torch policy init` writes some")
	}
	if f.audit != "" {
		if set.Audit, err = provenance.OpenAudit(f.audit); err != nil {
			return nil, nil, withHint(err, "--audit-log names a file that can be appended to")
		}
	}
	asker := provenance.NewAsker(mode, "")
	done := func() error {
		asker.Close()
		return set.Audit.Close()
	}
	return provenance.NewChecker(asker, set), done, nil
}

// scanTrusted scans, and looks at where the models come from and at what policies make of them.
func scanTrusted(cmd *cobra.Command, source *sources, word string, options engine.Options, flags *trustFlags) (run *report.Run, err error) {
	mode, err := sandboxMode(word)
	if err != nil {
		return nil, err
	}
	checker, done, err := flags.checker(mode)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	options.Judge, source.judge = checker, checker
	if run, err = scanAll(cmd, source, word, options); err != nil {
		return nil, err
	}
	for _, r := range run.Results {
		checker.Unjudged(cmd.Context(), r.Artifact)
	}
	return run, nil
}

// editorChecker is the judge of an editor or of `check`: the user's own trust policy, and no others. It has no audit
// log, so that nothing is lost when it is done.
func editorChecker(mode sandbox.Mode) (engine.Judge, func(), error) {
	set := provenance.Settings{TrustedRoot: fetchedRoot()}
	var err error
	if set.Trust, err = loadTrustPolicy(""); err != nil {
		return nil, nil, err
	}
	asker := provenance.NewAsker(mode, "")
	return provenance.NewChecker(asker, set), asker.Close, nil
}
