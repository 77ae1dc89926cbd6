package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/lsp"
)

type lspFlags struct {
	sandbox, logLevel, logFile string
	noCache                    bool
}

func newLspCmd() *cobra.Command {
	var flags lspFlags
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Serve editors: the language server, on standard input and output",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runLsp(cmd, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.sandbox, "sandbox", "", "strict, auto or off: confinement of the processes that read model files (default: strict, or what there is and a notice)")
	f.StringVar(&flags.logLevel, "log-level", "warn", "debug, info, warn or error")
	f.StringVar(&flags.logFile, "log-file", "", "write the log here instead of to standard error")
	f.BoolVar(&flags.noCache, "no-cache", false, "scan files again that were scanned before and did not change since, and keep no report")
	f.Bool("stdio", true, "accepted for clients that always pass it: there is no other transport")
	return cmd
}

func runLsp(cmd *cobra.Command, flags lspFlags) error {
	log, closeLog, err := newLog(cmd.ErrOrStderr(), flags)
	if err != nil {
		return err
	}
	defer closeLog()
	models, err := newModelScanner(scannerOptions{flags.sandbox, openCache(flags.noCache || noCache()), log}, engine.New)
	if err != nil {
		return err
	}
	defer models.Close()
	out := os.Stdout
	os.Stdout = os.Stderr // stdout belongs to the protocol: a stray print must not reach it
	code := lsp.Serve(cmd.Context(), cmd.InOrStdin(), out, lsp.Options{
		Checker: lsp.NewChecker(check.Options{Plan: models.Plan}), Scanner: models, Notices: models.notices, Log: log, Version: buildVersion(),
	})
	if code != exitOK {
		return exitCode(code)
	}
	return nil
}

// noCache is what the user's own config says; one that can't be read is complained of where it is used.
func noCache() bool {
	user, err := config.Own()
	return err == nil && user.NoCache
}

// newLog opens the log. The second result closes it.
func newLog(stderr io.Writer, flags lspFlags) (*slog.Logger, func(), error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(flags.logLevel)); err != nil {
		return nil, nil, withHint(fmt.Errorf("--log-level %q is unknown", flags.logLevel), "use debug, info, warn or error")
	}
	w, done := stderr, func() {}
	if flags.logFile != "" {
		f, err := os.OpenFile(flags.logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return nil, nil, withHint(err, "--log-file names a file that can be written")
		}
		w, done = f, func() { _ = f.Close() } // a log that can't be closed has nobody to tell
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), done, nil
}
