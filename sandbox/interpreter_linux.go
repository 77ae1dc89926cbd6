package sandbox

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// interpreter is a Python installation, as it describes itself.
type interpreter struct {
	Command    string   `json:"command"`    // sys.executable: in a virtual environment a link, by which it knows its place
	Executable string   `json:"executable"` // what is executed
	Path       []string `json:"path"`       // sys.path
	Prefixes   []string `json:"prefixes"`   // sys.prefix and sys.base_prefix
	loader     string   // the dynamic loader, which is executed too; empty for a static program
}

// describe is run by the interpreter as it is installed: nothing hostile is near it.
const describe = `import json, os, sys
print(json.dumps({"command": sys.executable, "executable": os.path.realpath(sys.executable), "path": sys.path, "prefixes": [sys.prefix, sys.base_prefix]}))`

// interpreterPatience bounds the start of an interpreter that does nothing.
const interpreterPatience = 20 * time.Second

// findInterpreter asks a Python where it lies. name may be a script that finds one for the user's
// environment, as version managers install them; what is confined is the interpreter itself.
func findInterpreter(ctx context.Context, name string) (py interpreter, err error) {
	command, err := exec.LookPath(name)
	if err != nil {
		return py, refused("no interpreter: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, interpreterPatience)
	defer cancel()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, command, "-I", "-B", "-c", describe)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return py, refused("%s is no Python that can be asked where it lies: %w: %s", name, err, lastLine(said.String()))
	}
	if err := json.Unmarshal(out.Bytes(), &py); err != nil || !filepath.IsAbs(py.Command) {
		return py, refused("%s is no Python that can be asked where it lies, but answers %q", name, lastLine(out.String()))
	}
	py.loader, err = dynamicLoader(py.Executable)
	return py, err
}

// dynamicLoader names the program that the kernel starts in a program's place (ELF, PT_INTERP).
func dynamicLoader(path string) (string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return "", refused("the interpreter %s: %w", path, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP && p.Filesz < 4096 {
			name, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
			return strings.TrimRight(string(name), "\x00"), err
		}
	}
	return "", nil
}

// programEnv is the interpreter's whole environment: no token, no home, no threads of numeric libraries.
var programEnv = []string{
	"HOME=/nonexistent", "TMPDIR=/nonexistent", "PATH=/nonexistent", "LC_ALL=C.UTF-8",
	"OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1", "NUMEXPR_NUM_THREADS=1", "CUDA_VISIBLE_DEVICES=",
}

// Where programs and libraries lie that belong to the system, and what they read of the machine.
var (
	systemFolders = []string{"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/sys/devices/system/cpu", "/sys/devices/system/node"}
	systemFiles   = []string{"/etc/ld.so.cache", "/dev/null", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo", "/proc/filesystems"}
)

// readable lists what the interpreter may read while it imports.
func (py interpreter) readable() []string {
	paths := slices.Concat(systemFolders, systemFiles, py.Path)
	for _, prefix := range py.Prefixes {
		paths = append(paths, filepath.Join(prefix, "lib"), filepath.Join(prefix, "lib64"), filepath.Join(prefix, "pyvenv.cfg"))
	}
	paths = append(paths, py.Executable, filepath.Join(filepath.Dir(py.Executable), "..", "lib"))
	slices.Sort(paths)
	return slices.DeleteFunc(slices.Compact(paths), func(p string) bool {
		_, err := os.Stat(p)
		return err != nil || !filepath.IsAbs(p)
	})
}

// lastLine is the end of what a program wrote: an exception's name and text.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	text = text[strings.LastIndexByte(text, '\n')+1:]
	return text[:min(len(text), 300)]
}
