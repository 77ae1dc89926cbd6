//go:build !unix

package artifact

import (
	"os"
)

// openNoFollow checks for a link first: there is no flag for it here.
func openNoFollow(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &NotRegularError{Path: path, What: what(info.Mode())}
	}
	return os.Open(path)
}
