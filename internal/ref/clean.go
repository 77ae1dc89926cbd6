package ref

import (
	"path"
	"strings"
)

// Clean is path.Clean that keeps a leading "./", which tells a path from a name on the hub, away, and
// turns backslashes of a Windows path into slashes.
func Clean(p string) string {
	if len(p) > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/') {
		p = strings.ReplaceAll(p, `\`, "/")
	}
	return path.Clean(p)
}
