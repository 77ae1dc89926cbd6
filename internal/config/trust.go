package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/pelletier/go-toml/v2"
)

// foldersBegun matches where the list of trusted folders begins.
var foldersBegun = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[ \t]*trusted_folders[ \t]*=[ \t]*\[`)
})

// TrustFolder lists a folder, by its absolute path, under trusted_folders in the user's own config, and leaves the
// rest of that as it is. Only what a person asks for himself may come here.
func TrustFolder(dir string) error { return trustFolder(userFile(), dir) }

func trustFolder(file, dir string) error {
	if file == "" || !filepath.IsAbs(dir) {
		return fmt.Errorf("config: %q cannot be trusted: no absolute path, or no place for your own config", dir)
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("config: %w", err)
	}
	before, err := Parse(text, User)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err) // nothing is written into what cannot be read
	}
	if slices.Contains(before.TrustedFolders, dir) {
		return nil
	}
	line, err := toml.Marshal(map[string][]string{"trusted_folders": {dir}})
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	var out []byte
	if at := foldersBegun().FindIndex(text); at != nil {
		quoted := line[bytes.IndexByte(line, '[')+1 : bytes.LastIndexByte(line, ']')]
		separator := []byte(", ")
		if len(before.TrustedFolders) == 0 {
			separator = nil
		}
		out = slices.Concat(text[:at[1]], quoted, separator, text[at[1]:])
	} else {
		out = slices.Concat(line, text)
	}
	after, err := Parse(out, User)
	if err != nil || !slices.Equal(after.TrustedFolders, append([]string{dir}, before.TrustedFolders...)) {
		return fmt.Errorf("config: %s: add %q to trusted_folders by hand: its form is not understood", file, dir)
	}
	return ReplaceFile(file, out)
}

// ReplaceFile writes a file of the user's own, in a folder of his own, whole or not at all.
func ReplaceFile(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".config-*")
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}
