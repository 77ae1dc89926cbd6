package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/config"
)

// Sinks are the loading functions that the config names. What a call of one loads is scanned; the call
// itself is nothing to report. A bare name is found in every module.
func Sinks(l *config.Loaded) []*analyzers.Loader {
	var out []*analyzers.Loader
	for _, function := range slices.Sorted(maps.Keys(l.Sinks)) {
		s := &analyzers.Loader{Func: function, Arg: analyzers.Arg{Pos: 0, Names: []string{l.Sinks[function]}}}
		if !strings.Contains(function, ".") {
			s.Suffix = function
		}
		out = append(out, s)
	}
	return out
}
