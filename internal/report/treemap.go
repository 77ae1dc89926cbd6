package report

// box is a rectangle of a treemap.
type box struct{ X, Y, W, H float64 }

// treemap divides a rectangle among weights, which are positive and sorted, the largest first, so that
// areas are proportional and the boxes as square as can be (Bruls, Huizing, van Wijk: Squarified
// Treemaps, 2000).
func treemap(weights []float64, area box) []box {
	boxes := make([]box, 0, len(weights))
	total := 0.0
	for _, w := range weights {
		total += w
	}
	if total <= 0 {
		return boxes
	}
	scale := area.W * area.H / total
	for start := 0; start < len(weights); {
		short := min(area.W, area.H)
		end, sum := start+1, weights[start]*scale
		for end < len(weights) {
			next := sum + weights[end]*scale
			if ratio(weights[start]*scale, weights[end]*scale, next, short) > ratio(weights[start]*scale, weights[end-1]*scale, sum, short) {
				break
			}
			end, sum = end+1, next
		}
		boxes, area = layRow(boxes, weights[start:end], scale, sum, area)
		start = end
	}
	return boxes
}

// ratio is the worst aspect ratio in a row of the given sum along a side.
func ratio(largest, smallest, sum, side float64) float64 {
	if sum <= 0 || side <= 0 || smallest <= 0 {
		return 0
	}
	return max(side*side*largest/(sum*sum), sum*sum/(side*side*smallest))
}

// layRow puts a row along the shorter side, and returns what is left of the area.
func layRow(boxes []box, row []float64, scale, sum float64, area box) ([]box, box) {
	wide := area.W >= area.H
	side, at := min(area.W, area.H), 0.0
	if side <= 0 {
		return append(boxes, make([]box, len(row))...), area
	}
	thick := sum / side
	for _, w := range row {
		length := 0.0
		if thick > 0 {
			length = w * scale / thick
		}
		if wide {
			boxes = append(boxes, box{area.X, area.Y + at, thick, length})
		} else {
			boxes = append(boxes, box{area.X + at, area.Y, length, thick})
		}
		at += length
	}
	if wide {
		return boxes, box{area.X + thick, area.Y, max(0, area.W-thick), area.H}
	}
	return boxes, box{area.X, area.Y + thick, area.W, max(0, area.H-thick)}
}
