package catboost

import (
	"bytes"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

// The hostile cases of the binary format are recipes in testdata.
func TestScan(t *testing.T) {
	cbm, text := scantest.Read(t, "tiny.cbm"), scantest.Read(t, "tiny.json")
	replaced := func(from, to string) []byte {
		if !bytes.Contains(text, []byte(from)) {
			t.Fatalf("%q is not there", from)
		}
		return bytes.Replace(text, []byte(from), []byte(to), 1)
	}
	behind := append(bytes.Clone(cbm), "\x80\x02cposix\nsystem\n."...)
	scantest.Check(t, []scantest.Case{
		{Name: "symmetric trees and categories by CatBoost 1.2.10", File: cbm},
		{Name: "trees of steps", File: scantest.Read(t, "steps.cbm")},
		{Name: "JSON", File: text},
		{Name: "JSON, trees of steps", File: scantest.Read(t, "steps.json")},
		{Name: "bytes behind", File: behind},
		{Name: "cut in a table", File: cbm[:len(cbm)-20], Want: []string{"ST901"}},
		{Name: "cut in the core", File: cbm[:3000], Want: []string{"ST901"}},
		{Name: "no text of the version", File: bytes.Replace(cbm, []byte("FlabuffersModel_v1"), []byte("FlabuffersModel_v2"), 1), Want: []string{"ST903"}},
		{Name: "magic only", File: cbm[:4], Want: []string{"ST901"}},
		{Name: "JSON split outside", File: replaced(`"split_index":3`, `"split_index":4`), Want: []string{"ST280 split_index"}},
		{Name: "JSON split negative", File: replaced(`"split_index":3`, `"split_index":-4`), Want: []string{"ST280 split_index"}},
		{Name: "JSON without trees", File: replaced(`"oblivious_trees"`, `"oblivious_t_ees"`), Want: []string{"ST901"}},
		{Name: "JSON with a control character", File: replaced(`"features_info"`, "\"x\":\"\x15\",\"features_info\""), Want: []string{"ST901"}},
		{Name: "JSON cut", File: text[:len(text)-40], Want: []string{"ST901"}},
	}, Format, JSON)
	for _, s := range []string{`{"a":"oblivious_trees"}`, `{"oblivious_trees"`, `{}`} {
		if r := scantest.Scan(t, "x.json", []byte(s), Format, JSON); r.Kind != modelscan.KindOther {
			t.Errorf("%q: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, name := range []string{"tiny.cbm", "steps.cbm", "tiny.json"} {
		f.Add(scantest.Read(f, name))
	}
	scantest.Fuzz(f, Format, JSON)
}
