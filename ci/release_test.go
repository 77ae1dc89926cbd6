package ci

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is released is looked at where a variable names its folder: `make test-release` and `make test-packages` do.
func folder(t *testing.T, variable string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skip(variable + " is not set: `make test-release` and `make test-packages` run this")
	}
	return dir
}

// most is what an archive, a wheel or an extension may have in bytes.
const most = 25_000_000

// A member is a file of an archive.
type member struct {
	mode fs.FileMode
	data []byte
}

// unpack reads a zip or a tar.gz.
func unpack(t *testing.T, file string) map[string]member {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > most {
		t.Errorf("%s has %d bytes, more than %d", filepath.Base(file), info.Size(), most)
	}
	t.Logf("%-60s %d bytes", filepath.Base(file), info.Size())
	members := map[string]member{}
	if strings.HasSuffix(file, ".tar.gz") {
		err = untar(file, members)
	} else {
		err = unzip(file, members)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return members
}

func unzip(file string, into map[string]member) error {
	r, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, f := range r.File {
		data, err := fs.ReadFile(r, f.Name)
		if err != nil {
			return err
		}
		into[f.Name] = member{f.Mode(), data}
	}
	return nil
}

func untar(file string, into map[string]member) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for r := tar.NewReader(unpacked); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			return fmt.Errorf("%s belongs to %d:%d %q", h.Name, h.Uid, h.Gid, h.Uname)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeReg {
			into[h.Name] = member{h.FileInfo().Mode(), data}
		}
	}
}

// isProgram: an executable of this system and machine, that needs no library (on Linux) and names no folder of the
// machine on which it was built.
func isProgram(t *testing.T, name string, m member, system, machine string) {
	t.Helper()
	if m.mode.Perm() != 0o755 {
		t.Errorf("%s: mode %v, want 0755", name, m.mode)
	}
	info, err := buildinfo.Read(bytes.NewReader(m.data))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, s := range info.Settings {
		if s.Key == "GOOS" && s.Value != system || s.Key == "GOARCH" && s.Value != machine {
			t.Errorf("%s: %s is %s, want %s/%s", name, s.Key, s.Value, system, machine)
		}
	}
	here, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{here, strings.TrimSpace(command(t, "..", "go", "env", "GOMODCACHE"))} {
		if bytes.Contains(m.data, []byte(dir)) {
			t.Errorf("%s names %s", name, dir)
		}
	}
	// The methods that a template calls by name: with them the linker keeps every exported method there is, 7 MB.
	if bytes.Contains(m.data, []byte("text/template.(*state).evalField")) {
		t.Errorf("%s: a template can be executed in it", name)
	}
	if got := header(t, m.data, system); got != machine {
		t.Errorf("%s: a program for %s, want %s", name, got, machine)
	}
}

// header says for which machine a system's loader takes an executable.
func header(t *testing.T, data []byte, system string) string {
	t.Helper()
	r := bytes.NewReader(data)
	switch system {
	case "darwin":
		f, err := macho.NewFile(r)
		if err != nil {
			t.Fatal(err)
		}
		return map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}[f.Cpu]
	case "windows":
		f, err := pe.NewFile(r)
		if err != nil {
			t.Fatal(err)
		}
		return map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64"}[f.Machine]
	}
	f, err := elf.NewFile(r)
	if err != nil {
		t.Fatal(err)
	}
	if needed, _ := f.ImportedLibraries(); len(needed) > 0 || slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Errorf("not static: it needs %v", needed)
	}
	return map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[f.Machine]
}

// TestRelease: five archives that hold what they should, each with its bill of materials, and checksums over all of it.
func TestRelease(t *testing.T) {
	dir := folder(t, "RELEASE_DIR")
	sums := checksums(t, dir)
	for _, target := range []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64"} {
		system, machine, _ := strings.Cut(target, "_")
		archive, program := ".tar.gz", "secure-torch"
		if system == "windows" {
			archive, program = ".zip", "secure-torch.exe"
		}
		files, err := filepath.Glob(filepath.Join(dir, "secure-torch_*_"+target+archive))
		if err != nil || len(files) != 1 {
			t.Errorf("%s: %v, %v", target, files, err)
			continue
		}
		name := strings.TrimSuffix(filepath.Base(files[0]), archive)
		members := unpack(t, files[0])
		if len(members) != 5 {
			t.Errorf("%s has %d files", name, len(members))
		}
		for _, text := range []string{"LICENSE", "NOTICE", "README.md", "CHANGELOG.md"} {
			if m := members[name+"/"+text]; m.mode.Perm() != 0o644 || len(m.data) == 0 {
				t.Errorf("%s: %s: mode %v, %d bytes", name, text, m.mode, len(m.data))
			}
		}
		isProgram(t, name, members[name+"/"+program], system, machine)
		isBill(t, filepath.Join(dir, name+".cdx.json"), members[name+"/"+program].data)
		for _, file := range []string{name + archive, name + ".cdx.json"} {
			if sums[file] == "" {
				t.Errorf("checksums.txt lacks %s", file)
			}
		}
	}
}

