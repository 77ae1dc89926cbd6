// Package remote is what is common to the stores that models are fetched from: what they list, how a file of
// theirs is read, and how what goes wrong is told apart. The packages below it are the only ones that open a
// connection, and only when a person asked for it by name.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// Resolver lists the files that a reference leads to. Nothing of them is read yet.
type Resolver interface {
	Resolve(ctx context.Context, r ref.Ref) (*Listing, error)
}

// Listing is a repository, or a part of it, at one commit.
type Listing struct {
	Name   string // as reports spell it: "hf:org/model@<commit>"
	Commit string // empty where the store has none
	Files  []File
	// Folders says that Files has all that lies in each folder that it has a file of.
	Folders bool
	// Notes are true of the whole listing and accuse nobody: "gated", "the hub has not scanned it yet".
	Notes []string
	// Beside returns a file of the store that is no part of the listing, so that what lies around a listed one can be
	// looked for; nil where there is none. It is nil itself where nothing else can be asked for. It is for one goroutine.
	Beside func(ctx context.Context, path string) (*File, error)
}

// File is one remote file.
type File struct {
	Name string // as reports spell it
	Path string // in the repository, valid by fs.ValidPath
	URI  string
	Size int64 // bytes, as the store says; -1 where it does not
	// SHA256 and BlobID are what the store says the content's digests are: of large files the first, of small
	// ones the second (git's, a SHA-1). Either may be empty.
	SHA256, BlobID string
	// Status is the word of the store's own scanners.
	Status Status
	// Open returns the file's bytes. It asks for none of them yet.
	Open func(ctx context.Context) Content
	// Download writes all of them, and returns how many there were.
	Download func(ctx context.Context, w io.Writer) (int64, error)
}

// Content is a file's bytes, fetched as they are read.
type Content interface {
	io.ReaderAt
	// Prefetch reads what every scan begins with, and finds out the size.
	Prefetch(ctx context.Context) error
	Size() int64
	// All is the whole content where all of it has been read, else nil and false.
	All() ([]byte, bool)
	// Err is the first failure of a read; nil when there was none.
	Err() error
	// Spent is what the reads have cost so far.
	Spent() Cost
}

// Cost of reading a file.
type Cost struct {
	Requests int   // sent, redirects and repeats included
	Bytes    int64 // received as content
}

// Status is what a store's own scanners say of a file.
type Status struct {
	// Level is "safe", "caution", "unsafe" or another word of theirs; "unknown" where they have not looked.
	Level string `json:"level"`
	// Scanners by name, with their words.
	Scanners map[string]string `json:"scanners,omitempty"`
}

// Kind of an Error. The zero Kind is Network.
type Kind uint8

// Kinds of Error.
const (
	Network     Kind = iota // no answer, or a broken one
	NotFound                // missing, private, or gated and nobody logged in: a hub does not tell them apart
	Gated                   // access has to be asked for on the repository's page
	Forbidden               // the token does not allow it
	Disabled                // taken down by the hub
	NoRevision              // the repository has no such revision
	NoEntry                 // the revision has no such file
	RateLimited             // and waiting did not help
	Server                  // the server's own failure
	Refused                 // the answer is not what was asked for, or is too large: it is not used
	Changed                 // the file is not what it was a moment ago
	Offline                 // the network may not be used
)

var hints = [...]string{
	Network:     "check the connection, and HTTPS_PROXY; nothing was loaded",
	NotFound:    "check the spelling; for a private or gated repository set HF_TOKEN, or log in with `hf auth login`",
	Gated:       "ask for access on the repository's page, then set HF_TOKEN",
	Forbidden:   "the token lacks the permission to read this repository",
	Disabled:    "the hub has taken the repository down: do not load a copy of it without knowing why",
	NoRevision:  "see the repository's branches, tags and commits",
	NoEntry:     "see the repository's files",
	RateLimited: "try again later, or set HF_TOKEN for a larger allowance",
	Server:      "try again later",
	Refused:     "the server, or a proxy on the way, does not do what it should: nothing it sent was believed",
	Changed:     "scan again; pin a commit to be sure of what is loaded",
	Offline:     "unset HF_HUB_OFFLINE, or drop --offline",
}

// Error says why something remote could not be read. It never holds a token.
type Error struct {
	Kind   Kind
	Status int    // of the HTTP answer; 0 where there was none
	Detail string // what was asked for, and what came
	Wait   time.Duration
	Err    error
}

func (e *Error) Error() string {
	text := e.Detail
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Hint is what to do about it.
func (e *Error) Hint() string { return hints[e.Kind] }

// KindOf is the Kind of the first Error in err's chain, and whether there is one.
func KindOf(err error) (Kind, bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return Network, false
	}
	return e.Kind, true
}

// ErrBudget says that a scan by ranges would have read more of a file than it may.
var ErrBudget = errors.New("a scan by ranges may not read more of one file")
