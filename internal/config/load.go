package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FileName of a config of its own; pyproject.toml is the other place.
const FileName = "secure-torch.toml"

// Loaded is the config in force, and where its workspace part came from.
type Loaded struct {
	Config
	File    string // the workspace's config; empty when there is none
	Dir     string // the folder it stands in, to which globs are relative; else the folder asked for
	Trusted bool   // its suppressions of findings in files count
	user    *Config
	vouched string // a folder that the user trusts besides those of his config
}

// Load joins the user's own config with the workspace's: the file named explicitly, which is thereby
// trusted, or else the nearest one at or above dir, which is trusted when the user's trusted_folders
// has it. An untrusted one may only tighten.
func Load(dir, explicit string) (*Loaded, error) { return load(userFile(), dir, explicit, false) }

// LoadTrusted is Load for a folder of which the user has said that he trusts it, to an editor.
func LoadTrusted(dir string) (*Loaded, error) { return load(userFile(), dir, "", true) }

// Own is the user's own config alone.
func Own() (*Config, error) {
	own, err := readFile(userFile(), User)
	return cmp.Or(own, &Config{}), err
}

// userFile is where the user's own config lies; empty when that cannot be told.
func userFile() string {
	base, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(base, "secure-torch", "config.toml")
}

func load(userFile, dir, explicit string, vouched bool) (*Loaded, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	user, err := readFile(userFile, User)
	if err != nil {
		return nil, err
	}
	l := &Loaded{Dir: dir, user: cmp.Or(user, &Config{})}
	l.Config = *l.user
	if vouched {
		l.vouched = dir
	}
	l.Trusted = l.trusts(dir)
	if explicit != "" {
		own, err := readFile(explicit, Workspace)
		if err != nil {
			return nil, err
		}
		if own == nil {
			return nil, fmt.Errorf("config: %s: no such file, or it has no [tool.secure-torch]", explicit)
		}
		return l, l.join(explicit, own, true)
	}
	return l, l.discover(dir)
}

// discover takes the nearest config at or above dir. It stops at a repository's root.
func (l *Loaded) discover(dir string) error {
	for {
		for _, name := range []string{FileName, "pyproject.toml"} {
			file := filepath.Join(dir, name)
			trusted := l.trusts(dir)
			origin := Untrusted
			if trusted {
				origin = Workspace
			}
			own, err := readFile(file, origin)
			if err != nil {
				return err
			}
			if own != nil {
				return l.join(file, own, trusted)
			}
		}
		parent := filepath.Dir(dir)
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil || parent == dir {
			return nil
		}
		dir = parent
	}
}

// trusts tells whether the user's own config lists the folder or one above it.
func (l *Loaded) trusts(dir string) bool {
	return slices.ContainsFunc(append([]string{l.vouched}, l.user.TrustedFolders...), func(folder string) bool {
		rest, err := filepath.Rel(folder, dir)
		return folder != "" && err == nil && filepath.IsLocal(rest)
	})
}

// join adds a workspace's config to the user's.
func (l *Loaded) join(file string, own *Config, trusted bool) error {
	abs, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	l.File, l.Dir, l.Trusted = file, filepath.Dir(abs), trusted
	l.Offline = l.Offline || own.Offline
	l.NoCache = l.NoCache || own.NoCache
	l.Hub = cmp.Or(own.Hub, l.Hub)
	l.Ignore = slices.Concat(l.Ignore, own.Ignore)
	l.Sandbox = cmp.Or(own.Sandbox, l.Sandbox)
	if trusted {
		l.FailOn = cmp.Or(own.FailOn, l.FailOn)
		sinks := maps.Clone(own.Sinks)
		if sinks == nil {
			sinks = map[string]string{}
		}
		maps.Copy(sinks, l.Sinks)
		l.Sinks = sinks
	} else {
		l.FailOn = stricter(l.FailOn, own.FailOn)
	}
	return nil
}

// stricter of two thresholds; an empty one is the default.
func stricter(a, b string) string {
	rank := func(s string) int { return slices.Index(severities, cmp.Or(s, "high")) }
	if rank(b) < rank(a) {
		return b
	}
	return a
}

// readFile returns nil for a file that is not there, and for a pyproject.toml without our table.
func readFile(file string, origin Origin) (*Config, error) {
	if file == "" {
		return nil, nil
	}
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("config: %s is not a regular file", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	var text strings.Builder
	if _, err := io.Copy(&text, io.LimitReader(f, maxSize+1)); err != nil {
		return nil, fmt.Errorf("config: %s: %w", file, err)
	}
	parse := Parse
	if filepath.Base(file) == "pyproject.toml" {
		parse = ParsePyproject
	}
	c, err := parse([]byte(text.String()), origin)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}
