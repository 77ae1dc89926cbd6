// Command secure-torch-index is `secure-torch index` without everything else. The Python package starts it for
// every load, and secure-torch itself takes three times as long to start: it has the parsers of signatures and
// policies in it. Its worker is this program again; built with the tag scanworker, it has the scan role alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/secure-torch/secure-torch/internal/describe"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/worker"
	"github.com/secure-torch/secure-torch/sandbox"
)

// version is set by the build: -ldflags "-X main.version=1.2.3".
var version = "devel"

func main() {
	if worker.Wanted(os.Args) {
		worker.Main()
	}
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("secure-torch-index", flag.ContinueOnError)
	fd := flags.Int("fd", -1, "descriptor of the file, open for reading")
	name := flags.String("name", "model", "what the report calls the file")
	graph := flags.String("graph", "loadable", "describe the objects: when loadable, always or never")
	if err := flags.Parse(args); err != nil {
		return err
	}
	how, known := describe.Modes()[*graph]
	if !known || flags.NArg() > 0 {
		return fmt.Errorf("--graph %q, arguments %q: loadable, always or never, and none", *graph, flags.Args())
	}
	f, err := describe.Descriptor(*fd, *name)
	if err != nil {
		return err
	}
	defer f.Close() // opened for reading
	e, err := engine.New(engine.Options{Mode: sandbox.Strict, Workers: 1, Lazy: true})
	if err != nil {
		return err
	}
	defer e.Close()
	a, nodes, err := e.IndexFile(ctx, f, how)
	if err != nil {
		return err
	}
	return describe.Write(os.Stdout, version, a, nodes)
}
