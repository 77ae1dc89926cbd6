package xgboost

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

// replaced is a file with one part of it exchanged, which has to be there.
func replaced(t testing.TB, b []byte, from, to string) []byte {
	if !bytes.Contains(b, []byte(from)) {
		t.Fatalf("%q is not there", from)
	}
	return bytes.Replace(b, []byte(from), []byte(to), 1)
}

// patched is the file with a number of 32 bits exchanged.
func patched(b []byte, at int, n uint32) []byte {
	b = bytes.Clone(b)
	binary.LittleEndian.PutUint32(b[at:], n)
	return b
}

// cut is the file without its last n bytes.
func cut(b []byte, n int) []byte { return b[:len(b)-n] }

func TestScan(t *testing.T) {
	text, ubj, old := scantest.Read(t, "tiny.json"), scantest.Read(t, "tiny.ubj"), scantest.Read(t, "tiny.model")
	// In the binary: the learner, "binary:logistic" and "gbtree" with their lengths, the booster, the first tree.
	firstTree := learnerSize + 8 + 15 + 8 + 6 + boosterSize
	if bytes.HasPrefix(old, []byte(magic)) {
		firstTree += len(magic)
	}
	node := firstTree + treeSize
	scantest.Check(t, []scantest.Case{
		{Name: "JSON by XGBoost 3.2", File: text},
		{Name: "UBJSON by XGBoost 3.2", File: ubj},
		{Name: "binary by XGBoost 1.7", File: old},
		{Name: "JSON, pretty", File: bytes.ReplaceAll(bytes.ReplaceAll(text, []byte(":"), []byte(" : ")), []byte("binary : logistic"), []byte("binary:logistic"))},
		{Name: "child outside", File: replaced(t, text, `"left_children":[1,`, `"left_children":[99,`), Want: []string{"ST280 tree 0"}},
		{Name: "loop", File: replaced(t, text, `"left_children":[1,3`, `"left_children":[1,0`), Want: []string{"ST280 tree 0"}},
		{Name: "negative child", File: replaced(t, text, `"right_children":[2,`, `"right_children":[-2,`), Want: []string{"ST280 tree 0"}},
		{Name: "parent outside", File: replaced(t, text, `"parents":[2147483647,0,`, `"parents":[2147483647,5,`), Want: []string{"ST280 tree 0"}},
		{Name: "feature outside", File: replaced(t, text, `"split_indices":[0,2`, `"split_indices":[0,3`), Want: []string{"ST280 split_indices"}},
		{Name: "class outside", File: replaced(t, text, `"tree_info":[0,0]`, `"tree_info":[0,7]`), Want: []string{"ST280 tree_info"}},
		{Name: "class negative", File: replaced(t, text, `"tree_info":[0,0]`, `"tree_info":[0,-7]`), Want: []string{"ST280 tree_info"}},
		{Name: "categories outside", File: replaced(t, text, `"categories_sizes":[3]`, `"categories_sizes":[9]`), Want: []string{"ST280 tree 0"}},
		{Name: "no weights", File: replaced(t, text, `"base_weights"`, `"base_w_ights"`), Want: []string{"ST901"}},
		{Name: "no column of categories", File: replaced(t, text, `"categories_nodes"`, `"categories_modes"`), Want: []string{"ST901"}},
		{Name: "no size of leaves", File: replaced(t, text, `"size_leaf_vector"`, `"si~e_leaf_vector"`), Want: []string{"ST901"}},
		{Name: "no number of features", File: bytes.ReplaceAll(text, []byte(`"num_feature"`), []byte(`"num_f_ature"`)), Want: []string{"ST901"}},
		{Name: "no name in quotes", File: replaced(t, text, `{"learner":{"`, "{\"learner\":{\x02"), Want: []string{"ST901"}},
		{Name: "a line that ends in a text", File: replaced(t, text, `"version"`, "\"vers\non\""), Want: []string{"ST901"}},
		{Name: "categories without sizes", File: replaced(t, text, `"categories_sizes":[3]`, `"categories_sizes":[]`), Want: []string{"ST280 tree 0"}},
		{Name: "column short", File: replaced(t, text, `"right_children":[2,`, `"right_children":[`), Want: []string{"ST901"}},
		{Name: "no attributes", File: replaced(t, text, `"attributes"`, `"attrkbutes"`), Want: []string{"ST901"}},
		{Name: "trees missing", File: replaced(t, text, `"num_trees":"2"`, `"num_trees":"3"`), Want: []string{"ST901"}},
		{Name: "key twice", File: replaced(t, text, `"name":"gbtree"`, `"model":{},"name":"gbtree"`), Want: []string{"ST280 model"}},
		{Name: "code in an attribute", File: replaced(t, text, `"note":"x"`, `"note":"__import__('os').system('echo x')"`), Want: []string{"ST250 note"}},
		{Name: "newline behind", File: append(bytes.Clone(text), '\n')},
		{Name: "JSON cut", File: cut(text, 400), Want: []string{"ST901"}},
		{Name: "UBJSON cut", File: cut(ubj, 400), Want: []string{"ST901"}},
		{Name: "UBJSON child outside", File: replaced(t, ubj, "left_children[$l#L\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x01", "left_children[$l#L\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x01\x01"), Want: []string{"ST280 tree 0"}},
		{Name: "UBJSON text outside", File: replaced(t, ubj, "noteSL\x00", "noteSL\x10"), Want: []string{"ST901"}},
		{Name: "binary cut", File: cut(old, 40), Want: []string{"ST901"}},
		{Name: "binary child outside", File: patched(old, node+4, 1<<20), Want: []string{"ST280 tree 0"}},
		{Name: "binary loop", File: patched(old, node+8, 0), Want: []string{"ST280 tree 0"}},
		{Name: "binary feature outside", File: patched(old, node+12, 77), Want: []string{"ST280 split_indices"}},
		{Name: "binary nodes without end", File: patched(old, firstTree+4, 1<<30), Want: []string{"ST902"}},
		{Name: "binary, nothing behind its magic", File: append([]byte(magic), make([]byte, 300)...), Want: []string{"ST901"}},
	}, JSON, UBJSON, Binary)
	for _, s := range []string{`{"learner":{}}`, `{"learner":`, `{"a":"learner"}`, "{L\x00\x00\x00\x00\x00\x00\x00\x01a}", "{}", "\x00\x00\x00\x3f"} {
		if r := scantest.Scan(t, "x", []byte(s), JSON, UBJSON, Binary); r.Kind != modelscan.KindOther {
			t.Errorf("%q: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, name := range []string{"tiny.json", "tiny.ubj", "tiny.model"} {
		f.Add(scantest.Read(f, name))
	}
	scantest.Fuzz(f, JSON, UBJSON, Binary)
}
