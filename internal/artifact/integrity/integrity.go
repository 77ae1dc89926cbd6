// Package integrity compares what is in the caches of model loaders on this machine with the digests that the caches
// themselves name for it: no loader does, when it finds a file in its cache.
package integrity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/artifact/remote"
)

// State of one file. The zero State is Unreadable.
type State uint8

// States.
const (
	Unreadable State = iota // it could not be looked at
	Unknown                 // nothing says what its digest should be
	Wrong                   // it is not what it should be, or not where it should lead
	Good
)

var stateNames = [...]string{"unreadable", "unknown", "wrong", "good"}

func (s State) String() string { return stateNames[min(int(s), len(stateNames)-1)] }

// Result is what came of one file.
type Result struct {
	Path  string
	State State
	Why   string // where it is not Good
	Size  int64  // bytes that were hashed
}

// check is one file on its way.
type check struct {
	path     string
	within   []string
	sha      string // expected SHA-256, in hexadecimal, or its first digits
	blob     string // expected name of a git blob
	settled  State  // with why: there is nothing to hash
	why      string
	hasState bool
}

// Caches are the caches that the environment names, by the kind of their layout. Those that do not exist are left out.
func Caches(getenv func(string) string) []Cache {
	var all []Cache
	for _, dir := range artifact.HubCaches(getenv) {
		all = append(all, Cache{"hub", dir})
	}
	if dir := artifact.TorchHub(getenv); dir != "" {
		all = append(all, Cache{"torch", filepath.Join(dir, "checkpoints")})
	}
	for _, dir := range artifact.OllamaStores(getenv) {
		all = append(all, Cache{"ollama", filepath.Join(dir, "blobs")})
	}
	var there []Cache
	for _, c := range all {
		if info, err := os.Stat(c.Dir); c.Dir != "" && err == nil && info.IsDir() {
			there = append(there, c)
		}
	}
	return there
}

// Cache is a folder with a known layout.
type Cache struct {
	Kind string // "hub", "torch" or "ollama"
	Dir  string
}

// At tells what kind of cache a folder is, by what is in it.
func At(dir string) (Cache, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Cache{}, err
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case e.IsDir() && hubRepo().MatchString(name):
			return Cache{"hub", dir}, nil
		case ollamaBlob().MatchString(name):
			return Cache{"ollama", dir}, nil
		case torchName().MatchString(name):
			return Cache{"torch", dir}, nil
		case e.IsDir() && name == "blobs":
			return At(filepath.Join(dir, name))
		}
	}
	return Cache{}, fmt.Errorf("%s is no cache of the hub's client, torch.hub or Ollama", dir)
}

// Names of what lies in caches.
var (
	hubRepo    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:models|datasets|spaces)--.`) })
	ollamaBlob = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256-([0-9a-f]{64})$`) })
	// torchName is HASH_REGEX of torch/hub.py, which load_state_dict_from_url(check_hash=True) goes by.
	torchName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`-([0-9a-f]{8,64})\.[^.]+$`) })
)

// Run checks caches and gives visit every file, several at a time and in no order, from one goroutine at a time.
func Run(ctx context.Context, caches []Cache, visit func(Result)) {
	checks := make(chan check)
	go func() {
		defer close(checks)
		for _, c := range caches {
			list(c, func(k check) bool {
				select {
				case checks <- k:
					return true
				case <-ctx.Done():
					return false
				}
			})
		}
	}()
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() {
			for k := range checks {
				r := k.run(ctx)
				mu.Lock()
				visit(r)
				mu.Unlock()
			}
		})
	}
	workers.Wait()
}

// list gives each of a cache's files as something to check, until yield says no.
func list(c Cache, yield func(check) bool) {
	if c.Kind == "hub" {
		listHub(c.Dir, yield)
		return
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		yield(unreadable(c.Dir, err))
	}
	for _, e := range entries {
		k := check{path: filepath.Join(c.Dir, e.Name()), within: []string{c.Dir}}
		name := torchName()
		if c.Kind == "ollama" {
			name = ollamaBlob()
		}
		switch m := name.FindStringSubmatch(e.Name()); {
		case e.IsDir():
			continue
		case m != nil:
			k.sha = m[1]
		default:
			k = k.settle(Unknown, "its name holds no digest")
		}
		if !yield(k) {
			return
		}
	}
}

func unreadable(path string, err error) check {
	return check{path: path}.settle(Unreadable, err.Error())
}

func (k check) settle(s State, why string) check {
	k.settled, k.why, k.hasState = s, why, true
	return k
}

// chunk bounds what is hashed between two looks at the context.
const chunk = 4 << 20

// run hashes the file.
func (k check) run(ctx context.Context) Result {
	r := Result{Path: k.path, State: k.settled, Why: k.why}
	if k.hasState {
		return r
	}
	f, err := artifact.Open(k.path, k.within...)
	switch {
	case errors.Is(err, artifact.ErrOutside):
		r.State, r.Why = Wrong, "a link that "+artifact.ErrOutside.Error()+" of the cache"
		return r
	case errors.Is(err, fs.ErrNotExist):
		r.State, r.Why = Wrong, "a link to nothing"
		return r
	case err != nil:
		r.Why = err.Error()
		return r
	}
	defer f.Close()
	d := remote.NewDigest(k.sha, k.blob, f.Key.Size)
	for err == nil && ctx.Err() == nil {
		var n int64
		n, err = io.CopyN(d, f, chunk)
		r.Size += n
	}
	switch {
	case ctx.Err() != nil:
		r.Why = context.Cause(ctx).Error()
	case !errors.Is(err, io.EOF):
		r.Why = err.Error()
	case f.Changed() != nil:
		r.Why = f.Changed().Error()
	default:
		r.State = Good
		if why := d.Mismatch(); why != "" {
			r.State, r.Why = Wrong, strings.Replace(why, "its store says", "its cache says", 1)
		}
	}
	return r
}
