package worker

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// stored is a zip with one member that is not compressed.
func stored(t *testing.T, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestListedSources: the listing shows the pickles that a loader would read, and no others.
func TestListedSources(t *testing.T) {
	// As a whole module's: behind the zip's own "P", taken for PERSID, its lines and what follows are opcodes.
	module := "\x80\x02ctorch.nn.modules.container\nSequential\nq\x00)\x81q\x01}q\x02(" + strings.Repeat("K\x01K\x02", 20) + "ub."
	data := "m.pt!archive/data.pkl"
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"zip":                 {stored(t, "archive/data.pkl", module), []string{data}},
		"pickle before a zip": {"\x80\x02}." + stored(t, "archive/data.pkl", module), []string{data, "m.pt"}},
		"pickle":              {module, []string{"m.pt"}},
		"protocol 0":          {"(dp0\nS'a'\np1\nI1\ns.", []string{"m.pt"}},
		"two values":          {"II1\n", nil},
		// A start that might be one, of a program that is none: the opcode 0xff does not exist.
		"no pickle": {"I1\nI2\nI3\nI4\nI5\n\xff" + strings.Repeat("x", 100), nil},
		// Only its beginning could be seen by Sniff, and nothing is wrong with that.
		"long text": {"N0N0N0N0V" + strings.Repeat("v", modelscan.ProbeSize) + "\n\xff", nil},
		"cut off":   {module[:60], []string{"m.pt"}},
	} {
		if got := listed(t, c.file); strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("%s: the listing is of %q, want %q", name, got, c.want)
		}
	}
}

// listed inspects a file and returns the sources that its listing is of.
func listed(t *testing.T, file string) []string {
	t.Helper()
	params, err := json.Marshal(InspectParams{Limits: modelscan.DefaultLimits(), MaxText: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	input := sandbox.Input{Name: "m.pt", Size: int64(len(file)), ReaderAt: strings.NewReader(file)}
	var out bytes.Buffer
	if err := inspect(sandbox.Job{Kind: KindInspect, Params: params, Files: []sandbox.Input{input}}, &out); err != nil {
		t.Fatal(err)
	}
	listing := out.Bytes()[4+binary.LittleEndian.Uint32(out.Bytes()):]
	var sources []string
	for line := range strings.Lines(string(listing)) {
		if strings.HasPrefix(line, "m.pt") {
			sources = append(sources, strings.TrimSuffix(line, "\n"))
		}
	}
	return sources
}
