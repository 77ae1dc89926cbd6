//go:build linux

package sandbox

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

func FuzzFrame(f *testing.F) {
	f.Add(frame{kind: frameResult, request: 1, payload: []byte("{}")}.append(nil))
	f.Add(frame{kind: frameRead, flags: flagMore, request: 1, item: 7, payload: make([]byte, 16)}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parseFrame(b)
		if err != nil {
			return
		}
		if back := got.append(nil); !bytes.Equal(back, b) {
			t.Errorf("%x came back as %x", b, back)
		}
	})
}

type discard struct{ io.Writer }

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }

// FuzzParent: whatever a worker says, the parent ends, visits each item at most once, in order, and keeps
// answers within their bound.
func FuzzParent(f *testing.F) {
	result := func(item uint32, flags uint16, payload string) []byte {
		return frame{kind: frameResult, flags: flags, request: 1, item: item, payload: []byte(payload)}.append(nil)
	}
	f.Add(bytes.Join([][]byte{result(0, 0, "a"), result(1, 0, "b")}, nil))
	f.Add(bytes.Join([][]byte{result(0, flagMore, strings.Repeat("x", 5000)), result(0, 0, "b")}, nil))
	f.Add(frame{kind: frameRead, request: 1, payload: []byte{0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127, 4, 0, 0, 0}}.append(nil))
	f.Add(frame{kind: frameFailed, request: 1, payload: []byte("no")}.append(nil))
	f.Add([]byte{frameVersion, 9})
	corpse := exec.Command("/bin/true")
	if err := corpse.Run(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		w := &Worker{cmd: corpse, stderr: &tail{}, exited: make(chan struct{})}
		close(w.exited)
		w.conn = &streamConn{in: io.NopCloser(bytes.NewReader(said)), out: discard{}}
		const limit = 8 << 10
		files := []File{{Name: "f", Size: 10, R: strings.NewReader("0123456789")}}
		req := Request{Kind: "scan", MaxResult: limit, ReadBudget: 1 << 20, Items: []Item{{Files: files}, {Files: files}}}
		next := 0
		err := w.Run(t.Context(), req, func(item int, answer []byte, _ error) bool {
			if item != next || len(answer) > limit {
				t.Errorf("item %d with %d bytes, due is %d", item, len(answer), next)
			}
			next++
			return true
		})
		if _, failed := errors.AsType[*Failure](err); (err == nil) != (next == 2) || err != nil && !failed {
			t.Errorf("%d of 2 items visited, %v", next, err)
		}
	})
}

// FuzzWorker: whatever comes to a worker, its loop ends with the input, and never reads past what a file has.
func FuzzWorker(f *testing.F) {
	request := func(body string) []byte {
		return frame{kind: frameRequest, request: 1, payload: []byte(body)}.append(nil)
	}
	data := frame{kind: frameData, request: 1, payload: []byte("0123456789")}.append(nil)
	f.Add(append(request(`{"k":"read","i":[{"f":[{"n":"f","s":10}]}]}`), data...))
	f.Add(append(request(`{"k":"read","i":[{"f":[{"n":"f","s":20}]}]}`), data...))
	f.Add(request(`{"k":"read","i":[{"f":[{"n":"f","s":10,"d":true}]}]}`))
	f.Add(request(`{"k":"names","i":[{},{}]}`))
	f.Fuzz(func(t *testing.T, sent []byte) {
		read := func(job Job, out io.Writer) error {
			for _, in := range job.Files {
				buf := make([]byte, min(max(in.Size, 0), 1<<16))
				if n, err := in.ReadAt(buf, 0); n > len(buf) || n < len(buf) && err == nil {
					t.Errorf("%d of %d bytes, %v", n, len(buf), err)
				}
			}
			_, err := io.WriteString(out, job.Kind)
			return err
		}
		s := &server{conn: &streamConn{in: io.NopCloser(bytes.NewReader(sent)), out: discard{}}, handle: read}
		for range 1 + len(sent)/headerSize {
			if s.next() != nil {
				return
			}
		}
		t.Error("more requests than bytes")
	})
}
