package resident

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Release lets go of what is mapped of the program's own file and was never written to. Mappings that
// the dynamic linker, a debugger or a relocation has written to are left alone: theirs can't be read again. What comes
// back comes in small pieces: otherwise one touch can bring 2 MiB, where the cache has them in one piece.
func Release() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer f.Close()
	var first, last uintptr // the mapping whose fields are read; 0 for one that is not ours
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		name, value, field := strings.Cut(line, ":")
		switch {
		case !field || strings.Contains(name, " "):
			first, last = mapping(line, program)
		case name == "Anonymous" && first != 0 && strings.TrimSpace(value) == "0 kB":
			if err := release(first, last-first); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}

func release(at, size uintptr) error {
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, at, size, unix.MADV_NOHUGEPAGE) // a kernel without huge pages refuses it
	if _, _, errno := unix.Syscall(unix.SYS_MADVISE, at, size, unix.MADV_DONTNEED); errno != 0 {
		return fmt.Errorf("madvise: %w", errno)
	}
	return nil
}

// mapping reads the head of a mapping in smaps, and is 0 unless it is private, read-only and of that file.
func mapping(line, file string) (first, last uintptr) {
	var perms, offset, device string
	var inode uint64
	if _, err := fmt.Sscanf(line, "%x-%x %s %s %s %d", &first, &last, &perms, &offset, &device, &inode); err != nil {
		return 0, 0
	}
	if !strings.HasSuffix(line, " "+file) || perms != "r-xp" && perms != "r--p" {
		return 0, 0
	}
	return first, last
}
