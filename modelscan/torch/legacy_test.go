package torch_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/internal/modeltest"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/formats"
)

// twoSaves writes two checkpoints into one file, loads both, and tells where torch ended the first.
const twoSaves = `
import os, sys, torch
class Evil:
    def __reduce__(self): return os.system, ('echo pwned >&2',)
with open(sys.argv[1], 'wb') as f:
    torch.save({'t': torch.arange(6), 'u': torch.ones(3)}, f, _use_new_zipfile_serialization=False)
    torch.save(Evil(), f, _use_new_zipfile_serialization=False)
with open(sys.argv[1], 'rb') as f:
    torch.load(f)
    print(f.tell())
    torch.load(f)
`

// TestSecondCheckpoint: what torch runs on the second load of an open file is found where it stands.
func TestSecondCheckpoint(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.CommandContext(t.Context(), python, "-c", "import torch").Run(); err != nil {
		modeltest.Absent(t, "no torch to write with")
	}
	path := filepath.Join(t.TempDir(), "m.pt")
	out, err := exec.CommandContext(t.Context(), python, "-c", twoSaves, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var second int64
	if _, err := fmt.Sscan(string(out), &second); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := modeltest.Scan(t, modeltest.File{Name: "m.pt", Data: data}, formats.All())
	if len(r.Findings) != 1 || len(r.Gaps) > 0 || r.Findings[0].Rule != rule.PickleOsSystem || r.Findings[0].Offset <= second || r.Findings[0].Path != "m.pt" {
		t.Errorf("one call behind %d expected: %+v %+v", second, r.Findings, r.Gaps)
	}
	r = modeltest.Scan(t, modeltest.File{Name: "m.pt", Data: data[:second]}, formats.All())
	if r.Verdict() != modelscan.Safe {
		t.Errorf("the first checkpoint alone: %+v %+v", r.Findings, r.Gaps)
	}
}
