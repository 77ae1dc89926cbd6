// Package describe answers what st.load asks: one open descriptor in; report and object graph out. Two
// programs do: secure-torch, and the small one in the Python package that does nothing else.
package describe

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/modelscan/index"
)

// Modes of the description, by the names that the commands take.
func Modes() map[string]engine.IndexMode {
	return map[string]engine.IndexMode{"loadable": engine.IndexIfLoadable, "always": engine.IndexAlways, "never": engine.IndexNever}
}

// Descriptor takes a file that the calling process opened. The first three descriptors are not files to read.
func Descriptor(fd int, name string) (*artifact.File, error) {
	if fd < 3 {
		return nil, fmt.Errorf("--fd %d is no descriptor of a file", fd)
	}
	return artifact.FromDescriptor(os.NewFile(uintptr(fd), name), name)
}

// magic begins the output; the encoding's version and the sections follow.
const magic = "STIX"

// Write writes the header, the tool's version, the report as `scan --format json` has it, what the
// worker said of the objects, and an end mark: output without it was cut off.
func Write(w io.Writer, version string, a *engine.Artifact, graph []byte) error {
	head := binary.LittleEndian.AppendUint32([]byte(magic), index.Version)
	if _, err := w.Write(head); err != nil {
		return err
	}
	tool, err := json.Marshal(map[string]string{"version": version})
	if err != nil {
		return err
	}
	text, err := report.Artifact(report.Result{Artifact: a})
	if err != nil {
		return err
	}
	for _, s := range []struct {
		tag  string
		body []byte
	}{{"TOOL", tool}, {"REPT", text}} {
		if err := index.WriteSection(w, s.tag, s.body); err != nil {
			return err
		}
	}
	if _, err := w.Write(graph); err != nil {
		return err
	}
	return index.WriteSection(w, "DONE", nil)
}
