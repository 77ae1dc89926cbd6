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
