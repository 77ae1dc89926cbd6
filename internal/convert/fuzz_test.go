package convert

import (
	"bytes"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/index"
)

// legacy is a checkpoint as torch wrote it before 1.6: {"a": tensor, "n": {"b": the same, "l": [tensor]}}, two floats.
func legacy() []byte {
	tensor := "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02NtQ" +
		"K\x00K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"
	object := "}(X\x01\x00\x00\x00a" + tensor + "X\x01\x00\x00\x00n}(X\x01\x00\x00\x00b" + tensor + "X\x01\x00\x00\x00l]" + tensor + "auu."
	return []byte("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02" + object +
		"\x80\x02]X\x01\x00\x00\x000a.\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x3f\x00\x00\x00\x40")
}

// FuzzPlan: whatever the file, what is planned lies inside it, and can be copied.
func FuzzPlan(f *testing.F) {
	good := index.Selection{All: true}
	plan, err := index.BuildPlan(f.Context(), modelscan.Source{R: bytes.NewReader(legacy()), Size: int64(len(legacy()))}, modelscan.DefaultLimits(), good)
	if err != nil || len(plan.Tensors)+len(plan.Ties) != 3 {
		f.Fatalf("the seed gives %+v, %v", plan, err)
	}
	f.Add(legacy(), "", true)
	f.Add(legacy(), "n", false)
	f.Add([]byte("\x80\x02}."), ".", false)
	f.Fuzz(func(t *testing.T, data []byte, only string, all bool) {
		in, size := bytes.NewReader(data), int64(len(data))
		plan, err := index.BuildPlan(t.Context(), modelscan.Source{Name: "fuzz", R: in, Size: size}, modelscan.DefaultLimits(), index.Selection{Only: only, All: all})
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, tensor := range plan.Tensors {
			if names[tensor.Name] {
				t.Fatalf("%q is planned twice", tensor.Name)
			}
			names[tensor.Name] = true
			n, err := Check(tensor, size)
			if err != nil || n > 1<<20 {
				continue // grown by strides of zero: refused, or too slow to try
			}
			var out bytes.Buffer
			if err := Copy(&out, in, tensor); err != nil || int64(out.Len()) != n {
				t.Fatalf("%+v: %d of %d bytes, %v", tensor, out.Len(), n, err)
			}
		}
		for name, first := range plan.Ties {
			if names[name] || !names[first] {
				t.Fatalf("%q is tied to %q", name, first)
			}
		}
	})
}
