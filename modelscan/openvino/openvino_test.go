package openvino

import (
	"bytes"
	"os"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

func net(layers string) []byte {
	return []byte(`<?xml version="1.0"?><net name="m" version="11"><layers>` + layers + `</layers><edges/></net>`)
}

func constant(data string) []byte {
	return net(`<layer id="0" name="w" type="Const" version="opset1"><data ` + data + `/></layer>`)
}

func TestScan(t *testing.T) {
	real, err := os.ReadFile("testdata/tiny.xml")
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, []scantest.Case{
		{Name: "written by OpenVINO 2026.4", File: real},
		{Name: "before version 10", File: net(`<layer id="0" name="x" type="Input" precision="FP32"/>`)},
		{Name: "external entity", File: bytes.Replace(real, []byte("?>"), []byte(`?><!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>`), 1), Want: []string{"ST272 DOCTYPE"}},
		{Name: "included document", File: net(`<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="x"/>`), Want: []string{"ST272 XInclude"}},
		{Name: "layer of an extension", File: net(`<layer id="0" name="x" type="MyOp" version="extension"/>`), Want: []string{"ST276 MyOp"}},
		{Name: "layer of an unknown set", File: net(`<layer id="0" name="x" type="MyOp" version="evil1"/>`), Want: []string{"ST276 MyOp"}},
		{Name: "layer in a loop's body", File: net(`<layer id="0" name="l" type="Loop" version="opset5"><body><layers><layer name="x" type="MyOp" version="extension"/></layers></body></layer>`), Want: []string{"ST276 MyOp"}},
		{Name: "constant in place", File: constant(`element_type="i4" shape="3, 3" offset="64" size="5"`)},
		{Name: "empty constant", File: constant(`element_type="f32" shape="0, 9223372036854775807" offset="0" size="0"`)},
		{Name: "constant too large for its bytes", File: constant(`element_type="f32" shape="1024, 1024" offset="0" size="4"`), Want: []string{"ST277 w"}},
		{Name: "shape that overflows", File: constant(`element_type="f16" shape="4294967296,4294967296,2" offset="0" size="4"`), Want: []string{"ST277 w"}},
		{Name: "offset that overflows", File: constant(`element_type="f32" shape="1" offset="18446744073709551612" size="8"`), Want: []string{"ST277 w"}},
		{Name: "negative offset", File: constant(`element_type="f32" shape="1" offset="-4" size="4"`), Want: []string{"ST277 w"}},
		{Name: "code in its information", File: net(`<layer id="0" name="x" type="Result" version="opset1"/><rt_info><a value="__import__('os').system('id')"/></rt_info>`), Want: []string{"ST250 __import__('os').system('id')"}},
		{Name: "cut short", File: real[:len(real)/2], Want: []string{"ST901"}},
		{Name: "cut behind its root element", File: real[:60], Want: []string{"ST901"}},
	}, Format)
	for _, s := range []string{`<net version="1"><node/></net>`, `<html><net x="1"/></html>`, "net"} {
		if r := scantest.Scan(t, "x.xml", []byte(s), Format); r.Kind != modelscan.KindOther {
			t.Errorf("%s: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(constant(`element_type="f32" shape="1024, 1024" offset="0" size="4"`))
	f.Add(net(`<layer id="0" name="x" type="MyOp" version="extension"/>`))
	scantest.Fuzz(f, Format)
}
