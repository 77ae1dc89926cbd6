// Package profile reads what a user adds to the filter around a confined Python, in the shape of the OCI
// runtime specification (config-linux.md, "Seccomp"). A profile can only add, and only from a capped
// list: it never opens what the filter is there to close.
package profile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/sandbox/policy"
)

// Profile is the filter that a program runs under.
type Profile struct {
	// Name is "default", or "custom" for one that was read.
	Name string
	// SHA256 of the profile as it was read; of Default's own text for the default one.
	SHA256 string
	// Added are the calls that it has beyond the default.
	Added []string
	// Entries make the filter: those added come first, and the first that speaks of a call decides.
	Entries []policy.Entry
}

// MaxSize bounds a profile's text, in bytes.
const MaxSize = 64 << 10

// all is a mask that compares every bit of an argument.
const all = ^uint64(0)

// Default is the profile without additions.
func Default() Profile {
	return Profile{Name: "default", SHA256: digest(Text()), Entries: policy.Python()}
}

// Text writes the default profile. Read takes it back.
func Text() []byte {
	spec := specs.LinuxSeccomp{DefaultAction: specs.ActKillProcess}
	for _, e := range policy.Python() {
		spec.Syscalls = append(spec.Syscalls, toOCI(e))
	}
	text, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		panic(err) // strings and numbers
	}
	return append(text, '\n')
}

// Read reads a profile. It refuses what it does not know and what is not on the list of policy.Addable.
func Read(text []byte) (Profile, error) {
	if len(text) > MaxSize {
		return Profile{}, fmt.Errorf("a profile of %d bytes is over %d", len(text), MaxSize)
	}
	var spec specs.LinuxSeccomp
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&spec); err != nil {
		return Profile{}, fmt.Errorf("profile: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Profile{}, errors.New("profile: something follows it")
	}
	switch {
	case spec.DefaultAction != specs.ActKillProcess:
		return Profile{}, fmt.Errorf("profile: defaultAction is %q, it can only be %q", spec.DefaultAction, specs.ActKillProcess)
	case len(spec.Architectures) > 0, len(spec.Flags) > 0, spec.ListenerPath != "", spec.ListenerMetadata != "", spec.DefaultErrnoRet != nil:
		return Profile{}, errors.New("profile: architectures, flags, listeners and defaultErrnoRet are not for a profile to set")
	}
	p := Profile{Name: "custom", SHA256: digest(text), Entries: policy.Python()}
	var added []policy.Entry
	for i, call := range spec.Syscalls {
		for _, name := range call.Names {
			e, isNew, err := entry(name, call)
			if err != nil {
				return Profile{}, fmt.Errorf("profile: syscalls[%d]: %w", i, err)
			}
			if isNew {
				added, p.Added = append(added, e), append(p.Added, name)
			}
		}
	}
	p.Entries = slices.Concat(added, p.Entries)
	return p, nil
}

// entry is one call of a profile; isNew is false for what the default has already.
func entry(name string, call specs.LinuxSyscall) (e policy.Entry, isNew bool, err error) {
	conditions, err := conditions(call.Args)
	if err != nil {
		return e, false, fmt.Errorf("%s: %w", name, err)
	}
	e = policy.Entry{Name: name, When: conditions}
	switch {
	case call.Action == specs.ActErrno && call.ErrnoRet != nil && *call.ErrnoRet > 0 && *call.ErrnoRet < 4096:
		e.Errno = uint16(*call.ErrnoRet)
	case call.Action != specs.ActAllow:
		return e, false, fmt.Errorf("%s: action %q is not for a profile", name, call.Action)
	}
	if slices.ContainsFunc(policy.Python(), func(have policy.Entry) bool { return same(have, e) }) {
		return e, false, nil
	}
	capped := policy.Addable()
	i := slices.IndexFunc(capped, func(c policy.Entry) bool { return c.Name == name })
	if i < 0 || e.Errno != 0 {
		return e, false, fmt.Errorf("%s can't be added: it is not on the list of calls that a profile may allow", name)
	}
	e.When = slices.Concat(capped[i].When, conditions)
	return e, true, nil
}

func same(a, b policy.Entry) bool {
	return a.Name == b.Name && a.Errno == b.Errno && (len(a.When) == 0 && len(b.When) == 0 || reflect.DeepEqual(a.When, b.When))
}

func conditions(args []specs.LinuxSeccompArg) ([]policy.Condition, error) {
	var out []policy.Condition
	for _, a := range args {
		switch {
		case a.Index > 5:
			return nil, fmt.Errorf("argument %d: a call has six", a.Index)
		case a.Op == specs.OpEqualTo:
			out = append(out, policy.Condition{Arg: a.Index, Mask: all, Value: a.Value})
		case a.Op == specs.OpMaskedEqual && a.ValueTwo&^a.Value == 0:
			out = append(out, policy.Condition{Arg: a.Index, Mask: a.Value, Value: a.ValueTwo})
		default:
			return nil, fmt.Errorf("argument %d: operator %q of these values is not supported", a.Index, a.Op)
		}
	}
	return out, nil
}

func toOCI(e policy.Entry) specs.LinuxSyscall {
	call := specs.LinuxSyscall{Names: []string{e.Name}, Action: specs.ActAllow}
	if e.Errno != 0 {
		errno := uint(unix.Errno(e.Errno))
		call.Action, call.ErrnoRet = specs.ActErrno, &errno
	}
	for _, w := range e.When {
		arg := specs.LinuxSeccompArg{Index: w.Arg, Value: w.Mask, ValueTwo: w.Value, Op: specs.OpMaskedEqual}
		if w.Mask == all {
			arg = specs.LinuxSeccompArg{Index: w.Arg, Value: w.Value, Op: specs.OpEqualTo}
		}
		call.Args = append(call.Args, arg)
	}
	return call
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
