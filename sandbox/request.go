package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

// File is one run of bytes that a worker may read.
type File struct {
	// Name is a label: the worker never opens it.
	Name string
	Size int64
	// Descriptor is open for reading only. The worker gets it where descriptors can travel.
	Descriptor *os.File
	// R answers the worker's reads where there is no Descriptor, or it can't travel.
	R io.ReaderAt
}

// Item is one job of a Request.
type Item struct {
	Params any // anything encoding/json takes
	Files  []File
	// Deadline bounds the wall time of this item.
	Deadline time.Duration
}

// Request is a batch of items for one worker, answered in order.
type Request struct {
	Kind string
	// Params of the items that have none of their own.
	Params any
	Items  []Item
	// MaxResult bounds the bytes that one item's answer may have.
	MaxResult int
	// ReadBudget bounds the bytes answered by File.R in the whole request; 0 stands for no bound.
	ReadBudget int64
}

// MaxItems and MaxFiles bound one Request.
const (
	MaxItems = 256
	MaxFiles = 128
)

type wireFile struct {
	Name string `json:"n"`
	Size int64  `json:"s"`
	Sent bool   `json:"d,omitempty"` // a descriptor came beside the request
}

type wireItem struct {
	Params json.RawMessage `json:"p,omitempty"`
	Files  []wireFile      `json:"f"`
}

type wireRequest struct {
	Kind   string          `json:"k"`
	Params json.RawMessage `json:"p,omitempty"`
	Items  []wireItem      `json:"i"`
}

// encode writes the request as the worker reads it, and lists the descriptors to send in order.
func (r *Request) encode(passes bool) ([]byte, []*os.File, error) {
	wire := wireRequest{Kind: r.Kind, Items: make([]wireItem, len(r.Items))}
	var descriptors []*os.File
	if r.Params != nil {
		params, err := json.Marshal(r.Params)
		if err != nil {
			return nil, nil, fmt.Errorf("parameters: %w", err)
		}
		wire.Params = params
	}
	files := 0
	for i, item := range r.Items {
		if item.Params != nil {
			params, err := json.Marshal(item.Params)
			if err != nil {
				return nil, nil, fmt.Errorf("parameters of item %d: %w", i, err)
			}
			wire.Items[i].Params = params
		}
		files += len(item.Files)
		wire.Items[i].Files = make([]wireFile, len(item.Files))
		for j, f := range item.Files {
			sent := passes && f.Descriptor != nil
			wire.Items[i].Files[j] = wireFile{Name: f.Name, Size: f.Size, Sent: sent}
			if sent {
				descriptors = append(descriptors, f.Descriptor)
			} else if f.R == nil && f.Descriptor == nil {
				return nil, nil, fmt.Errorf("file %q has neither descriptor nor reader", f.Name)
			}
		}
	}
	if len(r.Items) > MaxItems || files > MaxFiles {
		return nil, nil, fmt.Errorf("request of %d items and %d files is over %d and %d", len(r.Items), files, MaxItems, MaxFiles)
	}
	body, err := json.Marshal(wire)
	return body, descriptors, err
}

// reader of a file's bytes on the parent's side.
func (f File) reader() io.ReaderAt {
	if f.R != nil {
		return f.R
	}
	return f.Descriptor
}
