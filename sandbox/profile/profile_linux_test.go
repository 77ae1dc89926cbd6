package profile

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/sandbox/bpf"
	"github.com/secure-torch/secure-torch/sandbox/policy"
)

func TestDefaultReadsBack(t *testing.T) {
	p, err := Read(Text())
	if err != nil {
		t.Fatal(err)
	}
	if d := Default(); p.SHA256 != d.SHA256 || len(p.Added) != 0 || !reflect.DeepEqual(p.Entries, d.Entries) {
		t.Errorf("%+v", p)
	}
}

func TestRead(t *testing.T) {
	custom := func(syscalls string) string {
		return `{"defaultAction":"SCMP_ACT_KILL_PROCESS","syscalls":[` + syscalls + `]}`
	}
	for name, c := range map[string]struct {
		text  string
		added []string
		err   string
	}{
		"nothing":      {custom(``), nil, ""},
		"one more":     {custom(`{"names":["getrusage","sysinfo"],"action":"SCMP_ACT_ALLOW"}`), []string{"getrusage", "sysinfo"}, ""},
		"there before": {custom(`{"names":["read"],"action":"SCMP_ACT_ALLOW"}`), nil, ""},
		"threads":      {custom(`{"names":["clone"],"action":"SCMP_ACT_ALLOW"}`), []string{"clone"}, ""},
		"execve":       {custom(`{"names":["execve"],"action":"SCMP_ACT_ALLOW"}`), nil, "execve can't be added"},
		"openat":       {custom(`{"names":["openat"],"action":"SCMP_ACT_ALLOW"}`), nil, "openat can't be added"},
		"socket":       {custom(`{"names":["socket"],"action":"SCMP_ACT_ALLOW"}`), nil, "socket can't be added"},
		"hides a kill": {custom(`{"names":["execve"],"action":"SCMP_ACT_ERRNO","errnoRet":1}`), nil, "execve can't be added"},
		"other errno":  {custom(`{"names":["openat"],"action":"SCMP_ACT_ERRNO","errnoRet":2}`), nil, "openat can't be added"},
		"traces":       {custom(`{"names":["read"],"action":"SCMP_ACT_TRACE"}`), nil, "action"},
		"allows all":   {`{"defaultAction":"SCMP_ACT_ALLOW"}`, nil, "defaultAction"},
		"no default":   {`{}`, nil, "defaultAction"},
		"another arch": {`{"defaultAction":"SCMP_ACT_KILL_PROCESS","architectures":["SCMP_ARCH_X86"]}`, nil, "architectures"},
		"unknown key":  {`{"defaultAction":"SCMP_ACT_KILL_PROCESS","dangerous":true}`, nil, "unknown field"},
		"trailer":      {custom(``) + `{}`, nil, "follows"},
		"odd operator": {custom(`{"names":["getrusage"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_GT"}]}`), nil, "operator"},
		"odd argument": {custom(`{"names":["getrusage"],"action":"SCMP_ACT_ALLOW","args":[{"index":9,"value":1,"op":"SCMP_CMP_EQ"}]}`), nil, "argument"},
		"no JSON":      {`x`, nil, "profile"},
		"too long":     {strings.Repeat(" ", MaxSize+1), nil, "over"},
	} {
		p, err := Read([]byte(c.text))
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", name, err, c.err)
		}
		if err == nil && (!slices.Equal(p.Added, c.added) || len(p.SHA256) != 64) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// TestThreadsStayThreads: a profile that adds clone gets it for threads alone, whatever it says itself.
func TestThreadsStayThreads(t *testing.T) {
	p, err := Read([]byte(`{"defaultAction":"SCMP_ACT_KILL_PROCESS","syscalls":[{"names":["clone"],"action":"SCMP_ACT_ALLOW"}]}`))
	if err != nil || p.Entries[0].Name != "clone" || len(p.Entries[0].When) == 0 || p.Entries[0].When[0].Mask&unix.CLONE_THREAD == 0 {
		t.Errorf("%+v, %v", p.Entries[0], err)
	}
}

// TestNoWayOut is about the tables: none of these may ever be let through by the default or by a profile.
func TestNoWayOut(t *testing.T) {
	never := []string{"execve", "execveat", "fork", "vfork", "open", "openat", "openat2", "creat", "socket", "socketpair", "connect", "bind", "sendto", "sendmmsg",
		"ptrace", "process_vm_readv", "process_vm_writev", "kill", "tkill", "tgkill", "pidfd_open", "pidfd_getfd", "io_uring_setup", "io_uring_enter", "bpf", "mount", "unshare", "setns",
		"memfd_create", "userfaultfd", "shmat", "unlink", "unlinkat", "rename", "renameat2", "mkdir", "truncate", "chmod", "sendfile", "splice", "copy_file_range"}
	guarded := map[string]bool{"mmap": true, "mprotect": true, "clone": true, "prctl": true, "prlimit64": true}
	for _, e := range slices.Concat(policy.Python(), policy.Addable()) {
		if slices.Contains(never, e.Name) && e.Errno == 0 {
			t.Errorf("%s is let through", e.Name)
		}
		if guarded[e.Name] && e.Errno == 0 && len(e.When) == 0 {
			t.Errorf("%s is let through without a condition", e.Name)
		}
	}
}

// TestTablesHaveNumbers: every call of every table is known to the assembler, here and on arm64.
func TestTablesHaveNumbers(t *testing.T) {
	arm64, err := arch.GetInfo("arm64")
	if err != nil {
		t.Fatal(err)
	}
	for name, entries := range map[string][]policy.Entry{"coarse": policy.Coarse(), "python": policy.Python(), "addable": policy.Addable(), "worker": policy.Worker()} {
		if _, err := bpf.Compile(entries); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		legacy := []string{"fork", "vfork", "open", "newfstatat", "stat", "lstat", "access", "readlink", "time", "poll", "select", "epoll_wait", "alarm", "pause", "getpgrp", "chmod", "chown", "lchown", "utime", "utimes", "futimesat"}
		for _, e := range entries {
			if _, ok := arm64.SyscallNames[e.Name]; !ok && !slices.Contains(legacy, e.Name) {
				t.Errorf("%s: arm64 has no %s", name, e.Name)
			}
		}
	}
}
