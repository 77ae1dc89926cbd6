package convert

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan/index"
)

func TestCheck(t *testing.T) {
	const size = 100
	for _, c := range []struct {
		name string
		t    index.PlanTensor
		want int64
		ok   bool
	}{
		{"whole", index.PlanTensor{Item: 4, Shape: []int64{5, 5}, Strides: []int64{5, 1}}, 100, true},
		{"one too many", index.PlanTensor{Item: 4, Offset: 1, Shape: []int64{5, 5}, Strides: []int64{5, 1}}, 0, false},
		{"scalar at the end", index.PlanTensor{Item: 4, Offset: 96}, 4, true},
		{"scalar over the end", index.PlanTensor{Item: 4, Offset: 97}, 0, false},
		{"empty", index.PlanTensor{Item: 4, Offset: 100, Shape: []int64{0}, Strides: []int64{1}}, 0, true},
		{"expanded", index.PlanTensor{Item: 1, Shape: []int64{200}, Strides: []int64{0}}, 200, true},
		{"expanded without end", index.PlanTensor{Item: 1, Shape: []int64{1 << 40}, Strides: []int64{0}}, 0, false},
		{"overflowing", index.PlanTensor{Item: 8, Shape: []int64{math.MaxInt64, 3}, Strides: []int64{0, 1}}, 0, false},
		{"overflowing strides", index.PlanTensor{Item: 1, Shape: []int64{3}, Strides: []int64{math.MaxInt64}}, 0, false},
		{"negative", index.PlanTensor{Item: 1, Shape: []int64{-3}, Strides: []int64{1}}, 0, false},
		{"no item", index.PlanTensor{}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if n, err := Check(c.t, size); n != c.want || (err == nil) != c.ok {
				t.Errorf("%d, %v; want %d, ok %t", n, err, c.want, c.ok)
			}
		})
	}
}

func TestCopyGathers(t *testing.T) {
	in := bytes.NewReader([]byte("abcdef"))
	for _, c := range []struct {
		shape, strides []int64
		want           string
	}{
		{[]int64{2, 3}, []int64{3, 1}, "abcdef"},
		{[]int64{3, 2}, []int64{1, 3}, "adbecf"},
		{[]int64{2, 2}, []int64{0, 1}, "abab"},
		{nil, nil, "a"},
		{[]int64{3, 0}, []int64{1, 1}, ""},
	} {
		var out bytes.Buffer
		if err := Copy(&out, in, index.PlanTensor{Item: 1, Shape: c.shape, Strides: c.strides}); err != nil || out.String() != c.want {
			t.Errorf("%v %v: %q, %v; want %q", c.shape, c.strides, out.String(), err, c.want)
		}
	}
}

func TestWriteAndVerify(t *testing.T) {
	in := []byte("0123456789abcdef")
	plan := &index.Plan{
		Tensors: []index.PlanTensor{
			{Name: "small", DType: "U8", Item: 1, Offset: 1, Shape: []int64{3}, Strides: []int64{1}},
			{Name: "wide", DType: "F32", Item: 4, Offset: 4, Shape: []int64{2}, Strides: []int64{1}},
		},
		Ties: map[string]string{"also": "wide"},
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	var digests map[string]Digest
	check := func(name string, d map[string]Digest) error {
		if old, err := os.ReadFile(path); name == path || string(old) != "old" || err != nil {
			t.Errorf("%s was touched before the new file was checked: %q, %v", path, old, err)
		}
		digests = d
		return nil
	}
	if err := Write(path, bytes.NewReader(in), int64(len(in)), plan, check); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head := 8 + int64(binary.LittleEndian.Uint64(got))
	if head%8 != 0 || string(got[head:]) != "456789ab123" {
		t.Fatalf("%q", got)
	}
	back := &index.Plan{Tensors: []index.PlanTensor{
		{Name: "wide", DType: "F32", Item: 4, Offset: head, Shape: []int64{2}, Strides: []int64{1}},
		{Name: "small", DType: "U8", Item: 1, Offset: head + 8, Shape: []int64{3}, Strides: []int64{1}},
	}}
	if err := Verify(bytes.NewReader(got), int64(len(got)), back, digests, plan); err != nil {
		t.Error(err)
	}
	got[head]++
	if err := Verify(bytes.NewReader(got), int64(len(got)), back, digests, plan); err == nil {
		t.Error("another number went unnoticed")
	}
	plan.Tensors[0].Offset = 14
	if err := Write(path, bytes.NewReader(in), int64(len(in)), plan, check); err == nil {
		t.Error("wrote a tensor from outside of the file")
	}
}

func TestWriteLeavesTheOldFileWhenTheNewOneIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.safetensors")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := errors.New("came back different")
	err := Write(path, bytes.NewReader(nil), 0, &index.Plan{}, func(string, map[string]Digest) error { return bad })
	old, readErr := os.ReadFile(path)
	if !errors.Is(err, bad) || string(old) != "old" || readErr != nil {
		t.Errorf("%v, then %q, %v", err, old, readErr)
	}
	if left, err := os.ReadDir(dir); len(left) != 1 || err != nil {
		t.Errorf("left %v, %v", left, err)
	}
}
