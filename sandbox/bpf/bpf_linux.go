// Package bpf turns a policy into a classic BPF program and loads it, without a C library.
package bpf

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/sandbox/policy"
)

// Offsets in struct seccomp_data (linux/seccomp.h), little endian.
const (
	dataNumber = 0
	dataArch   = 4
	dataArgs   = 16
)

// x32Bit marks a call of the x32 ABI, which has the architecture of x86-64 and other numbers.
const x32Bit = 0x40000000

// Compile writes the policy as a classic BPF program: for every entry a block that either
// returns or falls through to the next with nothing left over, and KILL_PROCESS at the end. It takes
// the numbers from go-seccomp-bpf and not its assembler: that one (v1.6.0) goes on to compare call
// numbers with whatever argument was loaded last, so a refused mmap could pass for another call.
func Compile(entries []policy.Entry) ([]bpf.RawInstruction, error) {
	return CompileOver(entries, unix.SECCOMP_RET_KILL_PROCESS)
}

// CompileOver is Compile with another answer to what no entry speaks of.
func CompileOver(entries []policy.Entry, otherwise uint32) ([]bpf.RawInstruction, error) {
	info, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	kill := bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS}
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: dataArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(info.ID), SkipTrue: 1},
		kill,
		bpf.LoadAbsolute{Off: dataNumber, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: x32Bit, SkipFalse: 1},
		kill,
	}
	for _, e := range entries {
		number, ok := info.SyscallNames[e.Name]
		if !ok {
			return nil, fmt.Errorf("system call %s has no number on %s", e.Name, info.Name)
		}
		program = append(program, block(e, uint32(number))...)
	}
	return bpf.Assemble(append(program, bpf.RetConstant{Val: otherwise}))
}

// block answers the call or falls through.
func block(e policy.Entry, number uint32) []bpf.Instruction {
	answer := bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	if e.Errno != 0 {
		answer.Val = unix.SECCOMP_RET_ERRNO | uint32(e.Errno)
	}
	var tests []bpf.Instruction
	for _, w := range e.When {
		tests = append(tests, half(w, 0)...)
		tests = append(tests, half(w, 32)...)
	}
	block := []bpf.Instruction{bpf.LoadAbsolute{Off: dataNumber, Size: 4}}
	block = append(block, bpf.JumpIf{Cond: bpf.JumpEqual, Val: number, SkipFalse: uint8(len(tests) + 1)})
	for i, t := range tests {
		if jump, ok := t.(bpf.JumpIf); ok { // a test not met leaves the block
			jump.SkipFalse = uint8(len(tests) - i)
			t = jump
		}
		block = append(block, t)
	}
	return append(block, answer)
}

// half tests 32 of a condition's 64 bits.
func half(w policy.Condition, shift uint) []bpf.Instruction {
	mask, value := uint32(w.Mask>>shift), uint32(w.Value>>shift)
	if mask == 0 {
		return nil
	}
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: dataArgs + 8*uint32(w.Arg) + uint32(shift/8), Size: 4},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: value},
	}
}

// Load puts a program on every thread of this process. A thread that cannot be brought along is
// an error: the kernel then answers with its id and installs nothing.
func Load(program []bpf.RawInstruction) error {
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread() // no_new_privs belongs to a thread
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return fmt.Errorf("load the filter: %w", errno)
	}
	if thread != 0 {
		return fmt.Errorf("load the filter: thread %d could not be brought along", thread)
	}
	return nil
}
