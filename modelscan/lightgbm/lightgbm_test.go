package lightgbm

import (
	"bytes"
	"os"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

func real(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/tiny.txt")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestScan(t *testing.T) {
	// replaced is the file with one part of it exchanged, which has to be there, and without its table of sizes
	// where that no longer fits.
	replaced := func(from, to string) []byte {
		b := real(t)
		if !bytes.Contains(b, []byte(from)) {
			t.Fatalf("%q is not there", from)
		}
		if len(from) != len(to) {
			b = bytes.Replace(b, []byte("tree_sizes=471 476\n"), nil, 1)
		}
		return bytes.Replace(b, []byte(from), []byte(to), 1)
	}
	scantest.Check(t, []scantest.Case{
		{Name: "written by LightGBM 4.7", File: real(t)},
		{Name: "lines as on Windows", File: bytes.ReplaceAll(real(t), []byte("\n"), []byte("\r\n"))},
		{Name: "without sizes", File: replaced("tree_sizes=471 476\n", "")},
		{Name: "child outside", File: replaced("left_child=1 -1", "left_child=7 -1"), Want: []string{"ST280 tree 0"}},
		{Name: "loop", File: replaced("left_child=1 -1", "left_child=0 -1"), Want: []string{"ST280 tree 0"}},
		{Name: "leaf outside", File: replaced("right_child=-2 -3", "right_child=-2 -9"), Want: []string{"ST280 tree 0"}},
		{Name: "leaf of the smallest number", File: replaced("right_child=-2 -3", "right_child=-2 -9223372036854775808"), Want: []string{"ST280 tree 0"}},
		{Name: "feature outside", File: replaced("split_feature=0 2", "split_feature=0 9"), Want: []string{"ST280 tree 0"}},
		{Name: "categories outside", File: replaced("cat_boundaries=0 1", "cat_boundaries=0 9"), Want: []string{"ST280 tree 0"}},
		{Name: "set of categories outside", File: replaced("threshold=0.33919890260141639 0", "threshold=0.33919890260141639 5"), Want: []string{"ST280 tree 0"}},
		{Name: "linear leaf outside", File: replaced("is_linear=0", "is_linear=1\nnum_features=1 1 1\nleaf_features=0 1 9"), Want: []string{"ST280 tree 0"}},
		{Name: "linear leaves of more than there is", File: replaced("is_linear=0", "is_linear=1\nnum_features=1 1 9\nleaf_features=0 1 1"), Want: []string{"ST280 tree 0"}},
		{Name: "more trees than classes", File: replaced("num_tree_per_iteration=1", "num_tree_per_iteration=9"), Want: []string{"ST280 num_tree_per_iteration"}},
		{Name: "tree outside of the file", File: bytes.Replace(real(t), []byte("tree_sizes=471 476"), []byte("tree_sizes=471 99999999 1"), 1), Want: []string{"ST280 tree 2"}},
		{Name: "tree elsewhere", File: bytes.Replace(real(t), []byte("tree_sizes=471"), []byte("tree_sizes=470"), 1), Want: []string{"ST901"}},
		{Name: "no names of features", File: replaced("feature_names=", "feature_nomes="), Want: []string{"ST901"}},
		{Name: "a feature that is not described", File: replaced("max_feature_idx=2", "max_feature_idx=3"), Want: []string{"ST901"}},
		{Name: "no line of a header", File: replaced("\nobjective=binary", "\nobjective=binary=1"), Want: []string{"ST901"}},
		{Name: "no number of classes", File: replaced("\nnum_class=", "\nnum_cl_ss="), Want: []string{"ST901"}},
		{Name: "weights of which one is no number", File: replaced("internal_weight=14.7333 10.0678", "internal_weight=14.7333 1\xb0.0678"), Want: []string{"ST901"}},
		{Name: "weights too few", File: replaced("internal_weight=14.7333 10.0678", "internal_weight=14.7333010.0678"), Want: []string{"ST901"}},
		{Name: "leaf values of which one is no number", File: replaced("leaf_value=-0.18", "leaf_value=-0y18"), Want: []string{"ST901"}},
		{Name: "a parameter without a colon", File: replaced("[boosting: gbdt]", "[boosting2 gbdt]"), Want: []string{"ST901"}},
		{Name: "column short", File: replaced("left_child=1 -1", "left_child=1"), Want: []string{"ST901"}},
		{Name: "code among the parameters", File: replaced("[objective: binary]", "[objective: __import__('os').system('echo x')]"), Want: []string{"ST250 text behind the trees"}},
		{Name: "cut in a tree", File: real(t)[:700], Want: []string{"ST901"}},
		{Name: "cut in the header", File: real(t)[:200], Want: []string{"ST901"}},
		{Name: "cut in the parameters", File: real(t)[:len(real(t))-60], Want: []string{"ST901"}},
		{Name: "cut behind a tree", File: bytes.SplitAfter(real(t), []byte("shrinkage=1\n\n"))[0], Want: []string{"ST901"}},
	}, Format)
	for _, s := range []string{"tree\n", "tree\nand more text\n", "trees\nmax_feature_idx=1\n"} {
		if r := scantest.Scan(t, "x.txt", []byte(s), Format); r.Kind != modelscan.KindOther {
			t.Errorf("%q: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(real(f))
	scantest.Fuzz(f, Format)
}
