package provenance

import (
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// listAfter is how many files of a folder are looked at before the folder is listed.
	listAfter = 8
	// maxListed bounds the names of a folder that are kept; beyond it, every name is asked for.
	maxListed = 20_000
	// settled is how long before its listing a folder has to have changed last, since clocks of file systems
	// tick as slowly as every two seconds (FAT).
	settled = 2 * time.Second
	// listingAge is how long a listing is believed where the folder's time stays the same: not every file system
	// changes it.
	listingAge = 5 * time.Second
)

// folders remember the names in folders of which many files are looked at: to ask for each of the thirty names that a
// signature or an SBOM may have, beside each file, takes longer than to scan a small one.
type folders struct {
	mu    sync.Mutex
	known map[string]*folderNames
}

// folderNames is what was in a folder.
type folderNames struct {
	asked   int
	at      time.Time // when it was listed; zero before that
	stamp   time.Time // the folder's time then
	names   map[string]bool
	useless bool // too many names
}

// in returns whether there may be a file of that name in a folder: false only where there is none.
func (f *folders) in(dir string) func(name string) bool {
	anything := func(string) bool { return true }
	if f == nil {
		return anything
	}
	info, err := os.Stat(dir)
	if err != nil {
		return anything
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || len(f.known) > maxListed {
		f.known = map[string]*folderNames{}
	}
	l := f.known[dir]
	if l == nil {
		l = &folderNames{}
		f.known[dir] = l
	}
	if l.asked++; l.asked <= listAfter || l.useless {
		return anything
	}
	if now := time.Now(); !info.ModTime().Equal(l.stamp) || now.Sub(l.at) > listingAge {
		if now.Sub(info.ModTime()) < settled || !l.read(dir) {
			return anything
		}
		l.at, l.stamp = now, info.ModTime()
	}
	names := l.names
	return func(name string) bool { return names[strings.ToLower(name)] }
}

// read lists the folder. Names are compared in lower case: some file systems do.
func (l *folderNames) read(dir string) bool {
	d, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	names, err := d.Readdirnames(maxListed)
	if err != nil || len(names) == maxListed {
		l.useless = true
		return false
	}
	l.names = make(map[string]bool, len(names))
	for _, name := range names {
		l.names[strings.ToLower(name)] = true
	}
	return true
}
