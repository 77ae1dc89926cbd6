package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// sbom writes what is in a built program: what the Go linker noted in it, and the C libraries of a static one.
// It holds no date and no random number, so that the same program has the same one.
func sbom(program, version string, out io.Writer) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	root := cdx.Component{
		BOMRef: "secure-torch", Type: cdx.ComponentTypeApplication, Name: "secure-torch", Version: version,
		Licenses: licences("Apache-2.0"),
		Hashes:   &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Properties: &[]cdx.Property{
			{Name: "go:os", Value: set["GOOS"]}, {Name: "go:arch", Value: set["GOARCH"]}, {Name: "go:version", Value: info.GoVersion}, {Name: "go:cgo", Value: set["CGO_ENABLED"]},
		},
	}
	parts := []cdx.Component{{
		BOMRef: "go", Type: cdx.ComponentTypeLibrary, Name: "std", Version: info.GoVersion, PackageURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"), Licenses: licences("BSD-3-Clause"),
	}}
	if set["CGO_ENABLED"] == "1" && set["GOOS"] == "linux" {
		parts = append(parts, debian("libseccomp", "libseccomp-dev", "LGPL-2.1-only"), debian("glibc", "libc6-dev", "LGPL-2.1-or-later"))
	}
	for _, m := range info.Deps {
		c := component{Name: m.Path, Version: m.Version, Licences: []string{"Apache-2.0"}}
		if m.Replace == nil {
			dir, err := moduleDir(m.Path)
			if err != nil {
				return err
			}
			c.Licences = nil
			if err := c.read(dir); err != nil {
				return err
			}
		}
		part := cdx.Component{BOMRef: m.Path, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: "pkg:golang/" + m.Path + "@" + m.Version, Licenses: licences(c.Licences...)}
		if m.Replace != nil { // by a folder of ours, of the same name
			part.Version, part.PackageURL = version, ""
			part.Description = "replaced by " + filepath.ToSlash(m.Replace.Path) + " of this repository"
		}
		parts = append(parts, part)
	}
	refs := make([]string, len(parts))
	for i, p := range parts {
		refs[i] = p.BOMRef
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &root}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: "secure-torch", Dependencies: &refs}}
	return cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cdx.SpecVersion1_6)
}

func licences(ids ...string) *cdx.Licenses {
	var all cdx.Licenses
	for _, id := range ids {
		all = append(all, cdx.LicenseChoice{License: &cdx.License{ID: id}})
	}
	return &all
}

// debian is a library of the system's that was linked in, in the version that is installed.
func debian(source, binary, licence string) cdx.Component {
	c := cdx.Component{BOMRef: source, Type: cdx.ComponentTypeLibrary, Name: source, Licenses: licences(licence)}
	if out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", binary).Output(); err == nil {
		c.Version = string(out)
		c.PackageURL = fmt.Sprintf("pkg:deb/debian/%s@%s", source, c.Version)
	}
	return c
}

// moduleDir is where a module of the program's lies on this machine.
func moduleDir(path string) (string, error) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go list -m %s: %w", path, err)
	}
	return strings.TrimSpace(string(out)), nil
}
