package lsp

import (
	"path/filepath"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/workspace"
)

// didChangeWatchedFiles has changed models scanned again. A file that came, went or holds Python may change
// what the open documents load, so these are read again.
func didChangeWatchedFiles(st *state, p *protocol.DidChangeWatchedFilesParams) error {
	reread, reconfigure := false, false
	var sources []string
	for _, c := range p.Changes {
		if !c.URI.IsFile() {
			continue
		}
		path := c.URI.FsPath()
		reconfigure = reconfigure || isConfig(path)
		switch {
		case isModule(path):
			sources = append(sources, path)
			st.fileChanged(path, c.Type == protocol.FileChangeTypeDeleted)
		case st.fileChanged(path, c.Type == protocol.FileChangeTypeDeleted):
			reread = reread || c.Type != protocol.FileChangeTypeChanged
		}
	}
	switch {
	case reconfigure:
		st.reconfigure()
	case len(sources) > 0:
		st.refreshModules(sources)
	case reread:
		st.rereadAll()
	}
	return nil
}

// isConfig says whether a file decides what is reported: a config, or which versions a project uses.
func isConfig(path string) bool {
	base := filepath.Base(path)
	return base == config.FileName || workspace.IsRequirement(base)
}
