package provenance

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// maxMaterial bounds a key, a file of certificates or a trusted root.
const maxMaterial = 4 << 20

// ReadMaterial reads a file that the user named: a key, certificates, a trusted root.
func ReadMaterial(path string) ([]byte, error) { return readFile(path, maxMaterial) }

// bundleEndings are the names of signature files after the model's own name, likeliest first. The specification (§9)
// says .sig; Sigstore's tools write the others.
var bundleEndings = []string{".sigstore.json", ".sigstore", ".sig", ".oms.sig", ".bundle"}

// bundleNames are the names of the signature of a whole folder.
var bundleNames = []string{"model.sig", "model.oms.sig", "model.sigstore.json", "model.sigstore"}

// FindBundle is the signature that lies beside a file, or in or beside a folder; empty where there is none. It looks
// at names and at the first bytes alone.
func FindBundle(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	var candidates []string
	clean := filepath.Clean(path)
	if info.IsDir() {
		for _, name := range bundleNames {
			candidates = append(candidates, filepath.Join(path, name))
		}
		if found, err := filepath.Glob(filepath.Join(escapeGlob(path), "*.oms.sig")); err == nil && len(found) == 1 {
			candidates = append(candidates, found[0])
		}
	}
	for _, ending := range bundleEndings {
		candidates = append(candidates, clean+ending)
	}
	for _, c := range candidates {
		if looksLikeBundle(c) {
			return c
		}
	}
	return ""
}

// FindSignature is the signature that is about what lies at path: one beside it, else, of a file, that of a folder that
// it lies in, where it has the name within. Both are empty where there is none.
func FindSignature(path string) (bundle, within string) {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return FindBundle(path), ""
	}
	f := findFor(path, nil)
	return f.path, f.name
}

// Within is the name of a file in the folder of a bundle; empty where it is not in there.
func Within(bundle, path string) string {
	dir, err := filepath.Abs(filepath.Dir(bundle))
	if err != nil {
		return ""
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	rel, err := filepath.Rel(dir, full)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return filepath.ToSlash(rel)
}

// looksLikeBundle tells whether a file begins as the JSON of a bundle: a .sig may be anything else.
func looksLikeBundle(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxBundle {
		return false
	}
	data, err := ReadBundle(path)
	return err == nil && isBundle(data)
}

func isBundle(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) && bytes.Contains(data, []byte("vnd.dev.sigstore.bundle"))
}

// escapeGlob makes a path match itself alone.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
