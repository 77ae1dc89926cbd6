package numpy

import (
	"strconv"

	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// simple are the descriptors that numpy itself writes for plain numbers, texts and times.
var simple = pattern.Lazy(`^[<>|=]?([?bBhHiIlLqQefdgFDGcuSUaVmM])([0-9]*)(?:\[[0-9]*[A-Za-z/0-9]+\])?$`)

// ItemSize is the size in bytes of one element of the dtype that numpy would make of a descriptor like "<f8".
// It is ok only for plain data; an object dtype, or anything that is not understood, is not.
func ItemSize(descr string) (size int64, ok bool) {
	m := simple().FindStringSubmatch(descr)
	if m == nil {
		return 0, false
	}
	if m[2] == "" {
		size, ok = map[string]int64{
			"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "e": 2, "i": 4, "I": 4, "f": 4, "l": 8, "L": 8, "q": 8, "Q": 8, "d": 8, "F": 8, "D": 16, "g": 16, "G": 32,
			"m": 8, "M": 8, "S": 0, "U": 0, "V": 0, "a": 0, "c": 1,
		}[m[1]]
		return size, ok
	}
	n, err := strconv.ParseInt(m[2], 10, 32)
	if err != nil {
		return 0, false
	}
	if m[1] == "U" {
		n *= 4
	}
	return n, true
}

// Object tells whether a descriptor says "Python objects" without any doubt.
func Object(descr string) bool {
	return descr == "object" || regexpObject().MatchString(descr)
}

var regexpObject = pattern.Lazy(`^[<>|=]?O[0-9]*$`)
