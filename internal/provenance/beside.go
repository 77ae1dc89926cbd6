package provenance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact"
)

// found is a signature that may be about a file.
type found struct {
	path string
	// name is the file's name in the signed folder; empty for a signature of the file alone.
	name string
}

// upwards is how many folders above a file a folder's signature is looked for.
const upwards = 4

// findFor is the signature of a file: its own, or that of the folder it lies in; of a link, else the one where it leads
// to, unless that is a hub's cache, where signatures are links too.
func findFor(path string, known *folders) found {
	f := findBeside(path, known)
	full, err := filepath.Abs(path)
	if f.path != "" || err != nil || len(artifact.BlobsFor(full)) > 0 {
		return f
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		return f
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return f
	}
	return findBeside(real, known)
}

func findBeside(path string, known *folders) found {
	full, err := filepath.Abs(path)
	if err != nil {
		return found{}
	}
	dir := filepath.Dir(full)
	there := known.in(dir)
	var s search
	for _, ending := range bundleEndings {
		if there(filepath.Base(full) + ending) {
			s.look(found{path: path + ending}, looksLikeSignature)
		}
	}
	for range upwards {
		rel, err := filepath.Rel(dir, full)
		if err != nil {
			break
		}
		for _, name := range bundleNames {
			if c := filepath.Join(dir, name); c != full && there(name) {
				s.look(found{path: c, name: filepath.ToSlash(rel)}, looksLikeBundle)
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir || filepath.Base(parent) == "snapshots" {
			break
		}
		dir, there = parent, known.in(parent)
	}
	return s.best()
}

// looksLikeSignature tells whether a file is a signature of one file: a bundle, or a bare one.
func looksLikeSignature(path string, size int64) bool {
	return size > 0 && size <= maxRaw && strings.HasSuffix(path, ".sig") || looksLikeBundle(path, size)
}

// sbomEndings and sbomNames are those of bills of materials, likeliest first.
var (
	sbomEndings = []string{".spdx.json", ".cdx.json", ".sbom.json", ".bom.json"}
	sbomNames   = []string{"sbom.spdx.json", "sbom.cdx.json", "bom.json", "sbom.json", "bom.cdx.json", "model.spdx.json", "model.cdx.json", "aibom.json", "spdx.json"}
)

// findSBOM is the document that lies beside a file; empty where there is none. A model card is one only where
// somebody decides by it: every repository has one.
func findSBOM(path string, cards bool, known *folders) string {
	full, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	there := known.in(filepath.Dir(full)) // by the name that findFor knows the folder by
	for _, c := range sbomCandidates(path, filepath.Ext(path), filepath.Dir(path), filepath.Join, cards) {
		if !there(filepath.Base(c)) {
			continue
		}
		if info, err := os.Stat(c); err == nil && info.Mode().IsRegular() && c != path {
			return c
		}
	}
	return ""
}

// isEvidence tells whether a file is a signature or an SBOM by its name: nobody signs those again.
func isEvidence(path string) bool {
	name := filepath.Base(path)
	return slices.ContainsFunc(bundleEndings, func(e string) bool { return strings.HasSuffix(name, e) }) ||
		slices.Contains(bundleNames, name) || slices.Contains(sbomNames, name) ||
		slices.ContainsFunc(sbomEndings, func(e string) bool { return strings.HasSuffix(name, e) })
}
