package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/secure-torch/secure-torch/internal/artifact/remote/hubtest"
	"github.com/secure-torch/secure-torch/internal/worker"
	"github.com/secure-torch/secure-torch/trust/signtest/tufrepo"
	"github.com/secure-torch/secure-torch/trust/signtest/virtual"
)

func TestMain(m *testing.M) {
	if worker.Wanted(os.Args) { // a worker is started by its executable's path, not by its name
		main()
	}
	testscript.Main(m, map[string]func(){"secure-torch": main})
}

// TestScript runs the command lines in testdata/script. "exits N" runs a command and wants exit code N.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"hub":   startHub,
			"web": func(ts *testscript.TestScript, _ bool, args []string) { // "web FOLDER": a web server of that folder at $WEB
				h := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
				ts.Defer(h.Close)
				ts.Setenv("WEB", h.URL)
			},
			"tufroot": func(ts *testscript.TestScript, _ bool, args []string) { // "tufroot FILE [broken]": a repository at $MIRROR, and its first root in FILE
				r := tufrepo.New(t)
				text := virtual.New(t).Root(t, nil)
				if len(args) == 2 {
					text = []byte("{}")
				}
				r.Publish(t, "trusted_root.json", text, time.Now().Add(time.Hour))
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), r.Root, 0o644))
				ts.Setenv("MIRROR", r.URL)
			},
			"pickle": writePickle,
			"tensors": func(ts *testscript.TestScript, _ bool, args []string) { // "tensors FILE": safetensors without any
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"), 0o644))
			},
			"fifo":   makeFIFO,
			"zeros":  writeZeros,
			"cutzip": writeCutZip,
			"latin1": writeLatin1,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg || len(args) < 2 {
		ts.Fatalf("usage: exits N command [args...]")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// writePickle makes "pickle FILE module name argument": a pickle that calls module.name(argument) on
// load, or, with no more than FILE, one of an empty dictionary. So no such bytes lie in the repository.
func writePickle(ts *testscript.TestScript, _ bool, args []string) {
	text := "\x80\x02}."
	if len(args) == 4 {
		text = fmt.Sprintf("\x80\x02c%s\n%s\nX%c\x00\x00\x00%s\x85R.", args[1], args[2], len(args[3]), args[3])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// startHub makes "hub FOLDER [FILE WORD]" a hub on this machine with that folder as org/model, on which the hub's own
// scanners call FILE WORD, and has the commands after it use it. $COMMIT is the repository's.
func startHub(ts *testscript.TestScript, _ bool, args []string) {
	repo, err := hubtest.Folder("org/model", ts.MkAbs(args[0]))
	ts.Check(err)
	if len(args) == 3 {
		repo.Status[args[1]] = args[2]
	}
	gated := map[string][]byte{"a.bin": make([]byte, 2000), "b.bin": make([]byte, 2000)}
	h := hubtest.New(repo, &hubtest.Repo{ID: "org/gated", Gated: true, Token: "hf_another", ScansDone: true, Files: gated})
	ts.Defer(h.Close)
	ts.Setenv("HF_ENDPOINT", h.URL)
	ts.Setenv("COMMIT", repo.Commit)
}

func makeFIFO(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(syscall.Mkfifo(ts.MkAbs(args[0]), 0o644))
}

// writeZeros makes "zeros FILE SIZE", a sparse file.
func writeZeros(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), nil, 0o644))
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// writeCutZip makes the first half of a zip archive.
func writeCutZip(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("archive/data.pkl")
	ts.Check(err)
	_, err = w.Write(bytes.Repeat([]byte("abc"), 100))
	ts.Check(err)
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes()[:b.Len()/2], 0o644))
}

// writeLatin1 makes Python source with bytes that are no UTF-8 before and in a call.
func writeLatin1(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("import torch\nname = \"\xe9\xff\"\nmodel = torch.load(\"\xe9.pt\")\n"), 0o644))
}
