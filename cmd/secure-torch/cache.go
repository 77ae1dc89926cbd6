package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/secure-torch/secure-torch/internal/cache"
)

// openCache is the user's cache of reports, or nil where it is not wanted or can't be had: a scan then takes longer.
func openCache(without bool) *cache.Store {
	if without {
		return nil
	}
	dir, err := cache.DefaultDir()
	if err != nil {
		return nil
	}
	store, err := cache.Open(dir)
	if err != nil {
		return nil
	}
	return store
}

func newCacheCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Look after the caches on this machine",
		Long: `Reports on local files are kept on disk, in a folder that only you can read, until the file or this program
changes: dir, size, clean and prune are about that. No model is in it, and scan --no-cache does without.
verify is about the caches that other programs keep models in.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	verb := func(use, short string, run func(*cobra.Command, *cache.Store) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := cache.DefaultDir()
			if err != nil {
				return withHint(err, "set HOME, or XDG_CACHE_HOME")
			}
			store, err := cache.Open(dir)
			if err != nil {
				return withHint(err, "the folder must be writable by you alone: chmod 700")
			}
			return run(cmd, store)
		}}
	}
	var limit int64
	prune := verb("prune", "Remove the oldest entries until the cache is small enough", func(cmd *cobra.Command, s *cache.Store) error {
		removed, err := s.Prune(cmp.Or(limit, cache.DefaultSize>>20) << 20)
		if err == nil {
			fmt.Fprintf(cmd.OutOrStdout(), "%d entries removed\n", removed)
		}
		return err
	})
	prune.Flags().Int64Var(&limit, "max-size", cache.DefaultSize>>20, "size to keep, in MiB")
	cmd.AddCommand(
		newCacheVerifyCmd(),
		verb("dir", "Print the folder of the cache", func(cmd *cobra.Command, s *cache.Store) error {
			fmt.Fprintln(cmd.OutOrStdout(), s.Dir())
			return nil
		}),
		verb("size", "Print the number of entries and their size in bytes", func(cmd *cobra.Command, s *cache.Store) error {
			count, size, err := s.Size()
			fmt.Fprintf(cmd.OutOrStdout(), "%d entries, %d bytes\n", count, size)
			return err
		}),
		verb("clean", "Remove every entry", func(_ *cobra.Command, s *cache.Store) error { return s.Clean() }),
		prune,
	)
	return cmd
}
