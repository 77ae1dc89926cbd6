// Package convert turns checkpoints into safetensors files. A worker says which bytes of the file make which
// tensor; here they are only copied, after every number was checked against the file.
package convert

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"slices"

	"github.com/secure-torch/secure-torch/modelscan/index"
)

// Metadata keys that are written beside "format".
const (
	keySource = "secure_torch.source_sha256"
	keyTies   = "secure_torch.ties"
)

// Digest of one tensor's bytes in order.
type Digest [sha256.Size]byte

// Write makes the safetensors file at path. It is written beside path, and takes its place only after check has found
// the new file (its name and the digests of the tensors in it) to be right; until then whatever is at path stays as it is.
func Write(path string, in io.ReaderAt, size int64, plan *index.Plan, check func(string, map[string]Digest) error) error {
	plan.Tensors = slices.Clone(plan.Tensors)
	// Wide elements first, as the reference writer does: every tensor is then aligned.
	slices.SortStableFunc(plan.Tensors, func(a, b index.PlanTensor) int { return int(b.Item - a.Item) })
	header, err := header(in, size, plan)
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(path), ".secure-torch-*.safetensors")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name()) // gone already when all went well
	digests, err := write(out, header, in, plan)
	if err := errors.Join(err, out.Chmod(0o644), out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := check(out.Name(), digests); err != nil {
		return err
	}
	return os.Rename(out.Name(), path)
}

func write(out io.Writer, header []byte, in io.ReaderAt, plan *index.Plan) (map[string]Digest, error) {
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	if _, err := out.Write(append(head, header...)); err != nil {
		return nil, err
	}
	digests := map[string]Digest{}
	for _, t := range plan.Tensors {
		sum := sha256.New()
		if err := Copy(io.MultiWriter(out, sum), in, t); err != nil {
			return nil, fmt.Errorf("%q: %w", t.Name, err)
		}
		digests[t.Name] = Digest(sum.Sum(nil))
	}
	return digests, nil
}

// header checks the plan and lays the new file out.
func header(in io.ReaderAt, size int64, plan *index.Plan) ([]byte, error) {
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int64  `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(in, 0, size)); err != nil {
		return nil, fmt.Errorf("hash the file: %w", err)
	}
	meta := map[string]string{"format": "pt", keySource: fmt.Sprintf("%x", sum.Sum(nil))}
	if len(plan.Ties) > 0 {
		ties, err := json.Marshal(plan.Ties)
		if err != nil {
			return nil, err
		}
		meta[keyTies] = string(ties)
	}
	all := map[string]any{"__metadata__": meta}
	at := int64(0)
	for _, t := range plan.Tensors {
		n, err := Check(t, size)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", t.Name, err)
		}
		if _, twice := all[t.Name]; twice || n > math.MaxInt64-at {
			return nil, fmt.Errorf("%q is there twice, or everything is too large", t.Name)
		}
		all[t.Name] = entry{t.DType, append([]int64{}, t.Shape...), [2]int64{at, at + n}}
		at += n
	}
	text, err := json.Marshal(all)
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	return text, err
}

// maxExpanded bounds what a tensor may grow to: one with strides of zero has more elements than bytes in the file.
const maxExpanded = 1 << 30

// Check refuses a tensor outside the file, and returns its length in bytes. The plan comes from a worker.
func Check(t index.PlanTensor, size int64) (int64, error) {
	if len(t.Shape) != len(t.Strides) || t.Item < 1 || t.Item > 16 || t.Offset < 0 || t.Offset > size {
		return 0, errors.New("a plan that makes no sense")
	}
	n, last := t.Item, int64(0)
	for i, d := range t.Shape {
		stride := t.Strides[i]
		if d < 0 || stride < 0 {
			return 0, fmt.Errorf("shape %v, strides %v", t.Shape, t.Strides)
		}
		var ok1 bool
		n, ok1 = product(n, d, max(size, maxExpanded))
		span, ok2 := product(max(d-1, 0), stride, size-last)
		if !ok1 || !ok2 {
			return 0, fmt.Errorf("shape %v with strides %v is larger than the file, or reaches out of it", t.Shape, t.Strides)
		}
		last += span
	}
	if n > 0 && last >= (size-t.Offset)/t.Item {
		return 0, fmt.Errorf("shape %v with strides %v reaches out of the file", t.Shape, t.Strides)
	}
	return n, nil
}

// product of two numbers that are not negative, if it is not above most.
func product(a, b, most int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(lo), hi == 0 && lo <= uint64(most)
}

// Copy writes a checked tensor's elements in order.
func Copy(out io.Writer, in io.ReaderAt, t index.PlanTensor) error {
	run, outer := t.Item, len(t.Shape) // the bytes of the last dimensions that lie together
	for outer > 0 && t.Strides[outer-1]*t.Item == run {
		outer--
		run *= t.Shape[outer]
	}
	if slices.Contains(t.Shape, 0) {
		return nil
	}
	g := gather{out: out, in: in, run: run, shape: t.Shape[:outer], item: t.Item, strides: t.Strides}
	return g.dim(0, t.Offset)
}

type gather struct {
	out            io.Writer
	in             io.ReaderAt
	run, item      int64
	shape, strides []int64
	buf            []byte
}

// dim writes everything below dimension d; there are at most 64.
func (g *gather) dim(d int, off int64) error {
	if d == len(g.shape) {
		if g.run > int64(len(g.buf)) && g.run <= 1<<20 {
			g.buf = make([]byte, 1<<20)
		}
		if g.run > 1<<20 {
			_, err := io.Copy(g.out, io.NewSectionReader(g.in, off, g.run))
			return err
		}
		if _, err := g.in.ReadAt(g.buf[:g.run], off); err != nil {
			return err
		}
		_, err := g.out.Write(g.buf[:g.run])
		return err
	}
	for i := range g.shape[d] {
		if err := g.dim(d+1, off+i*g.strides[d]*g.item); err != nil {
			return err
		}
	}
	return nil
}

// Verify compares a written file, by its own plan, with the digests of what was to be written.
func Verify(in io.ReaderAt, size int64, plan *index.Plan, want map[string]Digest, source *index.Plan) error {
	shapes := map[string]index.PlanTensor{}
	for _, t := range source.Tensors {
		shapes[t.Name] = t
	}
	if len(plan.Tensors) != len(want) {
		return fmt.Errorf("%d tensors came back, %d were written", len(plan.Tensors), len(want))
	}
	for _, t := range plan.Tensors {
		if _, err := Check(t, size); err != nil {
			return fmt.Errorf("%q: %w", t.Name, err)
		}
		sum := sha256.New()
		if err := Copy(sum, in, t); err != nil {
			return fmt.Errorf("%q: %w", t.Name, err)
		}
		if s := shapes[t.Name]; Digest(sum.Sum(nil)) != want[t.Name] || s.DType != t.DType || !slices.Equal(s.Shape, t.Shape) {
			return fmt.Errorf("%q came back different", t.Name)
		}
	}
	return nil
}
