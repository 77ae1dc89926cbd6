// Package workspace knows the Python files around the one that is looked at: which there are, which
// module each one is, what they define and who calls it.
package workspace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Problem is a path that could not be read.
type Problem struct {
	Path string
	Err  error
}

// Filter decides what of a folder is looked at.
type Filter struct {
	// Exclude are gitignore patterns, relative to each folder asked for, besides the default ones.
	Exclude []string
	// NoGitignore leaves .gitignore files alone.
	NoGitignore bool
}

// DefaultExclude are the folders that hold no source of the project itself.
var DefaultExclude = []string{".git/", ".hg/", ".svn/", "__pycache__/", ".venv/", "venv/", "node_modules/", ".tox/", ".nox/", ".eggs/", ".mypy_cache/",
	".ruff_cache/", ".pytest_cache/", ".ipynb_checkpoints/", ".direnv/", ".bzr/", "__pypackages__/", "_build/", "buck-out/"}

// maxDepth bounds the folders inside one another.
const maxDepth = 128

// Files lists the Python sources and notebooks below the given paths, in lexical order. A file that is
// named itself is listed whatever its name; links to folders are not followed.
func Files(paths []string, filter Filter) ([]string, []Problem) {
	l := lister{filter: filter, seen: map[string]bool{}, want: IsSource, left: math.MaxInt}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			l.problem(path, err)
		case info.IsDir():
			l.folder(path, 0, l.outer(path))
		case !info.Mode().IsRegular():
			l.problem(path, errors.New("is no regular file"))
		default:
			l.add(path)
		}
	}
	return l.files, l.problems
}

type lister struct {
	filter   Filter
	want     func(name string) bool // the files that are listed
	left     int                    // entries of folders that may still be looked at
	seen     map[string]bool
	files    []string
	problems []Problem
}

func (l *lister) problem(path string, err error) {
	l.problems = append(l.problems, Problem{path, err})
}

func (l *lister) add(path string) {
	if key := filepath.Clean(path); !l.seen[key] {
		l.seen[key] = true
		l.files = append(l.files, path)
	}
}

// outer are the rules that hold in a folder asked for: the default ones, the user's, and the
// .gitignore files of the folders above it up to the repository's root.
func (l *lister) outer(dir string) []ignoreFile {
	rules := []ignoreFile{{dir: dir, rules: parseIgnore(strings.Join(append(slices.Clone(DefaultExclude), l.filter.Exclude...), "\n"))}}
	abs, err := filepath.Abs(dir)
	if err != nil || l.filter.NoGitignore {
		return rules
	}
	var above []ignoreFile
	for d, isRoot := abs, false; !isRoot; d = filepath.Dir(d) {
		_, err := os.Lstat(filepath.Join(d, ".git"))
		isRoot = err == nil || filepath.Dir(d) == d
		if d != abs {
			above = append(above, ignoreFile{dir: d, rules: readIgnore(d)})
		}
		if filepath.Dir(d) == d && err != nil {
			above = nil // in no repository: files above do not count
		}
	}
	slices.Reverse(above)
	return append(rules, above...)
}

// folder lists one folder.
func (l *lister) folder(dir string, depth int, rules []ignoreFile) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.problem(dir, err)
		return
	}
	if depth > maxDepth {
		l.problem(dir, fmt.Errorf("lies more than %d folders deep", maxDepth))
		return
	}
	if !l.filter.NoGitignore && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == ".gitignore" }) {
		rules = append(slices.Clone(rules), ignoreFile{dir: dir, rules: readIgnore(dir)})
	}
	for _, e := range entries {
		if l.left--; l.left < 0 {
			return
		}
		path := filepath.Join(dir, e.Name())
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			if err != nil || info.IsDir() {
				continue
			}
			mode = info.Mode().Type()
		}
		switch {
		case mode.IsDir():
			if !ignored(rules, path, true) {
				l.folder(path, depth+1, rules)
			}
		case mode.IsRegular() && l.want(e.Name()) && !ignored(rules, path, false):
			l.add(path)
		}
	}
}

// IsSource says whether a file of that name holds Python.
func IsSource(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".py", ".pyi", ".pyw", ".ipynb":
		return true
	}
	return false
}

// MaxSource is the largest source that is read, in bytes.
const MaxSource = 64 << 20

// Read reads one source, which has to be a regular file of at most MaxSource bytes.
func Read(path string) ([]byte, error) {
	return read(path, os.Stat, os.Open)
}

// ReadWithin is Read of a file in the folder dir, out of which no link may lead.
func ReadWithin(dir, path string) ([]byte, error) {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return read(rel, root.Stat, root.Open)
}

// read asks what a file is before it opens it: opening a pipe would wait for its other end.
func read(path string, stat func(string) (fs.FileInfo, error), open func(string) (*os.File, error)) ([]byte, error) {
	info, err := stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err = f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	case info.Size() > MaxSource:
		return nil, fmt.Errorf("%s has %d bytes, more than the %d that are read of a source", path, info.Size(), MaxSource)
	}
	src := make([]byte, info.Size())
	n, err := io.ReadFull(f, src)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return src[:n], nil
}
