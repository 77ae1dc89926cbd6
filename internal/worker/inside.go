//go:build wasip1 || scanworker

package worker

import "github.com/secure-torch/secure-torch/sandbox"

// serve is the worker's main inside of the module.
func serve(args []string) error {
	return sandbox.Serve(args, sandbox.Roles{sandbox.Scan: newHandler()})
}
