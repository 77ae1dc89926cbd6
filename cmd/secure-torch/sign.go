package main

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/trust/modelsigning"
)

// signFlags say with what to sign.
type signFlags struct {
	key, out string
	certs    []string
	ignore   []string
	force    bool
}

func newSignCmd() *cobra.Command {
	var flags signFlags
	cmd := &cobra.Command{
		Use:   "sign PATH --key KEY.pem",
		Short: "Sign a model, a file or a folder, as OpenSSF Model Signing has it",
		Long: `Hash the files of a model and sign the list with a private key of the curve P-256, P-384 or P-521. With --cert-chain the
signature carries the signer's certificate, and whoever has the root can verify it. secure-torch verify and PyPI's
model_signing verify such signatures.

What lies in .git, .gitignore, .gitattributes and .github at the top is left out, as the specification has it.`,
		Example: "  secure-torch sign model/ --key release.pem\n  secure-torch sign model/ --key release.pem --cert-chain leaf.pem --cert-chain ca.pem",
		Args:    operands(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runSign(cmd, args[0], flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.key, "key", "", "PEM private key")
	f.StringVar(&flags.out, "out", "", "the signature to write (default model.sig in the folder, or beside the file)")
	f.StringArrayVar(&flags.certs, "cert-chain", nil, "PEM certificates, the key's own first; may be repeated")
	f.StringArrayVar(&flags.ignore, "ignore-path", nil, "path in the model to leave out; the signature records it; may be repeated")
	f.BoolVar(&flags.force, "force", false, "replace the signature if it exists")
	if err := cmd.MarkFlagRequired("key"); err != nil {
		panic(err) // the flag was defined above
	}
	return cmd
}

func runSign(cmd *cobra.Command, path string, flags signFlags) error {
	signer, err := flags.signer()
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	out := filepath.Clean(path) + ".sig"
	if info.IsDir() {
		out = filepath.Join(path, "model.sig")
	}
	out = cmp.Or(flags.out, out)
	if _, err := os.Lstat(out); err == nil && !flags.force {
		return withHint(fmt.Errorf("%s exists", report.Escape(out)), "pass --force to replace it")
	}
	model, err := provenance.List(cmd.Context(), path, out)
	if err != nil {
		return err
	}
	if err := model.Hash(cmd.Context(), evidence.Plan{Hash: modelsigning.SHA256, Ignore: flags.ignore}); err != nil {
		return err
	}
	bundle, err := signer.Sign(model.Name(), model.Listing(), flags.ignore)
	if err != nil {
		return withHint(err, "nothing was signed")
	}
	if err := provenance.WriteFile(out, bundle, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: signed with the key %s\n", report.Escape(filepath.ToSlash(out)), modelsigning.Fingerprint(&signer.Key.PublicKey))
	return err
}

// signer reads the private key, which never leaves this process.
func (f *signFlags) signer() (*modelsigning.Signer, error) {
	text, err := provenance.ReadMaterial(f.key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, withHint(err, "make one: openssl ecparam -name prime256v1 -genkey -noout -out key.pem")
	}
	if err != nil {
		return nil, err
	}
	key, err := modelsigning.ParsePrivateKey(text)
	if err != nil {
		return nil, withHint(fmt.Errorf("%s: %w", report.Escape(f.key), err), "make one: openssl ecparam -name prime256v1 -genkey -noout -out key.pem")
	}
	var chain []*x509.Certificate
	for _, path := range f.certs {
		text, err := provenance.ReadMaterial(path)
		if err != nil {
			return nil, err
		}
		certs, err := modelsigning.ParseCertificates(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", report.Escape(path), err)
		}
		chain = append(chain, certs...)
	}
	signer, err := modelsigning.NewSigner(key, chain)
	if err != nil {
		return nil, withHint(err, "--cert-chain names the key's own certificate first")
	}
	return signer, nil
}
