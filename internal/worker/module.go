//go:build !wasip1 && !scanworker

package worker

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// modules holds the worker as a WebAssembly module, where it was built before.
//
//go:embed module
var modules embed.FS

// ErrNotBuilt says that this program was built without the module.
var ErrNotBuilt = errors.New("this build holds no WebAssembly worker: run `make wasm` and build again")

// maxModule bounds the module, in bytes.
const maxModule = 64 << 20

// Module returns the module, or ErrNotBuilt.
func Module() ([]byte, error) {
	packed, err := modules.ReadFile("module/worker.wasm.gz")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("the WebAssembly worker: %w", err)
	}
	var module bytes.Buffer
	if _, err := io.Copy(&module, io.LimitReader(r, maxModule)); err != nil {
		return nil, fmt.Errorf("the WebAssembly worker: %w", err)
	}
	return module.Bytes(), nil
}
