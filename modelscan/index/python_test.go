package index

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// python reads a source file of the package that decodes what this one encodes.
func python(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../python/secure_torch/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The numbers that travel are the same on both sides.
func TestPythonHasTheSameNumbers(t *testing.T) {
	got := map[string]int64{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Z_]+) = (\d+)$`).FindAllStringSubmatch(python(t, "_wire.py"), -1) {
		got[m[1]], _ = strconv.ParseInt(m[2], 10, 64)
	}
	want := map[string]int64{
		"VERSION": Version, "NONE": int64(kNone), "TRUE": int64(kTrue), "FALSE": int64(kFalse), "INT": int64(kInt), "BIG_INT": int64(kBigInt),
		"FLOAT": int64(kFloat), "STR": int64(kStr), "SURROGATE": int64(kSurrogate), "BYTES": int64(kBytes), "FILE_BYTES": int64(kFileBytes),
		"BYTE_ARRAY": int64(kByteArray), "LIST": int64(kList), "TUPLE": int64(kTuple), "DICT": int64(kDict), "SET": int64(kSet),
		"FROZEN_SET": int64(kFrozenSet), "TENSOR": int64(kTensor), "STORAGE": int64(kStorage), "GLOBAL": int64(kGlobal), "CALL": int64(kCall),
		"OPAQUE": int64(kOpaque), "EXTEND": int64(kExtend), "SET_ITEMS": int64(kSetItems), "ADD_ITEMS": int64(kAddItems), "STATE": int64(kState),
		"STORAGE_DEFLATED": storageDeflated, "STORAGE_SWAPPED": storageSwapped,
		"TENSOR_REQUIRES_GRAD": tensorRequiresGrad, "TENSOR_CONJ": tensorConj, "TENSOR_NEG": tensorNeg,
	}
	if !maps.Equal(got, want) {
		t.Errorf("_wire.py has %v, want %v", got, want)
	}
}

// What is carried out in Python is what is let through here, and nothing else.
func TestPythonHasTheSameConstructors(t *testing.T) {
	got := map[string]bool{}
	for _, file := range []string{"_rebuild.py", "_rebuild_stdlib.py", "_rebuild_numpy.py", "_rebuild_torch.py"} {
		_, table, ok := strings.Cut(python(t, file), "CONSTRUCTORS: dict[str, Callable[..., Any]] = {")
		if !ok {
			t.Fatalf("%s has no table", file)
		}
		for _, m := range regexp.MustCompile(`(?m)^    "([^"]+)":`).FindAllStringSubmatch(table, -1) {
			got[m[1]] = true
		}
	}
	want := map[string]bool{ // made here, of others' arguments
		"numpy.core.multiarray.scalar": true, "numpy.dtype+state": true, "numpy.ndarray+state": true, "numpy.npy": true, "joblib.array": true,
		"torch._utils._rebuild_qtensor": true,
	}
	for name, c := range constructors {
		if c.make == nil {
			want[name] = true
		}
	}
	delete(want, "numpy.core.multiarray._reconstruct") // an array without its state stays opaque
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		t.Errorf("Python carries out %v, want %v", g, w)
	}
}
