// Package pickle tells what unpickling a stream would do, without unpickling it: an abstract machine
// runs every opcode of protocols 0 to 5 on symbolic values, so that each import and each call is known
// with its arguments. Nothing is imported, nothing is called, no object is built.
package pickle

import (
	"context"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Dialect says which loader reads the stream: what its persistent ids mean and what stands inline
// between its opcodes. The zero Dialect assumes nothing but pickle.load.
type Dialect uint8

// Dialects.
const (
	Any         Dialect = iota // pickle.load of a file
	Torch                      // torch.load: persistent ids are ('storage', type, key, location, numel)
	TorchScript                // torch.jit.load: Torch, and classes __torch__.* live in the archive's code
	Joblib                     // joblib.load: array bytes stand inline after a NumpyArrayWrapper's BUILD
	NumpyObject                // numpy.load(allow_pickle=True) of an object array
)

// Options say how Scan reads.
type Options struct {
	Dialect Dialect
	// Start is the source offset of the first stream.
	Start int64
	// MaxStreams ends the run after so many streams; 0 reads on for as long as a stream follows
	// another, then looks for further ones behind junk.
	MaxStreams int
	// AfterBuild, when set, is called after each BUILD of an instance whose class was named in the
	// stream. It returns the source offset at which the stream goes on: Built.Pos, or behind bytes
	// that the loader reads there itself. An error ends the scan as if the stream were malformed there.
	AfterBuild func(context.Context, Built) (next int64, err error)
	// Bytes, when set, is told where each literal of bytes or a bytearray stands in the source.
	Bytes func(off, n int64)
}

// Built is an instance after its BUILD opcode.
type Built struct {
	Module, Name string // of its class, as the stream writes them
	State        Node   // argument of BUILD
	Pos          int64  // source offset of the byte after BUILD
}

// Result of a Scan.
type Result struct {
	// End is the source offset behind the last byte read: joblib arrays and legacy torch storages go on there.
	End int64
	// FrameEnd is where the last FRAME of the last stream ends. Behind End, it is where CPython's C unpickler
	// leaves a file that can't peek: a frame's bytes are read at once (Modules/_pickle.c, load_frame).
	FrameEnd int64
	// Streams that ended in STOP.
	Streams int
	// Storages of the last stream, in the Torch dialect: the name of the storage class ("FloatStorage") by
	// key, as the key's first persistent id has it; "" for a class that was computed. Nil where the readings
	// of unpicklers differ.
	Storages map[string]string
}

// Scan reads the source as a run of pickle streams and reports what loading them would do. What it
// found before an error stands. The error wraps ErrMalformed or modelscan.ErrLimit and names the
// offset at which the reading stopped; the caller hands it on, so that it becomes a gap.
func Scan(ctx context.Context, p *modelscan.Pass, opts Options) (Result, error) {
	s := &scanner{ctx: ctx, pass: p, opts: opts}
	return s.run()
}
