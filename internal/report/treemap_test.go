package report

import (
	"math"
	"testing"
)

func TestTreemap(t *testing.T) {
	area := box{0, 0, 600, 400}
	for _, weights := range [][]float64{{1}, {6, 6, 4, 3, 2, 2, 1}, {1e12, 1, 1}, {5, 5, 5, 5}, {}} {
		total, sum := 0.0, 0.0
		for _, w := range weights {
			total += w
		}
		boxes := treemap(weights, area)
		if len(boxes) != len(weights) {
			t.Fatalf("%v: %d boxes", weights, len(boxes))
		}
		for i, b := range boxes {
			sum += b.W * b.H
			if want := weights[i] / total * area.W * area.H; math.Abs(b.W*b.H-want) > 1e-6*area.W*area.H {
				t.Errorf("%v: box %d has %f, want %f", weights, i, b.W*b.H, want)
			}
			if b.X < -1e-9 || b.Y < -1e-9 || b.X+b.W > area.W+1e-6 || b.Y+b.H > area.H+1e-6 {
				t.Errorf("%v: box %d lies outside: %v", weights, i, b)
			}
		}
		if len(weights) > 0 && math.Abs(sum-area.W*area.H) > 1e-3 {
			t.Errorf("%v: the boxes fill %f", weights, sum)
		}
	}
}
