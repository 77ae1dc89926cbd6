package identified

import (
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

func TestRecognisedIsNotSafe(t *testing.T) {
	for _, k := range known {
		b := []byte(strings.Repeat("\x00", k.off) + k.magic + "rest")
		if r := scantest.Scan(t, "x", b, Formats()...); r.Verdict() != modelscan.Incomplete || len(r.Gaps) != 1 || r.Gaps[0].Rule != "ST903" {
			t.Errorf("%s: %v %v", k.name, r.Verdict(), r.Gaps)
		}
	}
	if r := scantest.Scan(t, "x", []byte("plain text"), Formats()...); r.Kind != modelscan.KindOther {
		t.Errorf("text: %+v", r)
	}
}