// checksums reads checksums.txt, and compares it with the files.
func checksums(t *testing.T, dir string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s is not what checksums.txt says", name)
		}
		sums[name] = sum
	}
	return sums
}

// isBill: the bill of materials is of this program, and names what it is made of.
func isBill(t *testing.T, file string, program []byte) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		Metadata struct {
			Component struct{ Hashes []struct{ Content string } }
		}
		Components []struct {
			Name, Version string
			Licenses      []any
		}
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(program)
	if h := bill.Metadata.Component.Hashes; len(h) != 1 || h[0].Content != hex.EncodeToString(sum[:]) {
		t.Errorf("%s is of another program", filepath.Base(file))
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range info.Deps {
		if !slices.ContainsFunc(bill.Components, func(c struct {
			Name, Version string
			Licenses      []any
		}) bool {
			return c.Name == dep.Path && len(c.Licenses) > 0
		}) {
			t.Errorf("%s lacks %s, or its licence", filepath.Base(file), dep.Path)
		}
	}
}

// TestWheels: a wheel for each system, whose records are true, and the sources without tests' files.
func TestWheels(t *testing.T) {
	dir := folder(t, "WHEELS_DIR")
	for tag, target := range map[string][2]string{
		"manylinux_2_17_x86_64": {"linux", "amd64"}, "manylinux_2_17_aarch64": {"linux", "arm64"},
		"macosx_12_0_x86_64": {"darwin", "amd64"}, "macosx_12_0_arm64": {"darwin", "arm64"}, "win_amd64": {"windows", "amd64"},
	} {
		files, err := filepath.Glob(filepath.Join(dir, "secure_torch-*-py3-none-"+tag+".whl"))
		if err != nil || len(files) != 1 {
			t.Errorf("%s: %v, %v", tag, files, err)
			continue
		}
		members := unpack(t, files[0])
		version := strings.Split(filepath.Base(files[0]), "-")[1]
		suffix := ""
		if target[0] == "windows" {
			suffix = ".exe"
		}
		isProgram(t, tag, members["secure_torch-"+version+".data/scripts/secure-torch"+suffix], target[0], target[1])
		isProgram(t, tag+" index", members["secure_torch/bin/secure-torch-index"+suffix], target[0], target[1])
		recorded(t, tag, members, members["secure_torch-"+version+".dist-info/RECORD"].data)
	}
	files, err := filepath.Glob(filepath.Join(dir, "secure_torch-*.tar.gz"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	for name := range unpack(t, files[0]) {
		if strings.Contains(name, "/testdata/") || strings.HasSuffix(name, "_test.go") {
			t.Errorf("the source distribution has %s", name)
		}
	}
}

// recorded: RECORD has the digest of every file of a wheel.
func recorded(t *testing.T, wheel string, members map[string]member, record []byte) {
	t.Helper()
	lines := strings.Fields(string(record))
	if len(lines) != len(members) {
		t.Errorf("%s: %d lines in RECORD, %d files", wheel, len(lines), len(members))
	}
	for _, line := range lines {
		fields := strings.Split(line, ",")
		sum := sha256.Sum256(members[fields[0]].data)
		if want := "sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]); path.Base(fields[0]) != "RECORD" && fields[1] != want {
			t.Errorf("%s: %s is not as recorded", wheel, fields[0])
		}
	}
}

// TestExtensions: a .vsix for each system, with its program.
func TestExtensions(t *testing.T) {
	dir := folder(t, "VSIX_DIR")
	for target, want := range map[string][2]string{
		"linux-x64": {"linux", "amd64"}, "linux-arm64": {"linux", "arm64"}, "darwin-x64": {"darwin", "amd64"},
		"darwin-arm64": {"darwin", "arm64"}, "win32-x64": {"windows", "amd64"}, "win32-arm64": {"windows", "arm64"},
	} {
		files, err := filepath.Glob(filepath.Join(dir, "secure-torch-"+target+"-*.vsix"))
		if err != nil || len(files) != 1 {
			t.Errorf("%s: %v, %v", target, files, err)
			continue
		}
		members := unpack(t, files[0])
		program := "extension/server/secure-torch"
		if want[0] == "windows" {
			program += ".exe"
		}
		isProgram(t, target, members[program], want[0], want[1])
		if manifest := string(members["extension.vsixmanifest"].data); !strings.Contains(manifest, `TargetPlatform="`+target+`"`) {
			t.Errorf("%s: the manifest is of another platform", target)
		}
		for _, name := range []string{"extension/package.json", "extension/LICENSE.txt", "extension/NOTICE", "extension/dist/extension.js"} {
			if len(members[name].data) == 0 {
				t.Errorf("%s lacks %s", target, name)
			}
		}
	}
}
