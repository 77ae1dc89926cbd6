// Package executable recognises programs: ELF, PE, Mach-O, llamafiles and scripts. No loader of models
// reads them, but people are asked to run them, and a program under a model's name is in disguise.
package executable

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"path"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Format is any kind of program.
var Format = &modelscan.Format{Name: "executable", Inert: true, Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if kind(p.Head) != "" {
		return modelscan.Yes
	}
	return modelscan.No
}, Scan: scan}

// kind names the sort of program that begins like this, "" for none.
func kind(head []byte) string {
	for _, s := range []struct{ magic, name string }{
		{"MZqFpD", "llamafile or another Actually Portable Executable"}, {"jartsr", "llamafile or another Actually Portable Executable"}, {"#!", "script"},
		{"\xfe\xed\xfa\xce", "Mach-O program"}, {"\xfe\xed\xfa\xcf", "Mach-O program"}, {"\xce\xfa\xed\xfe", "Mach-O program"}, {"\xcf\xfa\xed\xfe", "Mach-O program"},
	} {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return s.name
		}
	}
	switch {
	case len(head) > 18 && bytes.HasPrefix(head, []byte("\x7fELF")) && head[4] >= 1 && head[4] <= 2:
		return "ELF program"
	case portable(head):
		return "Windows program"
	case len(head) >= 8 && bytes.HasPrefix(head, []byte("\xca\xfe\xba\xbe")) && binary.BigEndian.Uint32(head[4:]) < 20: // Java classes have a version there
		return "Mach-O program"
	}
	return ""
}

// portable: "MZ" is short, so the PE header it points at must be there.
func portable(head []byte) bool {
	if len(head) < 64 || string(head[:2]) != "MZ" {
		return false
	}
	at := binary.LittleEndian.Uint32(head[60:])
	return uint64(at)+4 <= uint64(len(head)) && string(head[at:at+4]) == "PE\x00\x00"
}

// models are extensions under which somebody expects a model.
var models = map[string]bool{
	".pt": true, ".pth": true, ".ckpt": true, ".bin": true, ".pkl": true, ".pickle": true, ".p": true, ".joblib": true, ".safetensors": true, ".onnx": true,
	".gguf": true, ".ggml": true, ".h5": true, ".hdf5": true, ".keras": true, ".pb": true, ".tflite": true, ".npy": true, ".npz": true, ".nemo": true,
	".mar": true, ".mlmodel": true, ".skops": true, ".model": true, ".params": true, ".t7": true, ".engine": true, ".dat": true, ".weights": true,
}

// scan goes by the name for once: only there does it stand whether the program is in disguise, or where torch looks for
// one (torch/csrc/inductor/aoti_package/model_package_loader.cpp).
func scan(_ context.Context, p *modelscan.Pass) error {
	head, err := p.Bytes(0, min(p.Size, 4096), 4096)
	if err != nil {
		return err
	}
	name := p.Name[strings.LastIndexByte(p.Name, '!')+1:]
	what := kind(head)
	if strings.Contains(name, "data/aotinductor/") {
		p.Emit.Finding(modelscan.Finding{Rule: rule.ArchiveNativeCode, Path: p.Name, Subject: what, Message: fmt.Sprintf("torch loads native code that stands in the archive (%s)", what)})
	}
	if models[strings.ToLower(path.Ext(name))] {
		p.Emit.Finding(modelscan.Finding{Rule: rule.ProgramInDisguise, Path: p.Name, Subject: what, Message: fmt.Sprintf("named as a model, but it is a program (%s)", what)})
	}
	return nil
}
