package analyzers

import (
	"sync"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// Loader is a function that loads a model. Loaders are data: one file of them per library.
type Loader struct {
	// Func is the qualified name that users know.
	Func string
	// Also are other qualified names of the same function.
	Also []string
	// Method, when set, matches a call of this name on any receiver, whatever it is.
	Method string
	// Suffix, when set, matches any qualified name that ends in this part: a function so unmistakably
	// named that its module does not matter (re-exports, vendored copies).
	Suffix string
	// Arg is the parameter that names what is loaded.
	Arg Arg
	// Takes says what that parameter may be.
	Takes Takes
	// Fetches is true of a download whose result stands for what it fetched.
	Fetches bool
	// Refuses is true of a loader that itself refuses what a scan finds.
	Refuses bool
	// Judge says what is to be reported of the call itself; nil when the call alone is harmless.
	Judge func(*Call) Judgement
	// When, if set, must hold of a call for it to be a load at all.
	When func(*Call) bool
}

// Arg finds an argument of a call.
type Arg struct {
	Pos   int      // positional index; -1 when it can only be given by name
	Names []string // keyword names
}

// Takes says what a loader's argument may name.
type Takes uint8

// What an argument may name.
const (
	TakesFile      Takes = iota // a path, or an open file
	TakesBytes                  // bytes in memory: no file, unless they come from one
	TakesHubOrPath              // a folder or file if it exists, else a repository on the hub
	TakesHub                    // a repository on the hub
	TakesURL                    // a URL
	TakesNothing                // an object of some other kind
	TakesGitHub                 // a repository of torch.hub's, "owner/name[:ref]" on GitHub, or a folder
	TakesDataset                // as TakesHubOrPath, or one of the formats that datasets itself reads
	TakesTimm                   // a name of timm's
	TakesPackage                // a path, or the name of a Python package that is installed: spaCy's "en_core_web_sm"
	TakesMetric                 // a script of evaluate's: a space on the hub, or a path
)

// Judgement is what a loader says of one call.
type Judgement struct {
	Rule    rule.ID // empty: nothing to report
	Message string
	Guarded Tri
	Fixes   []Fix
	Pin     *Fix // see LoadCall
}

func allLoaders() []*Loader {
	var all []*Loader
	for _, list := range [][]*Loader{torchLoaders, pickleLoaders, transformersLoaders, numpyLoaders, kerasLoaders, runtimeLoaders, speechLoaders, configLoaders, otherLoaders, visionLoaders, languageModelLoaders, trainingLoaders} {
		all = append(all, list...)
	}
	return all
}

// index finds loaders by the last part of a callee's name, which is all that has to be looked up for
// the calls that load nothing.
type index map[string][]*Loader

var builtin = sync.OnceValue(func() index { return indexed(allLoaders()) })

func indexed(loaders []*Loader) index {
	ix := index{}
	for _, l := range loaders {
		words := map[string]bool{}
		for _, name := range append([]string{l.Func}, l.Also...) {
			words[lastPart(name)] = true
		}
		if l.Method != "" {
			words[l.Method] = true
		}
		if l.Suffix != "" {
			words[l.Suffix] = true
		}
		for w := range words {
			ix[w] = append(ix[w], l)
		}
	}
	return ix
}
