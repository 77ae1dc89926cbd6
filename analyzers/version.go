package analyzers

import (
	"strconv"
	"strings"
)

// Constraint is what a project asks of a package's version. The zero Constraint asks nothing.
type Constraint struct {
	Spec string // as written, "torch>=2.6,<3"
	Low  string // the lowest version allowed; empty when there is none
	High string // the first version that is not allowed any more; empty when there is none
}

// AtLeast says whether every version allowed is v or later.
func (c Constraint) AtLeast(v string) bool { return c.Low != "" && CompareVersions(c.Low, v) >= 0 }

// Below says whether every version allowed is before v.
func (c Constraint) Below(v string) bool { return c.High != "" && CompareVersions(c.High, v) <= 0 }

// CompareVersions compares release numbers part by part ("2.10" is after "2.6"); what follows them
// (rc1, +cu118) does not count.
func CompareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y int
		x, a = nextPart(a)
		y, b = nextPart(b)
		if x != y {
			return x - y
		}
	}
	return 0
}

func nextPart(v string) (int, string) {
	part, rest, _ := strings.Cut(v, ".")
	end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		part, rest = part[:end], ""
	}
	n, err := strconv.Atoi(part)
	if err != nil {
		return 0, rest
	}
	return n, rest
}
