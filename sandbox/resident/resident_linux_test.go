package resident

import (
	"crypto/sha256"
	"os"
	"strconv"
	"strings"
	"testing"
)

// residentFile is how much of the files that it has mapped this process holds, in KiB.
func residentFile(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// 4 MiB of this program's file that nothing else touches.
const (
	words = "a page of the program that only its start has ever looked at... "
	page  = words + words + words + words + words + words + words + words + words + words + words + words + words + words + words + words
	pages = page + page + page + page + page + page + page + page + page + page + page + page + page + page + page + page
	many  = pages + pages + pages + pages + pages + pages + pages + pages + pages + pages + pages + pages + pages + pages + pages + pages
	most  = many + many + many + many + many + many + many + many + many + many + many + many + many + many + many + many
)

// TestRelease: what was read of the program's file is let go of, and is the same when it is read again.
func TestRelease(t *testing.T) {
	text := most
	want := sha256.Sum256([]byte(text))
	before := residentFile(t)
	if err := Release(); err != nil {
		t.Fatal(err)
	}
	after := residentFile(t)
	if before < len(text)>>10 || after > before-len(text)>>11 {
		t.Errorf("%d KiB before, %d after", before, after)
	}
	if got := sha256.Sum256([]byte(text)); got != want {
		t.Errorf("the program reads %x now, %x before", got, want)
	}
}

// TestMapping: only what is read-only, private and of the file itself is let go of.
func TestMapping(t *testing.T) {
	const file = "/usr/bin/a b"
	for _, c := range []struct {
		line string
		want bool
	}{
		{"00403000-01509000 r-xp 00003000 fe:00 123                        /usr/bin/a b", true},
		{"01509000-03447000 r--p 01109000 fe:00 123                        /usr/bin/a b", true},
		{"03447000-0365e000 rw-p 03047000 fe:00 123                        /usr/bin/a b", false},
		{"00403000-01509000 r-xs 00003000 fe:00 123                        /usr/bin/a b", false},
		{"00403000-01509000 r-xp 00003000 fe:00 123                        /usr/lib/libc.so.6", false},
		{"c000000000-c000400000 rw-p 00000000 00:00 0 ", false},
		{"Rss:                  18092 kB", false},
	} {
		first, last := mapping(c.line, file)
		if got := first != 0 && last > first; got != c.want {
			t.Errorf("%s: %x-%x", c.line, first, last)
		}
	}
}
