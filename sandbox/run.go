package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// running is one request under way, on the parent's side.
type running struct {
	w      *Worker
	req    *Request
	visit  func(int, []byte, error) bool
	id     uint32
	item   int // the one whose answer is due
	budget int64
	answer []byte
}

// send writes the request. A request that spans several frames carries its descriptors in the first ones.
func (r *running) send(body []byte, descriptors []*os.File) error {
	f := frame{kind: frameRequest, request: r.id}
	for len(descriptors) > filesPerFrame { // empty frames that only carry descriptors
		f.flags = flagMore
		if err := r.w.conn.send(f, descriptors[:filesPerFrame]); err != nil {
			return err
		}
		descriptors = descriptors[filesPerFrame:]
	}
	return f.chunks(body, func(f frame) error {
		files := descriptors
		descriptors = nil
		return r.w.conn.send(f, files)
	})
}

// one receives the answer to one item, serving its reads meanwhile.
func (r *running) one() error {
	deadline := r.req.Items[r.item].Deadline
	if deadline > 0 {
		timer := time.AfterFunc(deadline, func() { r.w.kill(timedOut(deadline)) })
		defer timer.Stop()
	}
	r.answer = r.answer[:0]
	for {
		f, _, err := r.w.conn.recv()
		if err == nil {
			err = r.check(f)
		}
		if err != nil {
			return r.w.autopsy(asGarbled(err))
		}
		switch f.kind {
		case frameRead:
			if err := r.read(f.payload); err != nil {
				return r.w.autopsy(asGarbled(err))
			}
		case frameFailed:
			return r.finish(nil, errors.New(string(f.payload)))
		case frameResult:
			r.answer = append(r.answer, f.payload...)
			if !f.more() {
				return r.finish(r.answer, nil)
			}
		}
	}
}

// errProtocol marks what only a broken or hostile worker sends.
var errProtocol = errors.New("protocol")

// asGarbled turns a breach of the protocol, or bytes that are no frame, into a Failure that kills.
// An end of file is left as it is: the process's own end explains it better.
func asGarbled(err error) error {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, os.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return err
		}
	}
	return garbled("%v", err)
}

// check refuses what does not belong to the item that is due.
func (r *running) check(f frame) error {
	switch {
	case f.request != r.id || f.item != uint32(r.item):
		return fmt.Errorf("%w: answer to item %d of request %d, due is %d of %d", errProtocol, f.item, f.request, r.item, r.id)
	case f.kind != frameResult && f.kind != frameFailed && f.kind != frameRead:
		return fmt.Errorf("%w: frame of kind %d", errProtocol, f.kind)
	case len(r.answer)+len(f.payload) > max(r.req.MaxResult, 4096):
		return fmt.Errorf("%w: answer longer than %d bytes", errProtocol, r.req.MaxResult)
	case f.kind != frameResult && f.more():
		return fmt.Errorf("%w: frame of kind %d in parts", errProtocol, f.kind)
	}
	return nil
}

func (r *running) finish(answer []byte, handler error) error {
	item := r.item
	r.item++
	r.w.done++
	if !r.visit(item, answer, handler) {
		r.w.Close()
		r.item = len(r.req.Items)
	}
	return nil
}

// read answers a worker's request for bytes.
func (r *running) read(ask []byte) error {
	if len(ask) != 16 {
		return fmt.Errorf("%w: read request of %d bytes", errProtocol, len(ask))
	}
	index := binary.LittleEndian.Uint32(ask)
	off := int64(binary.LittleEndian.Uint64(ask[4:]))
	n := int64(binary.LittleEndian.Uint32(ask[12:]))
	files := r.req.Items[r.item].Files
	if int64(index) >= int64(len(files)) || off < 0 || n > readChunk {
		return fmt.Errorf("%w: read of %d bytes at %d of file %d", errProtocol, n, off, index)
	}
	data := frame{kind: frameData, request: r.id, item: uint32(r.item)}
	if r.req.ReadBudget > 0 && n > r.budget {
		data.flags, data.payload = flagError, []byte("the budget for reads is used up")
		return r.w.conn.send(data, nil)
	}
	r.budget -= n
	buf := make([]byte, n)
	got, err := files[index].reader().ReadAt(buf, off)
	if err != nil && !errors.Is(err, io.EOF) {
		text := err.Error()
		data.flags, data.payload = flagError, []byte(text[:min(len(text), 1024)])
		return r.w.conn.send(data, nil)
	}
	return data.chunks(buf[:got], func(f frame) error { return r.w.conn.send(f, nil) })
}
