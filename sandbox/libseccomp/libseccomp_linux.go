//go:build linux && cgo

// Package libseccomp turns a policy into a filter with the C library of that name, and loads it.
//
// The library's own Go binding is not used: it asks the kernel about seccomp(2) at the start of every program that it is
// linked into, worker or not. Where a filter around the program kills for that call, the program was gone without a word.
package libseccomp

// #cgo pkg-config: libseccomp
// #include <stdlib.h>
// #include <seccomp.h>
import "C"

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/sandbox/policy"
)

// neededLevel of the library's interface to the kernel: TSYNC came with level 2, KILL_PROCESS with level 3.
const neededLevel = 3

// Version of the library.
func Version() string {
	v := C.seccomp_version()
	return fmt.Sprintf("libseccomp %d.%d.%d", v.major, v.minor, v.micro)
}

// Filter is a policy as the library holds it. Release frees it.
type Filter struct{ ctx C.scmp_filter_ctx }

// Compile makes a filter that kills the process for what no entry speaks of.
func Compile(entries []policy.Entry) (*Filter, error) {
	if level := C.seccomp_api_get(); level < neededLevel {
		return nil, fmt.Errorf("the kernel's seccomp is at level %d of the library, %d is needed", level, neededLevel)
	}
	f := &Filter{C.seccomp_init(unix.SECCOMP_RET_KILL_PROCESS)}
	if f.ctx == nil {
		return nil, errors.New("libseccomp makes no filter")
	}
	err := errors.Join(
		f.set(C.SCMP_FLTATR_ACT_BADARCH, unix.SECCOMP_RET_KILL_PROCESS), // the default kills one thread, and Go hangs
		f.set(C.SCMP_FLTATR_CTL_NNP, 1),
		f.set(C.SCMP_FLTATR_CTL_TSYNC, 1),
	)
	for _, e := range entries {
		err = errors.Join(err, f.add(e))
	}
	if err != nil {
		f.Release()
		return nil, err
	}
	return f, nil
}

func (f *Filter) set(attribute uint32, value uint32) error {
	if err := failed(C.seccomp_attr_set(f.ctx, attribute, C.uint32_t(value))); err != nil {
		return fmt.Errorf("attribute %d of the filter: %w", attribute, err)
	}
	return nil
}

func (f *Filter) add(e policy.Entry) error {
	name := C.CString(e.Name)
	defer C.free(unsafe.Pointer(name))
	number := C.seccomp_syscall_resolve_name(name)
	if number < 0 { // unknown to the library, or another architecture's
		return fmt.Errorf("system call %s has no number here", e.Name)
	}
	action := C.uint32_t(unix.SECCOMP_RET_ALLOW)
	if e.Errno != 0 {
		action = unix.SECCOMP_RET_ERRNO | C.uint32_t(e.Errno)
	}
	when := make([]C.struct_scmp_arg_cmp, len(e.When))
	for i, w := range e.When {
		when[i] = C.struct_scmp_arg_cmp{arg: C.uint(w.Arg), op: C.SCMP_CMP_MASKED_EQ, datum_a: C.scmp_datum_t(w.Mask), datum_b: C.scmp_datum_t(w.Value)}
	}
	if err := failed(C.seccomp_rule_add_exact_array(f.ctx, action, number, C.uint(len(when)), unsafe.SliceData(when))); err != nil {
		return fmt.Errorf("system call %s: %w", e.Name, err)
	}
	return nil
}

// Load puts the filter on every thread of this process.
func (f *Filter) Load() error { return failed(C.seccomp_load(f.ctx)) }

// ExportBPF writes the program that Load would load.
func (f *Filter) ExportBPF(to *os.File) error {
	return failed(C.seccomp_export_bpf(f.ctx, C.int(to.Fd())))
}

// Release frees what the library holds.
func (f *Filter) Release() { C.seccomp_release(f.ctx) }

// failed reads what the library's functions return: 0, or an error's number below it.
func failed(code C.int) error {
	if code == 0 {
		return nil
	}
	return unix.Errno(-code)
}
