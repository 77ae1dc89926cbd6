// Package pattern keeps regular expressions out of start-up: a worker is started for a few files, and
// most of them need none.
package pattern

import (
	"regexp"
	"sync"
)

// Lazy compiles an expression when it is first asked for. The expression is a constant of the
// program: a mistake in it panics, as in regexp.MustCompile.
func Lazy(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
