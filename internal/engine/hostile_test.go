//go:build linux

package engine_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// attack is what a worker that was taken over does instead of its job.
type attack func(sandbox.Job, io.Writer) error

// playHostile is the main of a worker that was taken over, confined as any other.
func playHostile(a attack) {
	if err := sandbox.Serve(os.Args[2:], sandbox.Roles{sandbox.Scan: sandbox.Handler(a)}); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(3)
	}
	os.Exit(0)
}

// say answers with a report that was made to order.
func say(change func(*modelscan.Report)) attack {
	return func(job sandbox.Job, out io.Writer) error {
		r := &modelscan.Report{
			Artifact: job.Files[0].Name, Kind: modelscan.KindModel, Formats: []string{"pickle"},
			Findings: []modelscan.Finding{}, Gaps: []modelscan.Gap{}, Coverage: modelscan.Coverage{Mode: "full", Sources: 1},
		}
		change(r)
		return json.NewEncoder(out).Encode(r)
	}
}

func finding(f modelscan.Finding) attack {
	return say(func(r *modelscan.Report) { r.Findings = append(r.Findings, f) })
}

func write1(text string) attack {
	return func(_ sandbox.Job, out io.Writer) error {
		_, err := io.WriteString(out, text)
		return err
	}
}

// frame sends bytes of its own making on the worker's socket.
func frame(kind byte, flags uint16, request, item, length uint32, payload string) attack {
	return func(sandbox.Job, io.Writer) error {
		b := []byte{1, kind}
		b = binary.LittleEndian.AppendUint16(b, flags)
		for _, n := range []uint32{request, item, length} {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		_, err := unix.Write(3, append(b, payload...))
		return err
	}
}

const cleanReport = `{"artifact":"m.pt","kind":"model","formats":["pickle"],"findings":[],"gaps":[],"coverage":{"mode":"full","sources":1}}`

// attacks by name. Each is tried on a file that an honest worker calls safe.
var attacks = map[string]attack{
	"nothing":         write1(""),
	"no-json":         write1("safe!"),
	"null":            write1("null"),
	"array":           write1("[]"),
	"deep":            write1(strings.Repeat("[", 100_000)),
	"cut":             write1(cleanReport[:40]),
	"more":            write1(cleanReport + cleanReport),
	"unknown-field":   write1(strings.Replace(cleanReport, `"kind"`, `"verdict":"safe","kind"`, 1)),
	"no-kind":         write1(strings.Replace(cleanReport, `"kind":"model",`, "", 1)),
	"failure":         say(func(r *modelscan.Report) { r.Failure = "trust me" }),
	"no-coverage":     say(func(r *modelscan.Report) { r.Coverage.Sources = 0 }),
	"long-answer":     write1(strings.Repeat(" ", 2<<20) + cleanReport),
	"long-string":     finding(modelscan.Finding{Rule: rule.PickleOsSystem, Path: "m.pt", Message: strings.Repeat("x", 1<<20-500)}),
	"no-such-rule":    finding(modelscan.Finding{Rule: "ST999", Path: "m.pt"}),
	"foreign-rule":    finding(modelscan.Finding{Rule: "ST101", Path: "m.pt"}),
	"foreign-path":    finding(modelscan.Finding{Rule: rule.PickleOsSystem, Path: "/etc/passwd"}),
	"similar-path":    finding(modelscan.Finding{Rule: rule.PickleOsSystem, Path: "m.ptx"}),
	"negative-offset": finding(modelscan.Finding{Rule: rule.PickleOsSystem, Path: "m.pt", Offset: -5}),
	"gap-as-finding":  say(func(r *modelscan.Report) { r.Gaps = append(r.Gaps, modelscan.Gap{Rule: "ST201", Path: "m.pt"}) }),
	"many-findings": say(func(r *modelscan.Report) {
		r.Findings = slices.Repeat([]modelscan.Finding{{Rule: rule.PickleOsSystem, Path: "m.pt"}}, 201)
	}),
	"handler-error": func(sandbox.Job, io.Writer) error { return errors.New("\x1b[31mnothing to see\u202e") },
	"wrong-version": func(sandbox.Job, io.Writer) error {
		_, err := unix.Write(3, append([]byte{9, 3}, make([]byte, 14)...))
		return err
	},
	"wrong-request": frame(3, 0, 77, 0, uint32(len(cleanReport)), cleanReport),
	"wrong-item":    frame(3, 0, 1, 1, uint32(len(cleanReport)), cleanReport),
	"wrong-kind":    frame(2, 0, 1, 0, 0, ""),
	"ready-again":   frame(1, 0, 1, 0, 2, "{}"),
	"length-lie":    frame(3, 0, 1, 0, 1<<31, "x"),
	"no-header":     func(sandbox.Job, io.Writer) error { _, err := unix.Write(3, []byte("x")); return err },
	"read-outside":  frame(5, 0, 1, 0, 16, "\x09\x00\x00\x00"+strings.Repeat("\x00", 12)),
	"read-huge":     frame(5, 0, 1, 0, 16, strings.Repeat("\x00", 12)+"\xff\xff\xff\x7f"),
	"ends-midway": func(sandbox.Job, io.Writer) error {
		_ = frame(3, 1, 1, 0, 5, `{"art`)(sandbox.Job{}, nil)
		os.Exit(0)
		return nil
	},
	"exit":   func(sandbox.Job, io.Writer) error { os.Exit(0); return nil },
	"hangup": func(sandbox.Job, io.Writer) error { unix.Close(3); spin(); return nil },
	"spin":   func(sandbox.Job, io.Writer) error { spin(); return nil },
	"open": func(sandbox.Job, io.Writer) error {
		_, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		return err
	},
	"stops": func(sandbox.Job, io.Writer) error { return unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGSTOP) },
	"never-reads": func(sandbox.Job, io.Writer) error {
		return flood(func() error { return frame(5, 0, 1, 0, 16, wholeChunk)(sandbox.Job{}, nil) })
	},
	"complains": func(sandbox.Job, io.Writer) error {
		return flood(func() error { _, err := unix.Write(2, make([]byte, 64<<10)); return err })
	},
	"unmaps":   func(sandbox.Job, io.Writer) error { return unmap() },
	"panic":    func(sandbox.Job, io.Writer) error { panic("as asked") },
	"nil":      func(sandbox.Job, io.Writer) error { var p *int; *p = 1; return nil },
	"stack":    func(sandbox.Job, io.Writer) error { return errors.New(deeper(1)) },
	"memory":   func(sandbox.Job, io.Writer) error { return eat() },
	"segfault": func(sandbox.Job, io.Writer) error { return unix.Kill(unix.Getpid(), unix.SIGSEGV) },
}

