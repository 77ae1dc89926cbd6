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

// FindSignature is the signature that is about what lies at path: that in or beside a folder; one beside a file, else
// that of a folder that it lies in, where it has the name within. Both are empty where there is none.
func FindSignature(path string) (bundle, within string) {
	info, err := os.Stat(path)
	if err != nil {
		return "", ""
	}
	if !info.IsDir() {
		f := findFor(path, nil)
		return f.path, f.name
	}
	var s search
	for _, name := range bundleNames {
		s.look(found{path: filepath.Join(path, name)}, looksLikeBundle)
	}
	if one, err := filepath.Glob(filepath.Join(escapeGlob(path), "*.oms.sig")); err == nil && len(one) == 1 {
		s.look(found{path: one[0]}, looksLikeBundle)
	}
	for _, ending := range bundleEndings {
		s.look(found{path: filepath.Clean(path) + ending}, looksLikeBundle)
	}
	return s.best().path, ""
}

// search is for the first signature of several places.
type search struct {
	// good can be read, by its first bytes. odd can't, and is one by its name: what is said of it then is why.
	good, odd found
}

// look looks at one place on this machine, unless a good signature is found already.
func (s *search) look(at found, readable func(path string, size int64) bool) {
	if s.good.path != "" {
		return
	}
	if info, err := os.Stat(at.path); err == nil && info.Mode().IsRegular() {
		s.add(at, readable(at.path, info.Size()))
	}
}

// add takes what lies at a place, where it is wanted.
func (s *search) add(at found, readable bool) {
	switch {
	case s.good.path != "":
	case readable:
		s.good = at
	case s.odd.path == "" && isNamedSignature(at.path):
		s.odd = at
	}
}

func (s *search) best() found {
	if s.good.path != "" {
		return s.good
	}
	return s.odd
}

// isNamedSignature tells whether nothing but a signature has such a name. Other things are called bundles too.
func isNamedSignature(path string) bool { return !strings.HasSuffix(path, ".bundle") }

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

// looksLikeBundle tells whether a file is the JSON of a bundle by its beginning: a .sig may be anything else.
func looksLikeBundle(path string, size int64) bool {
	if size > maxBundle {
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
