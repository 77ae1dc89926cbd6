package xgboost

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/window"
)

// Binary is a model as versions before 2.1 wrote it where no ending said otherwise, and before 3.1 read it: structures as
// they lay in memory (LearnerIO and RegTree::Load of XGBoost 1.7).
var Binary = &modelscan.Format{Name: "xgboost-binary", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if _, ok := boosterAt(p.Head); ok {
		return modelscan.Yes
	}
	if bytes.HasPrefix(p.Head, []byte(magic)) {
		return modelscan.Yes
	}
	return modelscan.No
}, Scan: scanBinary}

const magic = "binf" // in front of some

// Sizes of the structures, in bytes. Most of each is reserved.
const (
	learnerSize = 136
	boosterSize = 160 // GBTreeModelParam
	linearSize  = 136 // DeprecatedGBLinearModelParam
	treeSize    = 148 // TreeParam
	nodeSize    = 20
	statSize    = 16
)

// boosterAt tells where the learner's parameters begin: the names of objective and booster follow them, with lengths of 64 bits.
func boosterAt(head []byte) (start int64, ok bool) {
	if bytes.HasPrefix(head, []byte(magic)) {
		start = int64(len(magic))
	}
	at := start + learnerSize
	for range 2 {
		if int64(len(head)) < at+8 {
			return 0, false
		}
		n := binary.LittleEndian.Uint64(head[at:])
		if n == 0 || n > 64 || int64(len(head)) < at+8+int64(n) {
			return 0, false
		}
		at += 8 + int64(n)
	}
	for _, name := range [...]string{"gbtree", "dart", "gblinear"} {
		if bytes.HasSuffix(head[:at], append(binary.LittleEndian.AppendUint64(nil, uint64(len(name))), name...)) {
			return start, true
		}
	}
	return 0, false
}

// binaryReader goes through the file from its start.
type binaryReader struct {
	*checker
	ctx context.Context
	w   *window.Window
	off int64
}

func scanBinary(ctx context.Context, p *modelscan.Pass) error {
	head, err := p.Bytes(0, min(p.Size, 512), 512)
	if err != nil {
		return err
	}
	start, ok := boosterAt(head)
	if !ok {
		return errNoBooster
	}
	r := &binaryReader{checker: &checker{p: p}, ctx: ctx, w: window.New(p.R, p.Size), off: start}
	if err := r.learner(); err != nil {
		return fmt.Errorf("at %#x: %w", r.off, err)
	}
	p.Emit.Fact(modelscan.Fact{Kind: modelscan.MetadataFact, Path: p.Name, Name: "trees", Value: fmt.Sprint(r.trees)})
	if r.off < p.Size {
		rest := io.NewSectionReader(p.R, r.off, p.Size-r.off)
		p.Emit.Descend(ctx, p.Member("[behind]", rest, rest.Size()))
	}
	return nil
}

func (r *binaryReader) int32(at int64) int64 { return int64(int32(r.w.Uint(at, 4))) }

// take moves on over n bytes, which have to be there.
func (r *binaryReader) take(n int64) (at int64, err error) {
	at = r.off
	if n < 0 || n > r.w.Len()-at {
		return at, fmt.Errorf("%d bytes: %w", n, io.ErrUnexpectedEOF)
	}
	r.off += n
	return at, r.w.Err
}

// counted moves on over a count of 64 bits and so many items of a size.
func (r *binaryReader) counted(size int64) (at, n int64, err error) {
	if at, err = r.take(8); err != nil {
		return at, 0, err
	}
	count := r.w.Uint(at, 8)
	if count > uint64(r.w.Len())/uint64(size) {
		return at, 0, fmt.Errorf("%d items: %w", count, io.ErrUnexpectedEOF)
	}
	at, err = r.take(int64(count) * size)
	return at, int64(count), err
}

func (r *binaryReader) text() (string, error) {
	at, n, err := r.counted(1)
	return r.w.Text(at, n, 4096), err
}

func (r *binaryReader) learner() error {
	at, err := r.take(learnerSize)
	if err != nil {
		return err
	}
	r.features, r.groups = r.int32(at+4), r.int32(at+8)
	attributes, metrics, targets := r.w.Uint(at+12, 4), r.w.Uint(at+16, 4), r.int32(at+28)
	r.groups = max(r.groups, targets)
	if _, err = r.text(); err != nil {
		return err
	}
	booster, err := r.text()
	switch {
	case err != nil:
	case booster == "gblinear":
		if _, err = r.take(linearSize); err == nil {
			_, _, err = r.counted(4)
		}
	default:
		if err = r.forest(); err == nil && booster == "dart" && r.trees > 0 {
			_, _, err = r.counted(4)
		}
	}
	if err == nil && attributes != 0 {
		err = r.texts(2)
	}
	if err == nil && metrics != 0 {
		err = r.texts(1)
	}
	if err != nil {
		return err
	}
	return r.finish()
}

// texts are a counted list of tuples of each texts.
func (r *binaryReader) texts(each uint64) error {
	at, err := r.take(8)
	if err != nil {
		return err
	}
	for n := r.w.Uint(at, 8); n > 0; n-- {
		for range each {
			at := r.off
			s, err := r.text()
			if err != nil {
				return err
			}
			if code := codetext.Find(s); code != "" {
				r.p.Emit.Finding(modelscan.Finding{Rule: rule.MetadataCode, Path: r.p.Name, Offset: at, Subject: "attributes", Message: fmt.Sprintf("an attribute holds code: %s", code)})
			}
		}
	}
	return nil
}

// forest reads the trees and the class of each.
func (r *binaryReader) forest() error {
	at, err := r.take(boosterSize)
	if err != nil {
		return err
	}
	r.claimed = r.int32(at)
	for i := range r.claimed {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if err := r.tree(int(i)); err != nil {
			return fmt.Errorf("tree %d: %w", i, err)
		}
	}
	if at, err = r.take(4 * max(r.claimed, 0)); err != nil {
		return err
	}
	for i := range r.claimed {
		r.group(r.int32(at+4*i), at+4*i)
		r.info++
	}
	return r.w.Err
}

// tree reads one tree's nodes into the columns that the other encodings have.
func (r *binaryReader) tree(i int) error {
	at, err := r.take(treeSize)
	if err != nil {
		return err
	}
	r.trees++
	t := &r.tr
	t.reset(at)
	t.nodes = r.int32(at + 4)
	vector := r.w.Uint(at+20, 4)
	if t.nodes > maxNodes {
		return errNodes
	}
	nodes, err := r.take(nodeSize * t.nodes)
	if err != nil {
		return err
	}
	for n := range t.nodes {
		at := nodes + nodeSize*n
		const isLeft = 1 << 31 // in parents; in features, the default direction
		parent, left := r.w.Uint(at, 4), r.int32(at+4)
		if int32(parent) != -1 {
			parent &^= isLeft
		}
		t.parents = append(t.parents, int64(int32(parent)))
		t.left, t.right = append(t.left, left), append(t.right, r.int32(at+8))
		t.split = append(t.split, int64(r.w.Uint(at+12, 4)&math.MaxInt32))
	}
	if _, err = r.take(statSize * t.nodes); err == nil && vector != 0 {
		_, _, err = r.counted(4)
	}
	if err == nil {
		err = r.w.Err
	}
	if err != nil {
		return err
	}
	return r.check(i, t)
}
