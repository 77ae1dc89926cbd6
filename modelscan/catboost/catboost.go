// Package catboost reads CatBoost's models: the binary one (.cbm), a FlatBuffer of trees and the parts that it names
// (catboost/libs/model/flatbuffers), and the JSON one. Nothing in them runs; a split, leaf or table entry outside of its
// array is memory read outside of it.
package catboost

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/flatbuffer"
	"github.com/secure-torch/secure-torch/modelscan/window"
)

const magic = "CBM1"

// Format is a model in binary.
var Format = &modelscan.Format{Name: "catboost", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if bytes.HasPrefix(p.Head, []byte(magic)) {
		return modelscan.Yes
	}
	return modelscan.No
}, Scan: scan}

// Slots of the tables, in the order of the schema.
const (
	coreVersion, coreTrees, coreInfo, coreParts = 0, 1, 2, 3

	treesDimension, treesSplits, treesSizes, treesOffsets    = 0, 1, 2, 3
	treesFloats, treesOneHots, treesCtrs, treesEstimated     = 5, 6, 7, 13
	treesLeaves, treesSteps, treesLeafOf                     = 8, 10, 11
	floatBorders, oneHotValues, ctrBorders, estimatedBorders = 3, 1, 1, 3
	pairKey, pairValue                                       = 0, 1
)

const (
	headerSize = 8 // magic and the size of the core
	maxText    = 16 << 10
	maxDepth   = 30 // of a symmetric tree; CatBoost trains at most 16
	maxFeature = 1 << 24
)

var errShape = errors.New("not the structure of a model")

// checker tells of what lies outside.
type checker struct {
	p    *modelscan.Pass
	told int
}

// maxTold findings are enough.
const maxTold = 20

