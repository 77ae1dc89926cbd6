// Package torch knows what torch.load, torch.jit.load and torch.package make of a file: the zip that torch.save
// has written since 1.6, the stream of pickles it wrote before, and the tar of the time before that.
package torch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
	"github.com/secure-torch/secure-torch/modelscan/zip"
)

// Zip is torch's use of a zip archive (caffe2/serialize/inline_container.cc, torch/serialization.py).
var Zip = &zip.Profile{Name: "torch", Open: open}

// Formats in which torch reads members, whatever they look like.
var (
	stateDict     = pickled(pickle.Torch)
	scripted      = pickled(pickle.TorchScript)
	scriptCode    = &modelscan.Format{Name: "torchscript", Scan: scanScript}
	packageSource = &modelscan.Format{Name: "python-source", Scan: scanPackageSource}
)

// pickled is the pickle format in one of torch's dialects.
func pickled(d pickle.Dialect) *modelscan.Format {
	return &modelscan.Format{Name: pickle.Format.Name, Scan: func(ctx context.Context, p *modelscan.Pass) error {
		_, err := pickle.Scan(ctx, p, pickle.Options{Dialect: d})
		return err
	}}
}

// archive is what torch asks about a zip.
type archive struct {
	*zip.Archive
	script   bool // has constants.pkl: torch.load hands it to torch.jit.load
	pack     bool // torch.package
	version  bool
	packed   int             // compressed members that torch stores
	topNames map[string]bool // the first few
	records  map[string]bool // the names below a top folder of what torch reads as numbers
	missing  []string        // keys of storages that a pickle names and no record holds
}

// saved tells whether the archive is one that torch.save wrote, or was made to look like one: others have a data.pkl too.
func (a *archive) saved() bool { return a.version && !a.script && !a.pack || len(a.records) > 0 }

// stateDict reads data.pkl, and remembers which storages it misses.
func (a *archive) stateDict() *modelscan.Format {
	return &modelscan.Format{Name: pickle.Format.Name, Scan: func(ctx context.Context, p *modelscan.Pass) error {
		res, err := pickle.Scan(ctx, p, pickle.Options{Dialect: pickle.Torch})
		for _, key := range slices.Sorted(maps.Keys(res.Storages)) {
			if err == nil && !a.records["data/"+strings.ToLower(key)] {
				a.missing = append(a.missing, key)
			}
		}
		return err
	}}
}

// inTop returns the name below the archive's top folder, in lower case: miniz ignores case. torch takes the
// folder of the first member for the top; here any folder will do, since other members may come first for
// other readers.
func inTop(name string) (top, rest string, ok bool) {
	name, _, _ = strings.Cut(name, "\x00")
	return strings.Cut(strings.ToLower(name), "/")
}

func open(z *zip.Archive) *zip.Use {
	a := &archive{Archive: z, topNames: map[string]bool{}, records: map[string]bool{}}
	known := false
	for _, e := range z.Entries {
		_, rest, ok := inTop(e.Name)
		if len(a.topNames) < 16 { // here torch does heed case
			top, _, _ := strings.Cut(e.Name, "/")
			a.topNames[top] = true
		}
		if !ok {
			continue
		}
		if folder, _, _ := strings.Cut(rest, "/"); folder == "data" {
			a.records[rest] = true
		}
		if e.Method != 0 && (rest == "data.pkl" || storage(rest)) {
			a.packed++
		}
		switch rest {
		case "data.pkl":
			known = true
		case "constants.pkl":
			known, a.script = true, true
		case ".data/version", ".data/extern_modules":
			known, a.pack, a.version = true, true, true
		case "version":
			a.version = true
		}
	}
	if !known {
		return nil
	}
	return &zip.Use{Raw: raw, As: a.as, Scan: a.scan}
}

// storage is where torch keeps the bytes of tensors: data/12, constants/3, .data/5.storage.
func storage(name string) bool {
	folder, number, _ := strings.Cut(name, "/")
	switch folder {
	case "data", "constants", "tensors":
	case ".data":
		var ok bool
		if number, ok = strings.CutSuffix(number, ".storage"); !ok {
			return false
		}
	default:
		return false
	}
	return number != "" && strings.Trim(number, "0123456789") == ""
}

func raw(e *zip.Entry) bool {
	_, rest, ok := inTop(e.Name)
	return ok && storage(rest)
}

func (a *archive) as(e *zip.Entry) *modelscan.Format {
	_, rest, ok := inTop(e.Name)
	if !ok {
		return nil
	}
	switch {
	case rest == "data.pkl" && !a.script && !a.pack:
		return a.stateDict()
	case rest == "data.pkl" && !a.script:
		return stateDict
	case rest == "data.pkl", rest == "constants.pkl", strings.HasSuffix(rest, ".debug_pkl"):
		return scripted
	case a.pack && strings.HasSuffix(rest, ".pkl"):
		return stateDict
	case a.pack && strings.HasSuffix(rest, ".py"):
		return packageSource
	case a.script && strings.HasPrefix(rest, "code/") && strings.HasSuffix(rest, ".py"):
		return scriptCode
	}
	return nil
}

// scan compares the archive with what torch.save writes. Deviations do no harm by themselves. What torch refuses is
// a gap all the same: the file is not the model that it seems to be.
func (a *archive) scan(_ context.Context, p *modelscan.Pass) error {
	if n := len(a.topNames); n > 1 && a.saved() {
		p.Fail(p.Name, -1, fmt.Errorf("members in %d top folders: torch refuses the archive", n))
	}
	if len(a.missing) > 0 {
		p.Fail(p.Name, -1, fmt.Errorf("%d storages that data.pkl names are not in the archive, the first is %q: torch refuses it", len(a.missing), a.missing[0]))
	}
	var odd []string
	if !a.Torch() {
		odd = append(odd, "does not begin with a member: torch.load takes it for a pickle")
	}
	if n := len(a.topNames); n > 1 {
		odd = append(odd, fmt.Sprintf("has %d top folders: torch refuses", n))
	}
	if a.packed > 0 {
		odd = append(odd, fmt.Sprintf("has %d compressed members", a.packed))
	}
	if !a.version {
		odd = append(odd, "has no record \"version\": torch refuses")
	}
	if len(odd) > 0 {
		p.Emit.Finding(modelscan.Finding{Rule: rule.TorchUnusual, Path: p.Name, Offset: -1, Subject: "archive",
			Message: "not as torch.save writes it: " + strings.Join(odd, "; ")})
	}
	return nil
}
