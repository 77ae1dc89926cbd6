package lightgbm

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan/treewalk"
)

// number of a parameter; -1 where it is none.
func number(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n > math.MaxInt32 {
		return -1
	}
	return n
}

// numbers separated by spaces. What is no whole number counts as a very small one.
func numbers(s string) []int64 {
	out := []int64{}
	for part := range strings.FieldsSeq(s) {
		n, err := strconv.ParseInt(part, 10, 64)
		if f, ferr := strconv.ParseFloat(part, 64); err != nil && ferr == nil && math.Abs(f) < 1<<53 {
			n, err = int64(f), nil
		}
		if err != nil {
			n = math.MinInt64
		}
		out = append(out, n)
	}
	return out
}

// columns of a tree that are kept.
var columns = map[string]bool{
	"num_leaves": true, "num_cat": true, "split_feature": true, "left_child": true, "right_child": true, "decision_type": true, "threshold": true,
	"cat_boundaries": true, "cat_threshold": true, "is_linear": true, "num_features": true, "leaf_features": true,
}

// values are columns of numbers whose length is checked: LightGBM aborts where they are fewer, more, or no numbers.
var values = map[string]func(leaves int64) int64{
	"split_gain": inner, "internal_value": inner, "internal_weight": inner, "internal_count": inner,
	"leaf_value": outer, "leaf_weight": outer, "leaf_count": outer,
}

func inner(leaves int64) int64 { return leaves - 1 }
func outer(leaves int64) int64 { return leaves }

// filled is such a column with how many numbers it has, -1 where one of them is none.
type filled struct {
	key string
	of  func(int64) int64
	n   int64
}

func count(s string) int64 {
	n := int64(0)
	for part := range strings.SplitSeq(s, " ") {
		if part == "" {
			continue
		}
		if _, err := strconv.ParseFloat(part, 64); err != nil && !errors.Is(err, strconv.ErrRange) {
			return -1
		}
		n++
	}
	return n
}

// tree reads and checks one, to the empty line behind it.
func (m *model) tree() error {
	at := m.off
	name := fmt.Sprintf("tree %d", m.trees)
	m.trees++
	all := map[string][]int64{}
	var given []filled
	for {
		line, err := m.line()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: %w", name, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		key, value, found := strings.Cut(string(line), "=")
		if !found {
			return fmt.Errorf("%s has a line without a value: %w", name, errShape)
		}
		if of := values[key]; of != nil {
			given = append(given, filled{key, of, count(value)})
		}
		if columns[key] {
			all[key] = numbers(value)
		}
	}
	for _, v := range given {
		if leaves := scalar(all["num_leaves"]); leaves > 1 && v.n != v.of(leaves) {
			return fmt.Errorf("%s of %d leaves has a wrong column %s: %w", name, leaves, v.key, errShape)
		}
	}
	return m.check(name, at, all)
}

// scalar is the first number of a column, 0 where there is none.
func scalar(column []int64) int64 {
	if len(column) == 0 {
		return 0
	}
	return column[0]
}

func (m *model) check(name string, at int64, all map[string][]int64) error {
	leaves := scalar(all["num_leaves"])
	if leaves < 1 {
		return fmt.Errorf("%s of %d leaves: %w", name, leaves, errShape)
	}
	nodes := leaves - 1
	for _, column := range [...]string{"split_feature", "left_child", "right_child", "threshold"} {
		if n := int64(len(all[column])); leaves > 1 && n != nodes {
			return fmt.Errorf("%s of %d leaves has a column of %d: %w", name, leaves, n, errShape)
		}
	}
	if n := int64(len(all["decision_type"])); n != 0 && n != nodes && leaves > 1 {
		return fmt.Errorf("%s of %d leaves has %d kinds of decision: %w", name, leaves, n, errShape)
	}
	if scalar(all["is_linear"]) != 0 {
		m.linear(name, at, leaves, all)
	}
	if leaves > 1 {
		m.walk(name, at, leaves, all)
		m.decisions(name, at, all)
	}
	return nil
}

// walk goes from the root to every leaf. A leaf's number is written as its complement.
func (m *model) walk(name string, at, leaves int64, all map[string][]int64) {
	outside := int64(-1)
	inner := func(child int64) int64 {
		if child >= 0 {
			return child
		}
		if ^child >= leaves {
			outside = ^child
		}
		return treewalk.None
	}
	err := m.walker.Walk(leaves-1, func(n int64) (left, right int64) {
		return inner(all["left_child"][n]), inner(all["right_child"][n])
	})
	if err != nil {
		m.tell(at, name, "%v", err)
	} else if outside >= 0 {
		m.tell(at, name, "leaf %d is outside of the %d there are", outside, leaves)
	}
}

// decisions look at features, and at pieces of an array of categories.
func (m *model) decisions(name string, at int64, all map[string][]int64) {
	bounds, sets := all["cat_boundaries"], int64(len(all["cat_threshold"]))
	for i, f := range all["split_feature"] {
		if f < 0 || f >= m.features {
			m.tell(at, name, "a node looks at feature %d, the model has %d", f, m.features)
			return
		}
		const categorical = 1
		if kinds := all["decision_type"]; len(kinds) == 0 || kinds[i]&categorical == 0 {
			continue
		}
		set := all["threshold"][i]
		if set < 0 || set >= int64(len(bounds))-1 {
			m.tell(at, name, "a node looks at set %d of categories, of %d", set, len(bounds)-1)
			return
		}
		if from, to := bounds[set], bounds[set+1]; from < 0 || to < from || to > sets {
			m.tell(at, name, "the categories %d to %d of a node lie outside the %d there are", from, to, sets)
			return
		}
	}
}

// linear leaves have a few features each.
func (m *model) linear(name string, at, leaves int64, all map[string][]int64) {
	features, total := all["leaf_features"], int64(0)
	counts := all["num_features"]
	for i, n := range counts {
		if total += n; n < 0 || total > int64(len(features)) || int64(i) >= leaves {
			m.tell(at, name, "the leaves have %d features and more, %d are given", total, len(features))
			return
		}
	}
	for _, f := range features {
		if f < 0 || f >= m.features {
			m.tell(at, name, "a leaf looks at feature %d, the model has %d", f, m.features)
			return
		}
	}
}
