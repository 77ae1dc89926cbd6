package artifact

import (
	"io/fs"
	"syscall"
)

// KeyOf is the state that a file is in by what the system says of it.
func KeyOf(info fs.FileInfo) Key {
	k := Key{Size: info.Size(), Mtime: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		k.Dev, k.Ino, k.Ctime = uint64(st.Dev), st.Ino, st.Ctim.Nano()
	}
	return k
}