// nextFile is the attack on the files after the one that took the worker over.
const nextFile = "taken-over"

// honest shows that the attacks are judged on their own: the same way round, a true report is safe.
const honest = "honest"

// wholeChunk asks for the first MiB of the first file.
var wholeChunk = strings.Repeat("\x00", 12) + "\x00\x00\x10\x00"

// flood does something again and again.
func flood(do func() error) error {
	for {
		if err := do(); err != nil {
			return err
		}
	}
}

// unmap takes this program's own code away, and so the runtime's means to report what comes of that.
func unmap() error {
	code := reflect.ValueOf(unmap).Pointer() &^ (1<<12 - 1)
	const reach = 1 << 20 << 5
	_, _, errno := unix.RawSyscall(unix.SYS_MUNMAP, max(code, reach)-reach, 2*reach, 0)
	return errno
}

// deadly are the attacks that only the deadline ends.
var deadly = []string{"spin", "stops", "never-reads", "complains"}

func spin() {
	for {
	}
}

func deeper(n int) string { return fmt.Sprint(n) + deeper(n+1) + "." }

func eat() error {
	var all [][]byte
	for {
		b := make([]byte, 32<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
		if len(all) > 1<<20 {
			return nil
		}
	}
}

// TestDeathIsTriedOnceMore: who died or had no memory left gets a second worker; who made a forbidden call, ran out of
// time or broke the protocol does not.
func TestDeathIsTriedOnceMore(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "m.pt"), "\x80\x02}q\x00.")
	list := &remote.Listing{Name: "hf:o/m@x", Files: []remote.File{file([]byte("\x80\x02}q\x00."), -1, nil)}}
	ways := map[string]func(*engine.Engine) *engine.Artifact{
		"scan": func(e *engine.Engine) *engine.Artifact { return e.ScanFile(t.Context(), path) },
		"remote": func(e *engine.Engine) *engine.Artifact {
			return scanRemote(t, e, list, engine.RemoteOptions{Ahead: 1})[0]
		},
		"index": func(e *engine.Engine) *engine.Artifact {
			f, err := artifact.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			a, _, err := e.IndexFile(t.Context(), f, engine.IndexNever)
			if err != nil {
				t.Fatal(err)
			}
			return a
		},
	}
	for name, want := range map[string]int{"exit": 2, "panic": 2, "unmaps": 2, "stack": 2, "ends-midway": 2, "open": 1, "segfault": 1, "stops": 1, "no-json": 1, "hangup": 1} {
		for way, scan := range ways {
			if way == "remote" && name == "stops" {
				continue // its deadline is the server's
			}
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				exe := impostor(t, name)
				opts := engine.Options{Exe: exe, Workers: 1, Lazy: true, Deadline: time.Minute}
				if slices.Contains(deadly, name) {
					opts.Deadline = 100 * time.Millisecond
				}
				checkHostile(t, name, scan(newEngine(t, opts)))
				tries, err := os.ReadFile(filepath.Join(filepath.Dir(exe), triesFile))
				if err != nil || len(tries) < want || way != "remote" && len(tries) > want { // a remote scan has workers ahead
					t.Errorf("%d workers were started, want %d (%v)", len(tries), want, err)
				}
			})
		}
	}
}

