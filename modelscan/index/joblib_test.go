package index

import (
	"slices"
	"strings"
	"testing"
)

// wrapper is what joblib.dump writes for an array of two float64, up to the numbers; dtype has the item's size.
func wrapper(padding string) string {
	state := "(X\x05\x00\x00\x00shapeK\x02\x85X\x05\x00\x00\x00orderX\x01\x00\x00\x00CX\x05\x00\x00\x00dtypecnumpy\ndtype\nX\x02\x00\x00\x00f8K\x00K\x01\x87R(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
	if padding != "" {
		state += "X\x1b\x00\x00\x00numpy_array_alignment_bytesK\x10"
	}
	return "cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}" + state + "ub" + padding
}

// An array of joblib's becomes one call over the bytes that follow its wrapper; what stands behind goes on.
func TestJoblibArray(t *testing.T) {
	numbers := strings.Repeat("\x2e", 16) // each the opcode STOP, were it read as one
	for name, data := range map[string]string{
		"bare":             "\x80\x02" + wrapper("") + numbers + ".",
		"padded":           "\x80\x02" + wrapper("\x02\x2e\x2e") + numbers + ".",
		"shape set twice":  "\x80\x02" + strings.Replace(wrapper(""), "(X\x05", "(X\x05\x00\x00\x00shapeK\x63\x85X\x05", 1) + numbers + ".", // the last one counts
		"inside of a list": "\x80\x02](" + wrapper("") + numbers + "K\x07e.",
	} {
		t.Run(name, func(t *testing.T) {
			x, err := indexOf(t, data)
			if err != nil {
				t.Fatal(err)
			}
			got := kinds(x)
			if !slices.Contains(got, kCall) || !slices.Contains(got, kFileBytes) || slices.Contains(got, kOpaque) {
				t.Errorf("kinds %v: want a call over bytes of the file, and nothing opaque", got)
			}
		})
	}
	for name, data := range map[string]string{
		"cut off": "\x80\x02" + wrapper("") + numbers[:9],
		"no room": "\x80\x02" + strings.Replace(wrapper(""), "shapeK\x02\x85", "shapeJ\xff\xff\xff\x7f\x85", 1) + numbers + ".",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := indexOf(t, data); err == nil || !strings.Contains(err.Error(), "joblib array") {
				t.Errorf("error %v, want one about the array", err)
			}
		})
	}
}
