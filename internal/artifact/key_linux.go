package artifact

import (
	"io/fs"
	"syscall"
)

func keyOf(info fs.FileInfo) Key {
	k := Key{Size: info.Size(), Mtime: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		k.Dev, k.Ino, k.Ctime = uint64(st.Dev), st.Ino, st.Ctim.Nano()
	}
	return k
}
