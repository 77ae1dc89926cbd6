package pickle

import (
	"math/rand/v2"
	"testing"
)

// TestArena: what was pushed stays where it is, runs lie side by side, and a few elements take little memory.
func TestArena(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var a arena[int]
		want := map[int]int{}
		for n := 0; a.n < 3*chunkSize; n++ {
			if random.IntN(3) > 0 {
				want[a.push(n)] = n
				continue
			}
			start, elems := a.run(random.IntN(600))
			for i := range elems {
				elems[i] = n
				want[start+i] = n
			}
		}
		for i, n := range want {
			if got := *a.at(i); got != n {
				t.Fatalf("element %d is %d, was %d", i, got, n)
			}
		}
	}
	var small arena[int]
	small.push(1)
	if small.cap() > firstSize {
		t.Errorf("one element takes the memory of %d", small.cap())
	}
}
