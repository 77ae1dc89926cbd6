package provenance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/digest"
	"github.com/secure-torch/secure-torch/internal/evidence"
)

// maxEntries bounds the files of one model.
const maxEntries = 300_000

// Model is a file or a folder whose signature is looked at.
type Model struct {
	Path   string // as asked for
	Single bool
	Files  []evidence.Entry

	root   string         // absolute; the file's folder where it is a single one
	opened *artifact.File // the single file, where the caller has opened it
	blobs  []string       // of a hub cache, where links may lead
	skip   []fs.FileInfo
}

// Opened is the model that an open file is, whatever its path leads to by now. The caller closes it.
func Opened(f *artifact.File) *Model {
	return &Model{
		Path: f.Path, Single: true, opened: f,
		Files: []evidence.Entry{{Name: filepath.Base(f.Path), Size: f.Key.Size}},
	}
}

// List finds the files of the model at path. A link that the path itself is, is followed: the user named it. The files named in skip, which need not exist, are no part of it: the
// signature itself.
func List(ctx context.Context, path string, skip ...string) (*Model, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(full)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		if full, err = filepath.EvalSymlinks(full); err != nil { // a walk does not enter a link
			return nil, err
		}
	}
	m := &Model{Path: path, Single: !info.IsDir(), root: full}
	for _, s := range skip {
		if info, err := os.Stat(s); err == nil {
			m.skip = append(m.skip, info)
		}
	}
	if m.Single {
		m.root = filepath.Dir(full)
		return m, m.add(full)
	}
	m.blobs = artifact.BlobsFor(filepath.Join(full, "file"))
	err = filepath.WalkDir(full, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() {
			return err
		}
		return m.add(path)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(m.Files, func(a, b evidence.Entry) int { return cmp.Compare(a.Name, b.Name) })
	return m, nil
}

// add lists one entry that is no folder.
func (m *Model) add(path string) error {
	if len(m.Files) >= maxEntries {
		return &evidence.Error{Code: evidence.OverLimit, Err: fmt.Errorf("more than %d files", maxEntries)}
	}
	name, err := filepath.Rel(m.root, path)
	if err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	e := evidence.Entry{Name: filepath.ToSlash(name), Size: info.Size()}
	switch {
	case info.Mode().IsRegular():
	case info.Mode()&fs.ModeSymlink != 0:
		e.Type, info = m.link(path, info)
		e.Size = info.Size()
	default:
		e.Type = evidence.Other
	}
	for _, s := range m.skip {
		if os.SameFile(s, info) {
			return nil
		}
	}
	m.Files = append(m.Files, e)
	return nil
}

// link tells where a symbolic link leads: a hub cache's snapshot is made of links into its blobs.
func (m *Model) link(path string, info fs.FileInfo) (evidence.EntryType, fs.FileInfo) {
	target, err := os.Stat(path)
	if err != nil || !target.Mode().IsRegular() {
		return evidence.Link, info
	}
	switch {
	case m.Single, len(m.blobs) > 0 && artifact.Contained(path, m.blobs...) == nil:
		return evidence.Regular, target
	case artifact.Contained(path, m.root) == nil:
		return evidence.Inner, target
	}
	return evidence.Link, target
}

// open opens an entry, wherever it is allowed to lead.
func (m *Model) open(e evidence.Entry) (*artifact.File, error) {
	var within []string // the one file lies where the user says
	if !m.Single {
		within = append([]string{m.root}, m.blobs...)
	}
	return artifact.Open(filepath.Join(m.root, filepath.FromSlash(e.Name)), within...)
}

// Hash computes the digests that the plan asks for, several files at once. What the signer left out is not read.
func (m *Model) Hash(ctx context.Context, plan evidence.Plan) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan int)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for i := range work {
				if err := m.hash(ctx, plan, &m.Files[i]); err != nil {
					cancel(fmt.Errorf("%s: %w", m.Files[i].Name, err))
				}
			}
		})
	}
	for i, e := range m.Files {
		if e.Type == evidence.Regular || e.Type == evidence.Inner && plan.Links {
			if ctx.Err() == nil && (m.Single || !evidence.Below(plan.Ignore, e.Name)) {
				work <- i
			}
		}
	}
	close(work)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

func (m *Model) hash(ctx context.Context, plan evidence.Plan, e *evidence.Entry) error {
	f := m.opened
	if f == nil {
		var err error
		if f, err = m.open(*e); err != nil {
			return err
		}
		defer f.Close() // opened for reading
	}
	sums, err := digest.Shards(ctx, plan.Hash, f, f.Key.Size, plan.ShardSize)
	if err != nil {
		return err
	}
	e.Size, e.Digests = f.Key.Size, sums
	return f.Changed()
}

// Listing is the model as a manifest is compared with it.
func (m *Model) Listing() evidence.Listing {
	return evidence.Listing{Single: m.Single, Entries: m.Files}
}

// Name is what a signer calls the model: the last part of its path.
func (m *Model) Name() string {
	if m.Single && len(m.Files) == 1 {
		return m.Files[0].Name
	}
	return filepath.Base(m.root)
}

// ErrNoFiles says that there is nothing to sign or to verify.
var ErrNoFiles = errors.New("there are no files")
