package zip_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/modeltest"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/torch"
	"github.com/secure-torch/secure-torch/modelscan/zip"
)

// oracleSource prints, for every file named on its input, in hexadecimal what torch and zipfile read under a name
// that ends in data.pkl, "-" when they refuse.
const oracleSource = `
import sys, zipfile
try:
    import torch
except ImportError:
    torch = None
def text(b): return b.hex() or '-'
def by_torch(path):
    if torch is None: return '-'
    if open(path, 'rb').read(4) != b'PK\x03\x04': return '-'
    return text(torch._C.PyTorchFileReader(path).get_record('data.pkl'))
def by_zipfile(path):
    with zipfile.ZipFile(path) as z:
        found = []
        for name in z.namelist():
            if name.lower().endswith('data.pkl'):
                try: found.append(text(z.read(name)))
                except Exception: pass
        return ','.join(found) or '-'
for line in sys.stdin:
    out = []
    for read in (by_torch, by_zipfile):
        try: out.append(read(line.strip()))
        except BaseException: out.append('-')
    print(*out, flush=True)
`

// TestLoadersReadNothingElse changes archives at random and asks torch and zipfile what they read as data.pkl:
// whatever it is, it was given to the scan. SECURE_TORCH_SOAK is the number of seconds to go on for.
func TestLoadersReadNothingElse(t *testing.T) {
	const python = "/usr/bin/python3"
	if _, err := os.Stat(python); err != nil {
		modeltest.Absent(t, "no Python to compare with")
	}
	seeds := seedArchives(t)
	oracle := start(t, python)
	rounds, until := 400, time.Time{}
	if s, err := strconv.Atoi(os.Getenv("SECURE_TORCH_SOAK")); err == nil {
		rounds, until = 1<<30, time.Now().Add(time.Duration(s)*time.Second)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "m.pt")
	read := map[string]int{}
	n := 0
	for ; n < rounds && (until.IsZero() || time.Now().Before(until)); n++ {
		b := mutate(rnd, seeds)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		seen := offered(t, b)
		byTorch, byZipfile, ok := oracle.ask(path)
		if !ok { // the loader crashed on the file
			oracle = start(t, python)
			continue
		}
		for loader, text := range map[string]string{"torch": byTorch, "zipfile": byZipfile} {
			for content := range strings.SplitSeq(text, ",") {
				if content == "-" || loader == "torch" && seen.garbage {
					continue
				}
				read[loader]++
				if !seen.has(t, content) {
					kept := filepath.Join(os.TempDir(), "secure-torch-differential.pt")
					_ = os.WriteFile(kept, b, 0o600)
					t.Fatalf("round %d: %s reads a data.pkl that was not scanned; the file is in %s", n, loader, kept)
				}
			}
		}
	}
	t.Logf("%d archives; read by %v", n, read)
	if read["zipfile"] == 0 {
		t.Error("zipfile read none of the archives: the test proves nothing")
	}
}

// seedArchives are the recipes' archives that are small, with several members that could be data.pkl.
func seedArchives(t *testing.T) [][]byte {
	t.Helper()
	paths, err := modeltest.Recipes("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var seeds [][]byte
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := modeltest.Parse(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Files {
			if len(f.Data) < 8<<10 && bytes.Contains(f.Data, []byte("ata.pkl")) {
				seeds = append(seeds, f.Data)
			}
		}
	}
	return seeds
}

// mutate changes bytes of the records, joins archives, cuts and pads.
func mutate(rnd *rand.Rand, seeds [][]byte) []byte {
	b := bytes.Clone(seeds[rnd.IntN(len(seeds))])
	if rnd.IntN(6) == 0 {
		b = append(b, seeds[rnd.IntN(len(seeds))]...)
	}
	var records []int
	for _, sig := range []string{"PK\x01\x02", "PK\x03\x04", "PK\x05\x06", "PK\x06\x06", "PK\x06\x07"} {
		for at := 0; ; at += 4 {
			i := bytes.Index(b[at:], []byte(sig))
			if i < 0 {
				break
			}
			at += i
			records = append(records, at)
		}
	}
	for range 1 + rnd.IntN(3) {
		if len(records) == 0 {
			break
		}
		at := records[rnd.IntN(len(records))] + 4 + rnd.IntN(44)
		if at >= len(b) {
			continue
		}
		switch rnd.IntN(4) {
		case 0:
			b[at] = byte(rnd.IntN(256))
		case 1:
			b[at] ^= 1 << rnd.IntN(8)
		case 2:
			b[at] = []byte{0, 1, 8, 0x10, 0x7f, 0xff}[rnd.IntN(6)]
		case 3:
			from := records[rnd.IntN(len(records))]
			copy(b[at:], b[from:min(from+1+rnd.IntN(46), len(b))])
		}
	}
	switch rnd.IntN(12) {
	case 0:
		b = append(make([]byte, rnd.IntN(40)), b...)
	case 1:
		b = append(b, make([]byte, rnd.IntN(40))...)
	case 2:
		b = slices.Delete(b, 0, rnd.IntN(min(40, len(b))))
	}
	return b
}

// contents are what the scan offered to the formats.
type contents struct {
	all [][]byte
	// garbage: torch hands out uninitialised memory for a member that is marked as a folder or can't be extracted.
	// The scan says so in a finding or a gap.
	garbage bool
}

// has tells whether the bytes, in hexadecimal, were offered, at least at the start of something longer.
func (c contents) has(t *testing.T, text string) bool {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(c.all, func(o []byte) bool { return bytes.HasPrefix(o, b) })
}

func offered(t *testing.T, b []byte) contents {
	t.Helper()
	var c contents
	recorder := &modelscan.Format{
		Name:  "recorder",
		Sniff: func(modelscan.Probe) modelscan.Confidence { return modelscan.Maybe },
		Scan: func(_ context.Context, p *modelscan.Pass) error {
			content, err := p.Bytes(0, p.Size, 1<<20)
			c.all = append(c.all, content)
			return err
		},
	}
	r := modeltest.Scan(t, modeltest.File{Name: "m.pt", Data: b}, []*modelscan.Format{zip.New(nil, torch.Zip), recorder})
	for _, f := range r.Findings {
		c.garbage = c.garbage || strings.HasPrefix(f.Message, "folder:")
	}
	for _, g := range r.Gaps {
		c.garbage = c.garbage || strings.HasPrefix(g.Reason, "zip: ") && strings.HasSuffix(strings.ToLower(g.Path), "data.pkl")
	}
	return c
}

// loaders is a running oracle.
type loaders struct {
	in  io.Writer
	out *bufio.Scanner
}

func start(t *testing.T, python string) loaders {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, "-c", oracleSource)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return loaders{in, lines}
}

// ask is not ok when the oracle died.
func (l loaders) ask(path string) (byTorch, byZipfile string, ok bool) {
	if _, err := fmt.Fprintln(l.in, path); err != nil || !l.out.Scan() {
		return "", "", false
	}
	return strings.Cut(l.out.Text(), " ")
}
