package executable

import (
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

var programs = map[string]string{
	"elf": "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 57), "script": "#!/bin/sh\necho pwned\n", "mach-o": "\xcf\xfa\xed\xfe\x07\x00\x00\x01",
	"universal": "\xca\xfe\xba\xbe\x00\x00\x00\x02", "llamafile": "MZqFpD='\n", "windows": "MZ" + strings.Repeat("\x00", 58) + "\x40\x00\x00\x00PE\x00\x00",
}

func TestPrograms(t *testing.T) {
	for kind, text := range programs {
		if r := scantest.Scan(t, "model.bin", []byte(text), Format); len(r.Findings) != 1 || r.Findings[0].Rule != "ST274" || r.Verdict() != modelscan.Review {
			t.Errorf("%s in disguise: %v", kind, r.Findings)
		}
		if r := scantest.Scan(t, "tool", []byte(text), Format); r.Verdict() != modelscan.Safe || r.Kind != modelscan.KindOther {
			t.Errorf("%s: %s %v", kind, r.Kind, r.Findings)
		}
	}
}

func TestCompiledModel(t *testing.T) {
	const name = "model.pt2!model/data/aotinductor/model/c1.wrapper.so"
	if r := scantest.Scan(t, name, []byte(programs["elf"]), Format); len(r.Findings) != 1 || r.Findings[0].Rule != "ST292" || r.Verdict() != modelscan.Review {
		t.Errorf("a compiled model: %v", r.Findings)
	}
	if r := scantest.Scan(t, "model.pt2!model/data/aotinductor/model/c1.cpp", []byte("int x;"), Format); len(r.Findings) != 0 {
		t.Errorf("its source: %v", r.Findings)
	}
}

func TestOthersAreNotClaimed(t *testing.T) {
	for _, s := range []string{"", "MZ", "MZ" + strings.Repeat("\x00", 100), "\xca\xfe\xba\xbe\x00\x00\x00\x34", "\x7fELF", "# text"} {
		if r := scantest.Scan(t, "x.bin", []byte(s), Format); len(r.Formats) > 0 {
			t.Errorf("%q: %v", s, r.Formats)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range programs {
		f.Add([]byte(text))
	}
	scantest.Fuzz(f, Format)
}
