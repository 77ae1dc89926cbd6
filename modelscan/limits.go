package modelscan

import "errors"

// ErrLimit is wrapped by every error that says a limit was reached. It always becomes a ST902 gap.
var ErrLimit = errors.New("over the limit")

// Limits bound the work that hostile bytes can cause. Reaching one reads "incomplete", never clean.
type Limits struct {
	MaxDepth        int   // containers inside containers
	MaxSources      int   // sources scanned in one artifact
	MaxEntries      int   // entries of one archive
	MaxBuffer       int64 // bytes read into memory at once
	MaxDecompressed int64 // bytes that decompression may produce in one artifact
	MaxFindings     int   // findings kept; the rest are counted
	MaxGaps         int   // gaps kept; the rest are counted
	MaxFacts        int   // facts kept; 0 for none
	MaxOpcodes      int64 // pickle opcodes in one stream
	MaxMemory       int64 // bytes of abstract machine state (stack, memo) in one stream
}

// DefaultLimits are those of `scan`.
func DefaultLimits() Limits {
	return Limits{
		MaxDepth: 8, MaxSources: 200_000, MaxEntries: 1_000_000,
		MaxBuffer: 64 << 20, MaxDecompressed: 8 << 30,
		MaxFindings: 200, MaxGaps: 200, MaxFacts: 0,
		MaxOpcodes: 1 << 40, MaxMemory: 160 << 20,
	}
}
