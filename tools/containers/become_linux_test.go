package containers

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// become turns this process into a program in the place. It returns only an error. Where this is not root, the
// program stays who it is: no container's, but as little.
func (p place) become(argv []string) error {
	root := os.Getuid() == 0
	if p.NoNew || !root {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
	}
	if root {
		if err := p.dropCapabilities(); err != nil {
			return err
		}
	}
	if p.Profile == "docker" {
		if err := dockerFilter(p.Caps); err != nil {
			return err
		}
	}
	if len(p.Refused) > 0 {
		if err := refusing(p.Refused, p.Errno); err != nil {
			return err
		}
	}
	if p.Nobody && root {
		if err := errors.Join(unix.Setgroups(nil), unix.Setresgid(65534, 65534, 65534), unix.Setresuid(65534, 65534, 65534)); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: %w", argv[0], unix.Exec(argv[0], argv, slices.DeleteFunc(os.Environ(), func(v string) bool { return v == noRseq })))
}

// dropCapabilities takes all others out of the bounding set: with the next program they are gone.
func (p place) dropCapabilities() error {
	numbers := map[string]uintptr{"CAP_CHOWN": unix.CAP_CHOWN, "CAP_DAC_OVERRIDE": unix.CAP_DAC_OVERRIDE, "CAP_FSETID": unix.CAP_FSETID,
		"CAP_FOWNER": unix.CAP_FOWNER, "CAP_MKNOD": unix.CAP_MKNOD, "CAP_NET_RAW": unix.CAP_NET_RAW, "CAP_SETGID": unix.CAP_SETGID,
		"CAP_SETUID": unix.CAP_SETUID, "CAP_SETFCAP": unix.CAP_SETFCAP, "CAP_SETPCAP": unix.CAP_SETPCAP, "CAP_NET_BIND_SERVICE": unix.CAP_NET_BIND_SERVICE,
		"CAP_SYS_CHROOT": unix.CAP_SYS_CHROOT, "CAP_KILL": unix.CAP_KILL, "CAP_AUDIT_WRITE": unix.CAP_AUDIT_WRITE}
	var keep []uintptr
	for _, name := range p.Caps {
		keep = append(keep, numbers[name])
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if slices.Contains(keep, c) {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL && err != unix.EPERM { // one that this kernel lacks, or is gone
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return nil
}

// load puts a filter on this process, as a container's runtime does: without no_new_privs, root has the right to.
func load(filter *libseccomp.ScmpFilter, rules error) error {
	return errors.Join(rules, filter.SetNoNewPrivsBit(false), filter.SetBadArchAction(libseccomp.ActErrno.SetReturnCode(int16(unix.EPERM))), filter.Load())
}

// refusing has the calls fail and lets all others through.
func refusing(calls []string, errno uint) error {
	filter, err := libseccomp.NewFilter(libseccomp.ActAllow)
	if err != nil {
		return err
	}
	for _, name := range calls {
		call, unknown := libseccomp.GetSyscallFromName(name)
		if unknown != nil {
			continue // the library is older than the call; the program's libraries then do not make it either
		}
		err = errors.Join(err, filter.AddRule(call, libseccomp.ActErrno.SetReturnCode(int16(errno))))
	}
	return load(filter, err)
}

// dockerFilter is Docker's default, for a container with these capabilities.
func dockerFilter(caps []string) error {
	profile, err := seccomp.GetDefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: caps}}})
	if err != nil {
		return err
	}
	filter, err := libseccomp.NewFilter(action(profile.DefaultAction, profile.DefaultErrnoRet))
	if err != nil {
		return err
	}
	for _, rule := range profile.Syscalls {
		for _, name := range rule.Names {
			err = errors.Join(err, addRule(filter, name, rule, action(profile.DefaultAction, profile.DefaultErrnoRet)))
		}
	}
	return load(filter, err)
}

func addRule(filter *libseccomp.ScmpFilter, name string, rule specs.LinuxSyscall, fallback libseccomp.ScmpAction) error {
	call, err := libseccomp.GetSyscallFromName(name)
	do := action(rule.Action, rule.ErrnoRet)
	if err != nil || do == fallback { // another architecture's, or too new for the library, as in runc
		return nil
	}
	var conditions []libseccomp.ScmpCondition
	for _, arg := range rule.Args {
		compare, ok := operators[arg.Op]
		if !ok {
			return fmt.Errorf("unknown comparison %s", arg.Op)
		}
		values := []uint64{arg.Value}
		if compare == libseccomp.CompareMaskedEqual {
			values = append(values, arg.ValueTwo)
		}
		condition, err := libseccomp.MakeCondition(arg.Index, compare, values...)
		if err != nil {
			return err
		}
		conditions = append(conditions, condition)
	}
	if len(conditions) == 0 {
		return filter.AddRule(call, do)
	}
	return filter.AddRuleConditional(call, do, conditions)
}

var operators = map[specs.LinuxSeccompOperator]libseccomp.ScmpCompareOp{
	specs.OpNotEqual: libseccomp.CompareNotEqual, specs.OpLessThan: libseccomp.CompareLess, specs.OpLessEqual: libseccomp.CompareLessOrEqual,
	specs.OpEqualTo: libseccomp.CompareEqual, specs.OpGreaterEqual: libseccomp.CompareGreaterEqual, specs.OpGreaterThan: libseccomp.CompareGreater,
	specs.OpMaskedEqual: libseccomp.CompareMaskedEqual,
}

func action(name specs.LinuxSeccompAction, errno *uint) libseccomp.ScmpAction {
	if name == specs.ActAllow {
		return libseccomp.ActAllow
	}
	code := uint(unix.EPERM)
	if errno != nil {
		code = *errno
	}
	return libseccomp.ActErrno.SetReturnCode(int16(code))
}
