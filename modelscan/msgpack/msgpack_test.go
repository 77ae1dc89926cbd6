package msgpack

import (
	"os"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

// The hostile cases are recipes in testdata.
func TestScan(t *testing.T) {
	real, err := os.ReadFile("testdata/tiny.msgpack")
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, []scantest.Case{
		{Name: "written by Flax", File: real},
		{Name: "cut short", File: real[:len(real)-3], Want: []string{"ST901"}},
		{Name: "bytes behind", File: append(real[:len(real):len(real)], 0xc0), Want: []string{"ST278 trailing bytes"}},
	}, Format)
	for _, s := range []string{"\x81\xa1a\x01", "\x81\xa3key\xa5value", "\x8f", "{}", "\x81\xa1a\xc7\x02\x01\x93\x92"} {
		if r := scantest.Scan(t, "x", []byte(s), Format); r.Kind != modelscan.KindOther {
			t.Errorf("%q: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("\x82\xa1a\xc7\x26\x01\x93\x92\x02\x03\xa7float32\xc4\x18123456789012345678901234\xa1b\x92\xdc\x00\x01\xca1234\xde\x00\x00"))
	scantest.Fuzz(f, Format)
}
