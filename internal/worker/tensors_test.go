package worker

import (
	"testing"

	"github.com/secure-torch/secure-torch/modelscan/index"
)

// A view that repeats its bytes is no larger than the file.
func TestBytesOf(t *testing.T) {
	for _, c := range []struct {
		shape []int64
		want  int64
	}{
		{[]int64{2, 3}, 24}, {nil, 4}, {[]int64{0, 1 << 62}, 0}, {[]int64{1 << 40, 1 << 40}, 1000}, {[]int64{251}, 1000},
	} {
		if got := bytesOf(index.PlanTensor{Item: 4, Shape: c.shape}, 1000); got != c.want {
			t.Errorf("%v: %d bytes, want %d", c.shape, got, c.want)
		}
	}
}
