//go:build embedworker

package twin

import _ "embed"

// image is what `make build` made just before this program, for the same kind of machine.
//
//go:embed scan-worker-amd64
var image string
