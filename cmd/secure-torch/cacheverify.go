package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/artifact/integrity"
	"github.com/secure-torch/secure-torch/internal/report"
)

func newCacheVerifyCmd() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "verify [FOLDER...]",
		Short: "Compare downloaded models with the digests that their caches name for them",
		Long: `Hash everything in the caches of the hub's client, torch.hub and Ollama that the environment names, or in the
folders given, and compare it with what the caches themselves say: a blob's name, the commit's listing, the digest in a
checkpoint's name. Loaders do not: they take a file that is in the cache for the right one. Nothing goes to the network.

Exit code: 1 something is not what it should be; else 2 something could not be read; else 0.`,
		Example: "  secure-torch cache verify\n  secure-torch cache verify ~/.cache/huggingface/hub",
		RunE:    func(cmd *cobra.Command, args []string) error { return runCacheVerify(cmd, args, format) },
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func runCacheVerify(cmd *cobra.Command, folders []string, format string) error {
	if err := oneOf("format", format, "text", "json"); err != nil {
		return err
	}
	caches := integrity.Caches(os.Getenv)
	if len(folders) > 0 {
		caches = nil
	}
	for _, f := range folders {
		c, err := integrity.At(f)
		if err != nil {
			return withHint(err, "name the folder that holds models--org--name, checkpoints or blobs")
		}
		caches = append(caches, c)
	}
	if len(caches) == 0 {
		return withHint(errors.New("there are no caches of models on this machine"), "name the folder, where it is another one than HF_HOME, TORCH_HOME and OLLAMA_MODELS say")
	}
	progress := newProgress(cmd.ErrOrStderr())
	var results []integrity.Result
	integrity.Run(cmd.Context(), caches, func(r integrity.Result) {
		progress.step(r.Path)
		results = append(results, r)
	})
	progress.done()
	if cmd.Context().Err() != nil {
		return withHint(errors.New("interrupted"), "nothing was reported, because not everything was hashed")
	}
	slices.SortFunc(results, func(a, b integrity.Result) int { return strings.Compare(a.Path, b.Path) })
	if err := writeVerified(cmd.OutOrStdout(), format, caches, results); err != nil {
		return err
	}
	switch {
	case slices.ContainsFunc(results, func(r integrity.Result) bool { return r.State == integrity.Wrong }):
		return exitCode(exitFindings)
	case slices.ContainsFunc(results, func(r integrity.Result) bool { return r.State == integrity.Unreadable }):
		return exitCode(exitTrouble)
	}
	return nil
}

func writeVerified(w io.Writer, format string, caches []integrity.Cache, results []integrity.Result) error {
	counts := map[integrity.State]int{}
	bytes := int64(0)
	for _, r := range results {
		counts[r.State]++
		bytes += r.Size
	}
	if format == "json" {
		type file struct {
			Path  string `json:"path"`
			State string `json:"state"`
			Why   string `json:"why,omitempty"`
			Size  int64  `json:"hashed"`
		}
		files := make([]file, len(results))
		for i, r := range results {
			files[i] = file{report.Escape(filepath.ToSlash(r.Path)), r.State.String(), report.Escape(r.Why), r.Size}
		}
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"version": 1, "files": files})
	}
	marks := map[integrity.State]string{integrity.Wrong: "✗", integrity.Unreadable: "!", integrity.Unknown: "?"}
	for _, r := range results {
		if mark := marks[r.State]; mark != "" {
			fmt.Fprintf(w, "%s %s: %s\n", mark, report.Escape(filepath.ToSlash(r.Path)), report.Escape(r.Why))
		}
	}
	var dirs []string
	for _, c := range caches {
		dirs = append(dirs, report.Escape(c.Dir))
	}
	_, err := fmt.Fprintf(w, "%s: %d files as they should be, %d wrong, %d unreadable, %d of unknown digest; %d bytes hashed\n",
		strings.Join(dirs, ", "), counts[integrity.Good], counts[integrity.Wrong], counts[integrity.Unreadable], counts[integrity.Unknown], bytes)
	return err
}
