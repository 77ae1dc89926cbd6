package provenance

import (
	"os"
	"path/filepath"
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

// believedFor is how long a folder is not looked at again: the files of one folder follow each other within less than a
// millisecond, and who adds a signature and then asks takes longer.
const believedFor = 20 * time.Millisecond

// folders remember the names in folders of which many files are looked at: to ask for each of the thirty names that a
// signature or an SBOM may have, beside each file, takes longer than to scan a small one.
type folders struct {
	now func() time.Time // nil for time.Now

	mu    sync.Mutex
	known map[string]*folderNames
	full  map[string]string // folders as they were asked for, from the root on
}

// folderNames is what was in a folder.
type folderNames struct {
	asked   int
	looked  time.Time // when its time was last seen to be stamp
	at      time.Time // when it was listed; zero before that
	stamp   time.Time // the folder's time then
	names   map[string]bool
	useless bool // too many names
}

// nameset is what may lie in a folder. The zero nameset knows nothing.
type nameset struct {
	known bool
	names map[string]bool // signatures, SBOMs and model cards, in lower case: some file systems don't tell them apart
}

// may tells whether there may be a file of that name, one that mayTell holds for: false only where there is none.
func (l nameset) may(name string) bool {
	return !l.known || !l.empty() && l.names[strings.ToLower(name)]
}

// empty tells that none of the names is there that anybody asks for.
func (l nameset) empty() bool { return l.known && len(l.names) == 0 }

// absolute is the path from the root on. The working directory is asked for once for each folder.
func (f *folders) absolute(path string) (string, error) {
	if f == nil || filepath.IsAbs(path) {
		return filepath.Abs(path)
	}
	dir, name := filepath.Split(path)
	if name == "" || name == "." || name == ".." {
		return filepath.Abs(path)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	full, ok := f.full[dir]
	if !ok {
		var err error
		if full, err = filepath.Abs(dir); err != nil {
			return "", err
		}
		if f.full == nil || len(f.full) > maxListed {
			f.full = map[string]string{}
		}
		f.full[dir] = full
	}
	return filepath.Join(full, name), nil
}

// in returns what may lie in a folder.
func (f *folders) in(dir string) nameset {
	if f == nil {
		return nameset{}
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
		return nameset{}
	}
	now := time.Now()
	if f.now != nil {
		now = f.now()
	}
	if l.at.IsZero() || now.Sub(l.looked) > believedFor {
		info, err := os.Stat(dir)
		if err != nil || !l.fresh(dir, now, info.ModTime()) {
			return nameset{}
		}
	}
	return nameset{true, l.names}
}

// fresh lists the folder where it has changed since, and returns whether the names can be believed.
func (l *folderNames) fresh(dir string, now, changed time.Time) bool {
	if !changed.Equal(l.stamp) || now.Sub(l.at) > listingAge {
		l.at = time.Time{}
		if now.Sub(changed) < settled || !l.read(dir) {
			return false
		}
		l.at, l.stamp = now, changed
	}
	l.looked = now
	return true
}

// read lists the folder.
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
	l.names = map[string]bool{}
	for _, name := range names {
		if name = strings.ToLower(name); mayTell(name) {
			l.names[name] = true
		}
	}
	return true
}

// mayTell says whether a file of that name, in lower case, may be a signature, an SBOM or a model card.
func mayTell(name string) bool {
	return isEvidence(name) || name == strings.ToLower(cardName)
}
