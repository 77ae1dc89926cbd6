//go:build linux && cgo

package sandbox

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	ownbpf "github.com/secure-torch/secure-torch/sandbox/bpf"
	"github.com/secure-torch/secure-torch/sandbox/policy"
)

const withCLibrary = true

// TestBackendsAgree runs the programs of both back ends on the same calls: they answer each alike.
func TestBackendsAgree(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the calls are laid out as on amd64")
	}
	ours, err := ownbpf.Compile(policy.Worker())
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := machine(t, ours), machine(t, libseccompProgram(t))
	random := rand.New(rand.NewPCG(1, 2))
	answers := map[uint32]int{}
	for i := range 100_000 {
		call := someCall(random, i)
		a, b := answer(t, mine, call), answer(t, theirs, call)
		if a != b {
			t.Fatalf("call %d of arch %#x with %#x: %#x here, %#x from libseccomp", call.number, call.arch, call.args, a, b)
		}
		answers[a]++
	}
	for _, want := range []uint32{unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_KILL_PROCESS, unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)} {
		if answers[want] < 100 {
			t.Errorf("answer %#x came %d times only: the calls say little", want, answers[want])
		}
	}
}

// data is struct seccomp_data without the instruction pointer.
type data struct {
	number, arch uint32
	args         [6]uint64
}

// someCall walks all numbers with arguments around those the policy asks about.
func someCall(random *rand.Rand, i int) data {
	const arch = 0xc000003e // AUDIT_ARCH_X86_64
	values := []uint64{0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 13, 128 | 6, 256 | 9, 1<<32 - 6, unix.MAP_ANONYMOUS | unix.MAP_PRIVATE, unix.MAP_ANONYMOUS | unix.MAP_SHARED, unix.MAP_ANONYMOUS | 8,
		unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD, 0x3d0f00, unix.CLONE_NEWUSER, uint64(unix.SIGCHLD),
		uint64(unix.Getpid()), 1 << 32, 1<<32 | 4, ^uint64(0)}
	c := data{number: uint32(i % 500), arch: arch}
	for j := range c.args {
		c.args[j] = values[random.IntN(len(values))]
		if random.IntN(4) == 0 {
			c.args[j] ^= 1 << random.IntN(64)
		}
	}
	switch random.IntN(50) {
	case 0:
		c.arch = 0x40000003 // AUDIT_ARCH_I386
	case 1:
		c.number |= 0x40000000 // x32
	case 2:
		c.number = random.Uint32()
	}
	return c
}

// answer lays the call out as the kernel does. The virtual machine reads words in network order.
func answer(t *testing.T, vm *bpf.VM, c data) uint32 {
	t.Helper()
	packet := binary.BigEndian.AppendUint32(nil, c.number)
	packet = binary.BigEndian.AppendUint32(packet, c.arch)
	packet = append(packet, make([]byte, 8)...)
	for _, arg := range c.args {
		packet = binary.BigEndian.AppendUint32(packet, uint32(arg))
		packet = binary.BigEndian.AppendUint32(packet, uint32(arg>>32))
	}
	out, err := vm.Run(packet)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(out)
}

func machine(t *testing.T, program []bpf.RawInstruction) *bpf.VM {
	t.Helper()
	instructions, ok := bpf.Disassemble(program)
	if !ok {
		t.Fatal("the program has an instruction that is unknown")
	}
	vm, err := bpf.NewVM(instructions)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

// libseccompProgram exports what libseccomp would load.
func libseccompProgram(t *testing.T) []bpf.RawInstruction {
	t.Helper()
	filter, err := compileFilter(policy.Worker())
	if err != nil {
		t.Fatal(err)
	}
	defer filter.Release()
	f, err := os.CreateTemp(t.TempDir(), "bpf")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := filter.ExportBPF(f); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	var program []bpf.RawInstruction
	for in := range slices.Chunk(raw, 8) {
		program = append(program, bpf.RawInstruction{
			Op: binary.LittleEndian.Uint16(in), Jt: in[2], Jf: in[3], K: binary.LittleEndian.Uint32(in[4:]),
		})
	}
	if len(program) < 20 {
		t.Fatalf("%d instructions", len(program))
	}
	return program
}
