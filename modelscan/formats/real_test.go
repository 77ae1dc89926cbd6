package formats_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/secure-torch/secure-torch/internal/modeltest"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/formats"
)

// writers makes one file of each kind that torch and numpy write.
const writers = `
import bz2, collections, gzip, lzma, os, pickle, sys, tarfile, warnings, zipfile, zlib
import numpy, torch
warnings.simplefilter('ignore')
os.chdir(sys.argv[1])
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
adam = torch.optim.AdamW(net.parameters())
net(torch.zeros(3, 4)).sum().backward(); adam.step()
checkpoint = {'model': net.state_dict(), 'optimizer': adam.state_dict(), 'epoch': 3, 'best': 0.5, 'name': 'm'}
torch.save(net.state_dict(), 'state_dict.pt')
torch.save(checkpoint, 'checkpoint.ckpt')
torch.save(checkpoint, 'legacy.pt', _use_new_zipfile_serialization=False)
with open('legacy-one.pt', 'wb') as f: torch.save([torch.zeros(3, dtype=d) for d in (torch.float16, torch.int64, torch.bool, torch.complex64, torch.bfloat16)], f, _use_new_zipfile_serialization=False)
with open('legacy-two.pt', 'wb') as f:
    torch.save({'a': 1, 't': torch.ones(5)}, f, _use_new_zipfile_serialization=False)
    torch.save(net.state_dict(), f, _use_new_zipfile_serialization=False, pickle_protocol=4)
torch.save({str(i): torch.zeros(2) for i in range(1500)}, 'legacy-many.pt', _use_new_zipfile_serialization=False)
torch.save(net, 'legacy-module.pt', _use_new_zipfile_serialization=False)
torch.save(net, 'module.pt')
torch.save(net.state_dict(), 'protocol4.pt', pickle_protocol=4)
torch.save([torch.zeros(2, dtype=d) for d in (torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool, torch.complex64)], 'dtypes.pt')
torch.save({'empty': torch.zeros(0, 3), 'scalar': torch.tensor(1.0), 'tied': (net[0].weight, net[0].weight)}, 'shapes.pt')
torch.jit.script(net).save('scripted.pt')
torch.jit.trace(net.eval(), torch.zeros(1, 4)).save('traced.pt')
numpy.save('plain.npy', numpy.arange(6.0).reshape(2, 3))
numpy.save('struct.npy', numpy.zeros(3, dtype=[('a', '<f8'), ('b', '<i4', (2,)), ('c', 'U5')]))
numpy.save('objects.npy', numpy.array(['a', None, 3], dtype=object))
numpy.savez('plain.npz', a=numpy.zeros(3), b=numpy.ones((2, 2)))
numpy.savez_compressed('packed.npz', a=numpy.zeros(3), b=numpy.array(['x', 'y']))
data = pickle.dumps({'a': [1, 2.5, 'x', None, (True,)], 'b': collections.OrderedDict(c=b'd')})
open('plain.pkl', 'wb').write(data)
gzip.open('plain.pkl.gz', 'wb').write(data)
bz2.open('plain.pkl.bz2', 'wb').write(data)
lzma.open('plain.pkl.xz', 'wb').write(data)
open('plain.lzma', 'wb').write(lzma.compress(data, format=lzma.FORMAT_ALONE))
open('delta.xz', 'wb').write(lzma.compress(data, filters=[{'id': lzma.FILTER_DELTA, 'dist': 4}, {'id': lzma.FILTER_X86}, {'id': lzma.FILTER_LZMA2}]))
open('plain.z', 'wb').write(zlib.compress(data))
for kind, method in (('stored', 0), ('deflate', 8), ('bzip2', 12), ('lzma', 14)):
    with zipfile.ZipFile(kind + '.zip', 'w', method) as z: z.write('plain.pkl')
for mode in ('', 'gz', 'bz2', 'xz'):
    with tarfile.open('all.tar.' + mode if mode else 'all.tar', 'w:' + mode) as t: t.add('plain.pkl'); t.add('state_dict.pt')
`

// TestRealFiles scans what Debian's torch 1.13 and numpy write: all of it is safe, and read to its end.
func TestRealFiles(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.CommandContext(t.Context(), python, "-c", "import torch, numpy").Run(); err != nil {
		modeltest.Absent(t, "no torch to write with")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), python, "-c", writers, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(paths) < 25 {
		t.Fatalf("%d files: %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r := modeltest.Scan(t, modeltest.File{Name: filepath.Base(path), Data: data}, formats.All())
			if r.Verdict() != modelscan.Safe {
				t.Errorf("%v: %+v %+v", r.Verdict(), r.Findings, r.Gaps)
			}
			if r.Kind != modelscan.KindModel || !slices.ContainsFunc(r.Formats, func(f string) bool { return f == "pickle" || f == "npy" || f == "torch-legacy" }) {
				t.Errorf("a %s in the formats %v", r.Kind, r.Formats)
			}
		})
	}
}
