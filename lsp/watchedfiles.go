package lsp

import (
	"strings"

	"go.lsp.dev/protocol"
)

// didChangeWatchedFiles has changed models scanned again. A file that came, went or holds Python may change
// what the open documents load, so these are read again.
func didChangeWatchedFiles(st *state, p *protocol.DidChangeWatchedFilesParams) error {
	reread := false
	for _, c := range p.Changes {
		if !c.URI.IsFile() {
			continue
		}
		path := c.URI.FsPath()
		st.rescan(path)
		reread = reread || c.Type != protocol.FileChangeTypeChanged || strings.HasSuffix(path, ".py")
	}
	if !reread {
		return nil
	}
	for _, d := range st.docs {
		st.put(newDocument(d.uri, d.version, d.text, st.client.encoding))
	}
	return nil
}