func (c *checker) tell(off int64, subject, format string, args ...any) {
	if c.told++; c.told <= maxTold {
		c.p.Emit.Finding(modelscan.Finding{Rule: rule.TreeOutside, Path: c.p.Name, Offset: off, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

// info are texts that training left in the model; no loader runs them.
func (c *checker) info(off int64, name, value string) {
	if code := codetext.Find(value); code != "" {
		c.p.Emit.Finding(modelscan.Finding{Rule: rule.MetadataCode, Path: c.p.Name, Offset: off, Subject: name, Message: fmt.Sprintf("the model's text %q holds code: %s", name, code)})
	}
}

// forest is a binary model.
type forest struct {
	checker
	ctx context.Context
	w   *window.Window
	t   flatbuffer.Table // TModelTrees

	binaries               int64 // binary features: what splits are numbered by
	splits, sizes, offsets flatbuffer.Vector
	steps, leafOf, leaves  flatbuffer.Vector

	ofTable *flatbuffer.Schema // of categories
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	header, err := p.Bytes(0, headerSize, headerSize)
	if err != nil {
		return err
	}
	size := int64(binary.LittleEndian.Uint32(header[len(magic):]))
	if size > p.Size-headerSize {
		return fmt.Errorf("a core of %d bytes: %w", size, io.ErrUnexpectedEOF)
	}
	w := window.New(io.NewSectionReader(p.R, headerSize, size), size)
	core := flatbuffer.Root(w)
	schema, table := schemas()
	if err := core.Verify(ctx, schema); err != nil {
		return err
	}
	if v := core.Text(coreVersion, maxText); v != version {
		return fmt.Errorf("a core of the format %q: %w", v, modelscan.ErrNotSupported)
	}
	f := &forest{checker: checker{p: p}, ctx: ctx, w: w, t: core.Table(coreTrees), ofTable: table}
	pairs := core.Vector(coreInfo, 4)
	for i := range pairs.Len {
		pair := pairs.Table(i)
		f.info(headerSize+pair.Off(), pair.Text(pairKey, maxText), pair.Text(pairValue, maxText))
		if w.Err != nil {
			return w.Err
		}
	}
	if err := f.trees(); err != nil {
		return err
	}
	return f.parts(core.Vector(coreParts, 4), headerSize+size)
}

// count adds up the vectors in one slot of the tables in another.
func (f *forest) count(slot, inner int64) {
	features := f.t.Vector(slot, 4)
	for i := range min(features.Len, maxFeature) {
		if f.w.Err != nil {
			return
		}
		f.binaries += features.Table(i).Vector(inner, 4).Len
	}
}

func (f *forest) trees() error {
	f.count(treesFloats, floatBorders)
	f.count(treesOneHots, oneHotValues)
	f.count(treesCtrs, ctrBorders)
	f.count(treesEstimated, estimatedBorders)
	f.splits, f.sizes, f.offsets = f.t.Vector(treesSplits, 4), f.t.Vector(treesSizes, 4), f.t.Vector(treesOffsets, 4)
	f.steps, f.leafOf, f.leaves = f.t.Vector(treesSteps, 4), f.t.Vector(treesLeafOf, 4), f.t.Vector(treesLeaves, 8)
	f.p.Emit.Fact(modelscan.Fact{Kind: modelscan.MetadataFact, Path: f.p.Name, Name: "trees", Value: fmt.Sprint(f.sizes.Len)})
	if f.w.Err != nil {
		return f.w.Err
	}
	if f.offsets.Len != f.sizes.Len {
		return fmt.Errorf("%d trees, and places of %d: %w", f.sizes.Len, f.offsets.Len, errShape)
	}
	if f.steps.Len == 0 {
		return f.symmetric()
	}
	return f.stepwise()
}

// tree is the run of splits that the i-th one has; false where it can't be.
func (f *forest) tree(i int64) (from, n int64, ok bool) {
	from, n = int64(int32(f.offsets.Uint(i, 4))), int64(int32(f.sizes.Uint(i, 4)))
	if from < 0 || n < 0 || from > f.splits.Len-n {
		f.tell(f.t.Off(), fmt.Sprintf("tree %d", i), "the splits %d to %d of tree %d lie outside the %d there are", from, from+n, i, f.splits.Len)
		return 0, 0, false
	}
	return from, n, f.w.Err == nil
}

// split checks which feature the k-th split looks at.
func (f *forest) split(i, k int64) bool {
	n := int64(int32(f.splits.Uint(k, 4)))
	if n < 0 || n >= f.binaries {
		f.tell(f.t.Off(), fmt.Sprintf("tree %d", i), "a split of tree %d looks at the binary feature %d of %d", i, n, f.binaries)
	}
	return n >= 0 && n < f.binaries && f.w.Err == nil
}

// symmetric trees ask one question a level: a tree of n levels has 2 to the n leaves.
func (f *forest) symmetric() error {
	leaves, dimension := int64(0), max(int64(int32(f.t.Uint(treesDimension, 4))), 1)
	for i := range f.sizes.Len {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		from, n, ok := f.tree(i)
		if !ok {
			return f.w.Err
		}
		if n > maxDepth || dimension > f.leaves.Len {
			return fmt.Errorf("tree %d of %d levels and %d dimensions: %w", i, n, dimension, errShape)
		}
		leaves += dimension << n
		for k := range n {
			if !f.split(i, from+k) {
				return f.w.Err
			}
		}
	}
	if leaves > f.leaves.Len {
		f.tell(f.t.Off(), "leaf values", "the trees have %d leaf values, %d are given", leaves, f.leaves.Len)
	}
	return f.w.Err
}

// stepwise trees say of each node how far to go on; where it is nowhere, the prediction ends in a leaf.
func (f *forest) stepwise() error {
	if f.steps.Len < f.splits.Len || f.leafOf.Len < f.splits.Len {
		return fmt.Errorf("%d splits, %d steps and %d leaves: %w", f.splits.Len, f.steps.Len, f.leafOf.Len, errShape)
	}
	for i := range f.sizes.Len {
		from, n, ok := f.tree(i)
		if !ok {
			return f.w.Err
		}
		for k := from; k < from+n; k++ {
			if err := f.ctx.Err(); err != nil {
				return err
			}
			if !f.step(i, k, from+n) {
				return f.w.Err
			}
		}
	}
	return f.w.Err
}

// step checks the node k of the i-th tree, which ends before end.
func (f *forest) step(i, k, end int64) bool {
	step := f.steps.Uint(k, 4)
	left, right := int64(step&0xffff), int64(step>>16)
	if k+max(left, right) >= end {
		f.tell(f.t.Off(), fmt.Sprintf("tree %d", i), "a step of tree %d leads to node %d, the tree ends before %d", i, k+max(left, right), end)
		return false
	}
	if left != 0 || right != 0 {
		if !f.split(i, k) {
			return false
		}
	}
	if leaf := int64(f.leafOf.Uint(k, 4)); (left == 0 || right == 0) && leaf >= f.leaves.Len {
		f.tell(f.t.Off(), fmt.Sprintf("tree %d", i), "a node of tree %d ends in leaf value %d of %d", i, leaf, f.leaves.Len)
		return false
	}
	return f.w.Err == nil
}
