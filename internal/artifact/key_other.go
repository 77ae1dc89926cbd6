//go:build !linux

package artifact

import "io/fs"

// KeyOf has size and time alone here; the change time and the file's number are not portable.
func KeyOf(info fs.FileInfo) Key {
	return Key{Size: info.Size(), Mtime: info.ModTime().UnixNano()}
}
