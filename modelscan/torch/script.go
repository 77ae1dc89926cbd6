package torch

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"

	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// maxLine bounds a line of source that is kept; what is longer is cut into pieces.
const maxLine = 256 << 10

// fileOps are TorchScript operators that reach beyond tensors. In serialised code "aten" is written "torch",
// other namespaces "ops.<namespace>".
var fileOps = pattern.Lazy(`\b(?:torch|ops\.aten)\.(save|load|from_file|_load_from_file|write_file|read_file)\s*\(` +
	`|\bops\.(?:image|torchvision|torchaudio|io|video_reader)\.(\w*(?:read|write|load|save|file|open)\w*)\s*\(` +
	`|\b(?:torch|ops)\.(?:aten\.)?(?:os\.)?(system|popen|exec|load_library)\s*\(`)

// foreign is an operator or a class outside torch's own: "ops.NAMESPACE.operator" and "torch.classes.NAMESPACE.Class".
var foreign = pattern.Lazy(`\bops\.(\w+)\.\w+\s*\(|\btorch\.classes\.(\w+)\.\w+`)

// Namespaces of operators and classes that come with torch or a library of its project, and of PyTorch Geometric and
// the compilers whose programs name theirs in every file.
var namespaces = pattern.Lazy(`^(?:aten|prims?|rngprims|debugprims|higher_order|quantized\w*|_quantized|sparse|mkl|mkldnn\w*|onednn|xnnpack|_caffe2|profiler|metal\w*|vulkan\w*|mtl|nnapi|_nnapi|` +
	`_?c10d_functional|c10d|dist_rpc|inductor|static_runtime|torch_?vision|image|video_reader|io|torch_?audio|torchtext|torchao|torchrec|fbgemm|fb|rnn|cuda|cudnn|backends|coreml|` +
	`torch_(?:scatter|sparse|cluster|spline_conv)|pyg|tensorrt|torch_ipex|ipex_prepack|neuron|executorch|llama|detectron2)$`)

// definition opens a method.
var definition = pattern.Lazy(`^\s*def\s+(\w+)`)

// maxForeign bounds the namespaces that are told of.
const maxForeign = 50

// scanScript reads TorchScript source (torch/csrc/jit/serialization/python_print.cpp). It is compiled, never run
// by Python; __setstate__ runs on load, all other methods when the model is called.
func scanScript(ctx context.Context, p *modelscan.Pass) error {
	method, told := "", map[string]bool{}
	var shape brackets
	cut := false // a line too long for one piece: a string may go on in the next
	err := lines(ctx, p, func(off int64, line string) {
		if m := definition().FindStringSubmatch(line); m != nil {
			method = m[1]
		}
		code := withoutStrings(line)
		cut = cut || len(line) >= maxLine
		shape.line(off, code)
		for _, m := range foreign().FindAllStringSubmatch(code, -1) {
			space := m[1] + m[2]
			if namespaces().MatchString(space) || told[space] || len(told) >= maxForeign {
				continue
			}
			told[space] = true
			p.Emit.Finding(modelscan.Finding{Rule: rule.TorchscriptCustomOperator, Path: p.Name, Offset: off, Subject: space,
				Message: fmt.Sprintf("%s needs a native library that defines %s", excerpt(strings.TrimRight(m[0], "( ")), space)})
		}
		m := fileOps().FindStringIndex(code)
		if m == nil {
			return
		}
		op := strings.TrimRight(code[m[0]:m[1]], "( ")
		id, when := rule.TorchscriptFileAccess, "when "+method+" is called"
		if method == "__setstate__" || method == "" {
			id, when = rule.TorchscriptFileAccessOnLoad, "on load"
		}
		p.Emit.Finding(modelscan.Finding{Rule: id, Path: p.Name, Offset: off + int64(m[0]), Subject: op,
			Message: fmt.Sprintf("would run %s %s", excerpt(line[m[0]:]), when)})
	})
	if why := shape.end(p.Size); why != "" && err == nil && !cut {
		p.Fail(p.Name, shape.at, fmt.Errorf("torchscript: %s: torch refuses to compile it", why))
	}
	return err
}

// scanPackageSource reads a Python module of a torch.package: it runs when a pickle of the package names it.
func scanPackageSource(ctx context.Context, p *modelscan.Pass) error {
	empty := true
	first := ""
	err := lines(ctx, p, func(off int64, line string) {
		code := strings.TrimSpace(line)
		if code == "" || code[0] == '#' {
			return
		}
		if empty {
			first = code
		}
		empty = false
		if found := codetext.Find(line); found != "" {
			p.Emit.Finding(modelscan.Finding{Rule: rule.PackageDangerousSource, Path: p.Name, Offset: off, Subject: found,
				Message: fmt.Sprintf("Python source in the archive would run %s", excerpt(found))})
		}
	})
	if !empty {
		p.Emit.Finding(modelscan.Finding{Rule: rule.PackageSource, Path: p.Name, Offset: 0, Subject: "python source",
			Message: fmt.Sprintf("the archive brings its own Python source, which its loader imports: %s", excerpt(first))})
	}
	return err
}

// lines calls f for every line and its offset, without its end.
func lines(ctx context.Context, p *modelscan.Pass, f func(off int64, line string)) error {
	r := bufio.NewReaderSize(io.NewSectionReader(p.R, 0, p.Size), maxLine)
	for off := int64(0); off < p.Size; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		line, err := r.ReadSlice('\n')
		if len(line) == 0 {
			return fmt.Errorf("source ends at %#x: %w", off, err)
		}
		f(off, strings.TrimRight(string(line), "\r\n"))
		off += int64(len(line))
	}
	return nil
}

// withoutStrings blanks what stands between quotes, so that offsets stay.
func withoutStrings(line string) string {
	b := []byte(line)
	var quote byte
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0:
		case c == '\\' && i+1 < len(b):
			b[i], b[i+1] = ' ', ' '
			i++
		case c == quote:
			quote = 0
		default:
			b[i] = ' '
		}
	}
	return string(b)
}

func excerpt(s string) string {
	const most = 120
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
