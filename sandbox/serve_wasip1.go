package sandbox

import (
	"encoding/json"
	"io"

	"github.com/secure-torch/secure-torch/sandbox/probe"
)

// probeHere asks the host for what the module must not have, to show that it has not.
func probeHere(job Job, out io.Writer) error {
	var ask probeParams
	if err := json.Unmarshal(job.Params, &ask); err != nil {
		return err
	}
	outcome, err := probe.Run(ask.Name)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, outcome)
	return err
}
