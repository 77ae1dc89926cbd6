package lsp

import (
	"path/filepath"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/config"
)

// didChangeWatchedFiles has changed models scanned again. A file that came, went or holds Python may change
// what the open documents load, so these are read again.
func didChangeWatchedFiles(st *state, p *protocol.DidChangeWatchedFilesParams) error {
	reread, reconfigure := false, false
	for _, c := range p.Changes {
		if !c.URI.IsFile() {
			continue
		}
		path := c.URI.FsPath()
		st.rescan(path)
		reconfigure = reconfigure || isConfig(path)
		reread = reread || c.Type != protocol.FileChangeTypeChanged || strings.HasSuffix(path, ".py")
	}
	switch {
	case reconfigure:
		st.reconfigure()
	case reread:
		st.rereadAll()
	}
	return nil
}

func isConfig(path string) bool {
	base := filepath.Base(path)
	return base == config.FileName || base == "pyproject.toml"
}
