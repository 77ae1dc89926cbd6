package lsp

import (
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/watch"
	"github.com/secure-torch/secure-torch/internal/workspace"
	"github.com/secure-torch/secure-torch/modelscan"
)

// watchModels watches the files that open documents load, wherever they lie, and the places where files
// that they name would appear. The client could tell only of what lies in its folders.
func (s *Server) watchModels() {
	w := watch.New(watch.Options{Brief: true, Notice: func(why string) {
		s.log.Warn("watch", "notice", why)
		_ = s.do(func(st *state) error { st.tell(protocol.MessageTypeInfo, "secure-torch: "+why); return nil })
	}})
	go w.Run(s.ctx)
	var before []string
	for {
		select {
		case paths := <-s.watched:
			w.Set(s.ctx, paths)
			folders := false
			fresh := map[string]stamp{} // what happened to these before anybody watched, nobody tells
			for _, path := range paths {
				if _, known := slices.BinarySearch(before, path); !known {
					fresh[path] = stampOf(path)
					info, err := os.Stat(path)
					folders = folders || err == nil && info.IsDir()
				}
			}
			before = paths
			_ = s.do(func(st *state) error { st.nowWatched(fresh, folders); return nil })
		case changes := <-w.Changes():
			_ = s.do(func(st *state) error { st.filesChanged(changes); return nil })
		case <-s.ctx.Done():
			return
		}
	}
}

// nowWatched looks for what changed after it was read or scanned and before it was watched.
func (st *state) nowWatched(fresh map[string]stamp, folders bool) {
	settings := false
	for path := range fresh {
		settings = settings || workspace.IsSettings(path)
	}
	if folders || settings { // what came into them meanwhile is not known
		defer st.rereadAll()
	}
	var come []watch.Change
	for path, now := range fresh {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			st.lookedAround(path)
		}
		if came, gone := st.cameUnwatched(path, now); came || gone {
			come = append(come, watch.Change{Path: path, Gone: gone})
		}
	}
	st.filesChanged(come)
}

// cameUnwatched says whether a file came or went before it was watched, and has one scanned again that changed then.
func (st *state) cameUnwatched(path string, now stamp) (came, gone bool) {
	sc := st.scans[path]
	switch {
	case now == stamp{}:
		return false, sc != nil
	case sc == nil:
		return st.missed(path), false
	}
	sc.watched = now
	if sc.cancel == nil && sc.changedUnseen() {
		st.rescan(path)
	}
	return false, false
}

// lookedAround scans anew what depends on a folder that was not watched when it was scanned.
func (st *state) lookedAround(dir string) {
	for path := range st.scans {
		if engine.SpeaksOf(path, filepath.Join(filepath.Dir(path), "x.py")) && artifact.Inside(dir, path) {
			st.rescan(path)
		}
	}
}

// filesChanged has changed models scanned again. One that came or went changes what calls mean.
func (st *state) filesChanged(changes []watch.Change) {
	reread := false
	for _, c := range changes {
		reread = st.fileChanged(c.Path, c.Gone) || reread
	}
	if reread {
		st.rereadAll()
	}
}

// fileChanged has a model scanned again, and says whether what calls mean may have changed.
func (st *state) fileChanged(path string, gone bool) (reread bool) {
	sc := st.scans[path]
	self := uri.File(path)
	for other := range st.scans {
		if other != path && engine.SpeaksOf(other, path) {
			st.rescan(other)
		}
	}
	switch {
	case gone && sc != nil:
		st.release(path, sc, self)
		delete(st.loads, self)
		if _, err := os.Stat(path); err == nil && st.scans[path] == sc {
			st.rescan(path) // no file any more, but a pipe, a device or a folder: what was said of the file is not true of that
		}
		return true
	case sc != nil:
		st.rescan(path)
		return st.missed(path) || workspace.IsSettings(path) // OmegaConf.load's file is scanned, and says what others load
	case !gone && modelscan.ModelName(path):
		st.later(st.folderOf(path), path)
	}
	return true
}

