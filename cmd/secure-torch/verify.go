package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/describe"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/trust/modelsigning"
	"github.com/secure-torch/secure-torch/trust/sigstore"
)

// verifyFlags say who may have signed.
type verifyFlags struct {
	bundle, trustedRoot, format, sandbox           string
	identity, identityRegexp, issuer, issuerRegexp string
	keys, roots, ignore                            []string
	subject                                        string
	lenient                                        bool
	fd                                             int
}

func newVerifyCmd() *cobra.Command {
	var flags verifyFlags
	cmd := &cobra.Command{
		Use:   "verify PATH",
		Short: "Tell who signed a model, and whether it is what they signed",
		Long: `Check the signature of a model, a file or a folder, without a connection: OpenSSF Model Signing bundles,
Sigstore bundles over a file or an attestation. Name who may have signed it with --key, --roots or --identity and --issuer;
any one of them is enough. Without, a signature that Sigstore vouches for is shown, and counts as nobody's you asked for.

Exit code: 0 signed by one of those named; 1 not signed, or not by them, or changed since; 2 error or wrong usage.`,
		Example: "  secure-torch verify model/ --key release.pub\n" +
			"  secure-torch verify model.safetensors --identity ml@example.org --issuer https://accounts.google.com",
		Args: operands(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runVerify(cmd, args[0], flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.bundle, "bundle", "", "the signature; by default the one beside the model")
	f.StringArrayVar(&flags.keys, "key", nil, "PEM public key of somebody who may sign; may be repeated")
	f.StringArrayVar(&flags.roots, "roots", nil, "PEM certificates that a signer's chain may end in; may be repeated")
	f.StringArrayVar(&flags.roots, "cert-chain", nil, "the same as --roots")
	f.StringVar(&flags.subject, "subject", "", "common name that the certificate must have, with --roots")
	f.StringVar(&flags.identity, "identity", "", "e-mail address or workflow of somebody who may sign through Sigstore")
	f.StringVar(&flags.identityRegexp, "identity-regexp", "", "the same as a regular expression, ^…$")
	f.StringVar(&flags.issuer, "issuer", "", "who vouches for that identity: https://accounts.google.com")
	f.StringVar(&flags.issuerRegexp, "issuer-regexp", "", "the same as a regular expression, ^…$")
	f.StringVar(&flags.trustedRoot, "trusted-root", "", "trusted_root.json of another Sigstore instance, or a newer one of the public instance")
	f.BoolVar(&flags.lenient, "ignore-unsigned-files", false, "let files pass that the signature does not cover; they are listed")
	f.StringArrayVar(&flags.ignore, "ignore-path", nil, "path in the model to leave out, for signatures that do not record what they left out; may be repeated")
	f.StringVar(&flags.format, "format", "text", "text or json")
	f.StringVar(&flags.sandbox, "sandbox", "strict", "strict, auto or off: confinement of the process that reads the signature")
	// What st.load calls: its file is open, and PATH is only what it is called.
	f.IntVar(&flags.fd, "fd", -1, "descriptor of the file, open for reading")
	_ = f.MarkHidden("fd") // fails for a flag that does not exist
	cmd.MarkFlagsMutuallyExclusive("identity", "identity-regexp")
	cmd.MarkFlagsMutuallyExclusive("issuer", "issuer-regexp")
	return cmd
}

func runVerify(cmd *cobra.Command, path string, flags verifyFlags) error {
	if err := oneOf("format", flags.format, "text", "json"); err != nil {
		return err
	}
	mode, err := sandboxMode(flags.sandbox)
	if err != nil {
		return err
	}
	terms, err := flags.terms()
	if err != nil {
		return err
	}
	colors, err := useColor(cmd, cmd.OutOrStdout())
	if err != nil {
		return err
	}
	model, err := flags.model(path)
	if err != nil {
		return err
	}
	sig := &evidence.Signature{State: evidence.StateNone, Code: evidence.Unsigned, Message: "there is no signature beside it"}
	bundle := flags.bundle
	if terms.Within = provenance.Within(bundle, path); bundle == "" {
		bundle, terms.Within = provenance.FindSignature(path)
	}
	if bundle != "" {
		asker := provenance.NewAsker(mode, "")
		defer asker.Close()
		if sig, err = verifyModel(cmd, asker, model, bundle, terms); err != nil {
			return err
		}
	}
	if flags.format == "json" {
		err = report.SignatureJSON(cmd.OutOrStdout(), path, sig)
	} else {
		err = report.SignatureText(cmd.OutOrStdout(), path, sig, report.Palette{On: colors})
	}
	if err != nil {
		return err
	}
	if sig.State != evidence.Trusted {
		return exitCode(exitFindings)
	}
	return nil
}

// model opens what the flags name. Files of a folder are listed when the signature is there to compare them with.
func (f *verifyFlags) model(path string) (func(context.Context, string) (*provenance.Model, error), error) {
	if f.fd < 0 {
		_, err := os.Stat(path)
		return func(ctx context.Context, bundle string) (*provenance.Model, error) {
			return provenance.List(ctx, path, bundle)
		}, err
	}
	file, err := describe.Descriptor(f.fd, path)
	return func(context.Context, string) (*provenance.Model, error) { return provenance.Opened(file), nil }, err
}

func verifyModel(cmd *cobra.Command, asker provenance.Asker, list func(context.Context, string) (*provenance.Model, error), bundle string, terms provenance.Terms) (*evidence.Signature, error) {
	data, err := provenance.ReadBundle(bundle)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, withHint(err, "--bundle names the signature; without it, the one beside the model is used")
	}
	if evidence.CodeOf(err) == evidence.OverLimit {
		return &evidence.Signature{State: evidence.Unverified, Code: evidence.OverLimit, Message: err.Error(), Bundle: filepath.Base(bundle)}, nil
	}
	if err != nil {
		return nil, err
	}
	model, err := list(cmd.Context(), bundle)
	if err != nil {
		return nil, err
	}
	sig, err := provenance.Verify(cmd.Context(), asker, model, data, terms)
	if err != nil {
		return nil, withHint(err, "nothing was verified")
	}
	sig.Bundle = filepath.Base(bundle)
	return sig, nil
}

// terms reads the files that the flags name.
func (f *verifyFlags) terms() (provenance.Terms, error) {
	terms := provenance.Terms{Lenient: f.lenient, Ignore: f.ignore}
	add := func(a evidence.Authority) { terms.Authorities = append(terms.Authorities, a) }
	for _, path := range f.keys {
		text, err := readKey(path)
		if err != nil {
			return terms, err
		}
		add(evidence.Authority{Name: "key " + filepath.Base(path), Key: text})
	}
	for _, path := range f.roots {
		text, err := readRoots(path)
		if err != nil {
			return terms, err
		}
		add(evidence.Authority{Name: "root " + filepath.Base(path), Roots: text, Subject: f.subject})
	}
	who, issuer := f.identity+f.identityRegexp, f.issuer+f.issuerRegexp
	switch {
	case who != "" && issuer != "":
		id := &evidence.Identity{Subject: f.identity, SubjectRegexp: f.identityRegexp, Issuer: f.issuer, IssuerRegexp: f.issuerRegexp}
		if _, err := sigstore.NewMatcher(*id); err != nil {
			return terms, withHint(err, "name the whole identity and the whole issuer")
		}
		add(evidence.Authority{Name: "identity " + who, Identity: id})
	case who != "" || issuer != "":
		return terms, withHint(errors.New("an identity needs both --identity and --issuer"),
			"anybody can have a certificate for any identity from some issuer: name the one that vouches for it")
	case f.subject != "" && len(f.roots) == 0:
		return terms, withHint(errors.New("--subject needs --roots"), "a certificate's name counts only if somebody trusted gave it")
	}
	terms.TrustedRoot = fetchedRoot()
	if f.trustedRoot != "" {
		var err error
		if terms.TrustedRoot, err = readRoot(f.trustedRoot); err != nil {
			return terms, err
		}
	}
	return terms, nil
}

// readRoot reads a trusted root that the user names.
func readRoot(path string) ([]byte, error) {
	text, err := provenance.ReadMaterial(path)
	if err == nil {
		_, err = sigstore.ParseRoot(text)
	}
	if err != nil {
		return nil, withHint(err, "--trusted-root names a trusted_root.json")
	}
	return text, nil
}

// readKey reads a public key that the user trusts, and refuses what is none before anything is verified with it.
func readKey(path string) ([]byte, error) {
	text, err := provenance.ReadMaterial(path)
	if err == nil {
		err = provenance.CheckKey(text)
	}
	if err != nil {
		return nil, withHint(fmt.Errorf("%s: %w", report.Escape(path), err), "--key names a PEM public key: openssl pkey -in key.pem -pubout")
	}
	return text, nil
}

// readRoots reads certificates that the user trusts.
func readRoots(path string) ([]byte, error) {
	text, err := provenance.ReadMaterial(path)
	if err == nil {
		_, err = modelsigning.ParseCertificates(text)
	}
	if err != nil {
		return nil, withHint(fmt.Errorf("%s: %w", report.Escape(path), err), "--roots names PEM certificates")
	}
	return text, nil
}
