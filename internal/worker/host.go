//go:build !wasip1 && !scanworker

package worker

import (
	"context"

	"github.com/secure-torch/secure-torch/sandbox"
	"github.com/secure-torch/secure-torch/sandbox/wasm"
)

// serve is the worker's main: as a module of its own in this process when that was asked for.
func serve(args []string) error {
	cacheDir, asked := sandbox.WasmHost(args)
	if !asked {
		return sandbox.Serve(args, roles())
	}
	module, err := Module()
	if err != nil {
		return err
	}
	return wasm.Host(context.Background(), module, cacheDir, sandbox.GuestArgs())
}
