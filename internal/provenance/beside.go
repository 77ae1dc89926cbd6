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
	full, err := known.absolute(path)
	if err != nil {
		return found{}
	}
	f := findBeside(path, full, known)
	if f.path != "" || len(artifact.BlobsFor(full)) > 0 {
		return f
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		return f
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return f
	}
	if full, err = known.absolute(real); err != nil {
		return f
	}
	return findBeside(real, full, known)
}

// findBeside looks beside the file, and in the folders above; full is its path from the root on.
func findBeside(path, full string, known *folders) found {
	dir := filepath.Dir(full)
	there := known.in(dir)
	var s search
	for _, ending := range bundleEndings {
		if !there.empty() && there.may(filepath.Base(full)+ending) {
			s.look(found{path: path + ending}, looksLikeSignature)
		}
	}
	for range upwards {
		if !there.empty() && !s.inFolder(dir, full, there) {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir || filepath.Base(parent) == "snapshots" {
			break
		}
		dir, there = parent, known.in(parent)
	}
	return s.best()
}

// inFolder looks for the signature of a folder that the file lies in; false where it does not lie in there.
func (s *search) inFolder(dir, full string, there nameset) bool {
	rel, err := filepath.Rel(dir, full)
	if err != nil {
		return false
	}
	for _, name := range bundleNames {
		if c := filepath.Join(dir, name); c != full && there.may(name) {
			s.look(found{path: c, name: filepath.ToSlash(rel)}, looksLikeBundle)
		}
	}
	return true
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

// cardName is a model card.
const cardName = "README.md"

// findSBOM is the document that lies beside a file; empty where there is none. A model card is one only where
// somebody decides by it: every repository has one.
func findSBOM(path string, cards bool, known *folders) string {
	full, err := known.absolute(path)
	if err != nil {
		return ""
	}
	there := known.in(filepath.Dir(full)) // by the name that findFor knows the folder by
	if there.empty() {
		return ""
	}
	for _, c := range sbomCandidates(path, filepath.Ext(path), filepath.Dir(path), filepath.Join, cards) {
		if !there.may(filepath.Base(c)) {
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
