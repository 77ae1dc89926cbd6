package modelscan

import (
	"errors"
	"fmt"
)

// ErrLimit is wrapped by every error that says a limit was reached. It always becomes a ST902 gap.
var ErrLimit = errors.New("over the limit")

// ErrNotSupported is wrapped by every error that says what was met is known, but not read here. It always becomes a ST903 gap.
var ErrNotSupported = errors.New("not supported yet")

// Limits bound the work that hostile bytes can cause. Reaching one reads "incomplete", never clean.
type Limits struct {
	MaxDepth        int   // containers inside containers
	MaxSources      int   // sources scanned in one artifact
	MaxEntries      int   // entries of one archive
	MaxBuffer       int64 // bytes read into memory at once
	MaxDecompressed int64 // bytes that decompression may produce in one artifact, however large it is
	MaxRatio        int64 // of those bytes to the artifact's size, above a floor of RatioFloor bytes
	MaxFindings     int   // findings kept; the rest are counted
	MaxGaps         int   // gaps kept; the rest are counted
	MaxFacts        int   // facts kept; 0 for none
	MaxOpcodes      int64 // pickle opcodes in one stream
	MaxMemory       int64 // bytes of abstract machine state (stack, memo) in one stream
	MaxRawSummed    int64 // bytes of one archive's raw tensor records whose checksums are compared; negative for all, 0: none is opened
}

// DefaultLimits are those of `scan`.
func DefaultLimits() Limits {
	return Limits{
		MaxDepth: 8, MaxSources: 200_000, MaxEntries: 300_000,
		MaxBuffer: 64 << 20, MaxDecompressed: 8 << 30, MaxRatio: 50,
		MaxFindings: 200, MaxGaps: 200, MaxFacts: 0,
		MaxOpcodes: 1 << 40, MaxMemory: 160 << 20,
		MaxRawSummed: 1 << 20,
	}
}

// RatioFloor is what decompression may produce of any artifact, however small it is. What bzip2, LZMA and xz
// produce above 50 times their input counts twice: they are slow.
const RatioFloor = 256 << 20

// Budget is what decompression may still produce in one artifact: a bomb is many times its own size.
// The zero value allows nothing; a nil Budget allows everything.
type Budget struct{ left int64 }

// NewBudget allows an artifact of the given size what lim says.
func NewBudget(lim *Limits, size int64) *Budget {
	left := lim.MaxDecompressed
	if lim.MaxRatio > 0 && size < (left-RatioFloor)/lim.MaxRatio {
		left = RatioFloor + size*lim.MaxRatio
	}
	return &Budget{left: left}
}

// Take spends n bytes. It fails with ErrLimit when they are not there.
func (b *Budget) Take(n int64) error {
	if b == nil {
		return nil
	}
	if n > b.left {
		b.left = 0
		return fmt.Errorf("decompression: %w for one artifact", ErrLimit)
	}
	b.left -= n
	return nil
}
