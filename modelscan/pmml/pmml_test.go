package pmml

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

const plain = `<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header copyright="&#169; test"/><DataDictionary><DataField name="&lt;x&gt;"/></DataDictionary></PMML>`

func utf16le(s string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func TestScan(t *testing.T) {
	entity := `<?xml version="1.0"?><!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + plain
	scantest.Check(t, []scantest.Case{
		{Name: "plain", File: []byte(plain)},
		{Name: "with a prolog", File: []byte("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<!-- by test --><!DOCTYPE PMML>" + plain)},
		{Name: "external entity", File: []byte(entity), Want: []string{"ST272 DOCTYPE"}},
		{Name: "external entity in UTF-16", File: utf16le(entity), Want: []string{"ST272 DOCTYPE"}},
		{Name: "entity expansion", File: []byte(`<!DOCTYPE PMML [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>` + plain), Want: []string{"ST272 DOCTYPE"}},
		{Name: "external document type", File: []byte(`<!DOCTYPE PMML SYSTEM "http://example.com/x.dtd">` + plain), Want: []string{"ST272 DOCTYPE"}},
		{Name: "behind a long comment", File: []byte("<!--" + strings.Repeat("x", modelscan.ProbeSize) + "-->" + entity[strings.Index(entity, "<!D"):]), Want: []string{"ST272 DOCTYPE"}},
		{Name: "included document", File: []byte(strings.Replace(plain, "<Header", `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/><Header`, 1)), Want: []string{"ST272 XInclude"}},
		{Name: "cut short", File: []byte(plain[:90]), Want: []string{"ST901"}},
	}, Format)
}

func TestOthersAreNotClaimed(t *testing.T) {
	for _, s := range []string{"<html><body>x</body></html>", "<?xml version='1.0'?><svg/>", "PMML", "<", ""} {
		if r := scantest.Scan(t, "x.xml", []byte(s), Format); r.Kind != modelscan.KindOther {
			t.Errorf("%q: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(plain))
	f.Add(utf16le(`<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + plain))
	scantest.Fuzz(f, Format)
}