// missed says whether some source was read when the file was not there yet.
func (st *state) missed(path string) bool {
	for d := range st.readDocuments() {
		if slices.ContainsFunc(d.result.Calls(), func(c check.Call) bool { return slices.Contains(c.Absent, path) }) {
			return true
		}
	}
	return false
}

// appeared says whether a file that was not there while a source was read is there now.
func appeared(c Checked) bool {
	return slices.ContainsFunc(c.Calls(), func(call check.Call) bool {
		return slices.ContainsFunc(call.Absent, func(path string) bool { return stampOf(path) != stamp{} })
	})
}

// watchWanted says what is to be watched now. Only the latest word counts.
func (st *state) watchWanted() {
	var paths []string
	for path := range st.scans {
		paths = append(paths, path)
	}
	roots := map[*root]bool{}
	for d := range st.readDocuments() {
		if d.root != nil && !roots[d.root] {
			roots[d.root] = true
			paths = append(paths, d.root.modules().Consulted()...) // settings that a source reads
		}
		for _, c := range d.result.Calls() {
			paths = append(paths, c.Absent...)
			for _, f := range c.Found {
				if f.Root != "" {
					paths = append(paths, f.Root) // another file in it may be read in place of those there are
				}
			}
		}
	}
	if len(st.busy) > 0 {
		paths = append(paths, st.watching...) // what the sources being read name is not known, and was watched before
	}
	slices.Sort(paths)
	if paths = slices.Compact(paths); slices.Equal(paths, st.watching) {
		return
	}
	st.watching = paths
	latest(st.srv.watched, paths)
}

// readDocuments are the sources, open or not, that have been read.
func (st *state) readDocuments() iter.Seq[*document] {
	return func(yield func(*document) bool) {
		for _, all := range []map[uri.URI]*document{st.docs, st.unopened} {
			for _, d := range all {
				if d.result != nil && !yield(d) {
					return
				}
			}
		}
	}
}

// watchedGlobs are the Python sources, configs and models of a workspace.
func watchedGlobs() []protocol.Pattern {
	return []protocol.Pattern{"**/*.py", "**/*.pyi", "**/" + config.FileName, "**/{pyproject.toml,setup.cfg,environment.yml}", "**/*.lock", "**/requirements*/*.txt", "**/requirements*.txt",
		protocol.Pattern("**/*.{" + strings.Join(modelscan.ModelExtensions(), ",") + "}")}
}

// registrations are what the client is to tell of, where it can: changes of sources, of configs and of its own
// settings.
func registrations(ws *protocol.WorkspaceClientCapabilities) []protocol.Registration {
	var out []protocol.Registration
	if ws != nil && ws.DidChangeWatchedFiles != nil && is(ws.DidChangeWatchedFiles.DynamicRegistration) {
		var watchers []protocol.FileSystemWatcher
		for _, glob := range watchedGlobs() {
			watchers = append(watchers, protocol.FileSystemWatcher{GlobPattern: glob})
		}
		out = append(out, protocol.Registration{
			ID: name + "/files", Method: protocol.MethodWorkspaceDidChangeWatchedFiles,
			RegisterOptions: toAny(protocol.DidChangeWatchedFilesRegistrationOptions{Watchers: watchers}),
		})
	}
	if ws != nil && ws.DidChangeConfiguration != nil && is(ws.DidChangeConfiguration.DynamicRegistration) {
		out = append(out, protocol.Registration{ID: name + "/settings", Method: protocol.MethodWorkspaceDidChangeConfiguration})
	}
	return out
}

func (s *Server) register(wanted []protocol.Registration) {
	if err := s.client.RegisterCapability(s.ctx, &protocol.RegistrationParams{Registrations: wanted}); err != nil {
		s.log.Warn("register", "err", err)
	}
}