// triesFile, beside the impostor, gets a byte for each worker that is started.
const triesFile = "tries"

func countTry() {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(os.Args[0]), triesFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		_, err = f.WriteString("x")
	}
	if err != nil {
		panic(err)
	}
	f.Close()
}

// impostor returns an executable that is started under the name of an attack.
func impostor(t *testing.T, name string) string {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(own, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// TestHostileWorkerIsNeverSafe is the crash matrix.
func TestHostileWorkerIsNeverSafe(t *testing.T) {
	if len(attacks) < 35 {
		t.Errorf("only %d attacks", len(attacks))
	}
	path := write(t, filepath.Join(t.TempDir(), "m.pt"), "\x80\x02}q\x00.")
	for _, name := range append(slices.Sorted(maps.Keys(attacks)), honest) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := engine.Options{Exe: impostor(t, name), Workers: 1, Deadline: time.Minute}
			if slices.Contains(deadly, name) {
				opts.Deadline = 100 * time.Millisecond
			}
			e := newEngine(t, opts)
			a := e.ScanFile(t.Context(), path)
			checkHostile(t, name, a)
		})
	}
}

func checkHostile(t *testing.T, name string, a *engine.Artifact) {
	t.Helper()
	v := a.Verdict()
	if name == honest {
		if v != modelscan.Safe {
			t.Fatalf("control: %s: %+v", v, a.Report)
		}
		return
	}
	if v != modelscan.Error && v != modelscan.Incomplete && v != modelscan.Unsafe {
		t.Fatalf("verdict %s: %+v", v, a.Report)
	}
	forbidden := name == "open" || name == "segfault"
	if got := slices.ContainsFunc(a.Report.Findings, func(f modelscan.Finding) bool { return f.Rule == rule.ForbiddenCall }); got != forbidden {
		t.Errorf("forbidden call reported: %v: %+v", got, a.Report)
	}
	if !forbidden && len(a.Report.Gaps) == 0 {
		t.Errorf("no gap: %+v", a.Report)
	}
	if said := fmt.Sprintf("%+v", a.Report); len(said) > 20_000 {
		t.Errorf("a report of %d bytes was let through", len(said))
	}
}
