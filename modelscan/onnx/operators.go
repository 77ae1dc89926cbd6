package onnx

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed operators.txt
var operatorsText string

// standard operators by domain, of the domains that operators.txt has.
var standard = sync.OnceValue(func() map[string]map[string]bool {
	ops := map[string]map[string]bool{}
	for line := range strings.Lines(operatorsText) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		domain := strings.Trim(words[0], `"`)
		if ops[domain] == nil {
			ops[domain] = map[string]bool{}
		}
		for _, op := range words[1:] {
			ops[domain][op] = true
		}
	}
	return ops
})

// KnownOperator tells whether an operator comes with a runtime. Of the standard's domains every name is known; of a
// runtime's own domains the build decides, so that any name passes. A node without a name is no operator at all.
func KnownOperator(domain, op string) bool {
	if !knownDomains[domain] {
		return false
	}
	if domain == "ai.onnx" {
		domain = ""
	}
	ops := standard()[domain]
	return ops == nil || op == "" || ops[op]
}
