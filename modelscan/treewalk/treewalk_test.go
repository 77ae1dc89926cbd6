package treewalk

import "testing"

func TestWalk(t *testing.T) {
	var w Walker
	for _, c := range []struct {
		name        string
		left, right []int64
		bad         bool
	}{
		{"leaf", []int64{None}, []int64{None}, false},
		{"two levels", []int64{1, None, None}, []int64{2, None, None}, false},
		{"one child", []int64{1, None}, []int64{None, None}, false},
		{"outside", []int64{1, None, None}, []int64{3, None, None}, true},
		{"negative", []int64{1, None, None}, []int64{-7, None, None}, true},
		{"itself", []int64{0}, []int64{None}, true},
		{"loop", []int64{1, 0, None}, []int64{2, None, None}, true},
		{"knot", []int64{1, 2, None}, []int64{2, None, None}, true},
		{"out of reach", []int64{None, 9}, []int64{None, 9}, false},
	} {
		err := w.Walk(int64(len(c.left)), func(n int64) (int64, int64) { return c.left[n], c.right[n] })
		if (err != nil) != c.bad {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
