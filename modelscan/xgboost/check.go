package xgboost

import (
	"fmt"
	"slices"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsonstream"
	"github.com/secure-torch/secure-torch/modelscan/treewalk"
)

// checker follows the numbers of a model as its predictors would.
type checker struct {
	p        *modelscan.Pass
	told     int
	tr       tree // the one that is read
	walker   treewalk.Walker
	trees    int64
	claimed  int64 // number of trees by the parameters
	info     int64 // entries of tree_info
	features int64
	groups   int64 // classes, or targets
	// The worst that was met, known to be wrong only when the parameters have been read.
	maxFeature, maxGroup, minGroup int64
	featureOff, groupOff           int64
}

// maxTold findings are enough.
const maxTold = 20

func (c *checker) tell(off int64, subject, format string, args ...any) {
	if c.told++; c.told <= maxTold {
		c.p.Emit.Finding(modelscan.Finding{Rule: rule.TreeOutside, Path: c.p.Name, Offset: off, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

// tree is what matters of one: which node follows which, and what each looks at.
type tree struct {
	off                               int64
	left, right, parents, split, kind []int64
	catNodes, catBegin, catSize, cats []int64
	nodes                             int64
	vector                            int64              // values of a leaf
	given                             map[string]bool    // columns that are there
	values                            [len(values)]int64 // how long each of those columns is, -1 where it is absent
}

func (t *tree) reset(off int64) {
	t.off, t.nodes, t.vector, t.given = off, -1, -1, map[string]bool{}
	for i := range t.values {
		t.values[i] = -1
	}
	for _, name := range columns {
		into := t.column(name)
		*into = (*into)[:0]
	}
}

// columns that are read.
var columns = [...]string{"left_children", "right_children", "parents", "split_indices", "split_type", "categories_nodes", "categories_segments", "categories_sizes", "categories"}

// values are columns that need be there and are not read: RegTree::LoadModel asks for each where a leaf has one value.
var values = [...]string{"base_weights", "default_left", "loss_changes", "split_conditions", "sum_hessian"}

func (t *tree) column(name string) *[]int64 {
	all := [...]*[]int64{&t.left, &t.right, &t.parents, &t.split, &t.kind, &t.catNodes, &t.catBegin, &t.catSize, &t.cats}
	if i := slices.Index(columns[:], name); i >= 0 {
		return all[i]
	}
	return nil
}

// check refuses what XGBoost refuses, and tells of what it follows without looking.
func (c *checker) check(i int, t *tree) error {
	for _, column := range [...][]int64{t.left, t.right, t.parents, t.split} {
		if int64(len(column)) != t.nodes {
			return fmt.Errorf("tree %d of %d nodes has a column of %d: %w", i, t.nodes, len(column), jsonstream.ErrShape)
		}
	}
	if t.nodes < 1 {
		return fmt.Errorf("tree %d of %d nodes: %w", i, t.nodes, jsonstream.ErrShape)
	}
	name := fmt.Sprintf("tree %d", i)
	c.categories(name, t)
	c.parents(name, t)
	c.walk(name, t)
	return nil
}

// whole asks for the columns that XGBoost asks for, of which those of categories came with 1.3.
func (t *tree) whole(i int) error {
	if t.vector < 0 {
		return fmt.Errorf("tree %d has no size_leaf_vector: %w", i, jsonstream.ErrShape)
	}
	for k, n := range t.values {
		if t.vector <= 1 && n != t.nodes {
			return fmt.Errorf("tree %d of %d nodes has %d %s: %w", i, t.nodes, max(n, 0), values[k], jsonstream.ErrShape)
		}
	}
	if !t.given["split_type"] {
		return nil
	}
	for _, name := range [...]string{"categories", "categories_nodes", "categories_segments", "categories_sizes"} {
		if !t.given[name] {
			return fmt.Errorf("tree %d has no %s: %w", i, name, jsonstream.ErrShape)
		}
	}
	return nil
}

// parents are followed one step while a model is loaded.
func (c *checker) parents(name string, t *tree) {
	for i, parent := range t.parents[1:] {
		if parent < 0 || parent >= t.nodes {
			c.tell(t.off, name, "the parent of node %d is %d, of %d nodes", i+1, parent, t.nodes)
			return
		}
	}
}

// categories of each categorical node are a piece of one array.
func (c *checker) categories(name string, t *tree) {
	for i := range t.catNodes {
		if i >= len(t.catBegin) || i >= len(t.catSize) {
			c.tell(t.off, name, "%d nodes have categories, %d pieces and %d lengths are given", len(t.catNodes), len(t.catBegin), len(t.catSize))
			return
		}
		if begin, n := t.catBegin[i], t.catSize[i]; begin < 0 || n < 0 || begin > int64(len(t.cats)) || n > int64(len(t.cats))-begin {
			c.tell(t.off, name, "the categories %d to %d of a node lie outside the %d there are", begin, begin+n, len(t.cats))
			return
		}
	}
}

// walk goes from the root to every leaf.
func (c *checker) walk(name string, t *tree) {
	err := c.walker.Walk(t.nodes, func(n int64) (left, right int64) {
		if t.left[n] == -1 {
			return treewalk.None, treewalk.None
		}
		if t.split[n] > c.maxFeature {
			c.maxFeature, c.featureOff = t.split[n], t.off
		}
		return t.left[n], t.right[n]
	})
	if err != nil {
		c.tell(t.off, name, "%v", err)
	}
}

// group is where the prediction of a tree is added.
func (c *checker) group(g, off int64) {
	if g > c.maxGroup {
		c.maxGroup, c.groupOff = g, off
	}
	if g < c.minGroup {
		c.minGroup, c.groupOff = g, off
	}
}

// finish judges what needs the whole model.
func (c *checker) finish() error {
	if c.trees == 0 {
		return nil // gblinear, or not trained
	}
	if c.trees != c.claimed || c.info != c.claimed {
		return fmt.Errorf("%d trees with %d classes, %d are claimed: %w", c.trees, c.info, c.claimed, jsonstream.ErrShape)
	}
	if c.maxFeature >= max(c.features, 1) {
		c.tell(c.featureOff, "split_indices", "a node looks at feature %d, the model has %d", c.maxFeature, c.features)
	}
	if c.maxGroup >= max(c.groups, 1) || c.minGroup < 0 {
		c.tell(c.groupOff, "tree_info", "a tree adds to class %d, the model has %d", max(c.maxGroup, -c.minGroup), max(c.groups, 1))
	}
	return nil
}
