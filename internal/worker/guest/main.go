//go:build wasip1 || scanworker

// Command guest is the worker as a WebAssembly module: `make wasm` builds it and the next build of
// secure-torch embeds it. It talks to the parent over standard input and output, and has nothing else.
package main

import "github.com/secure-torch/secure-torch/internal/worker"

func main() { worker.Main() }
