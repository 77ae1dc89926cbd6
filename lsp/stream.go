package lsp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// Limits of one message. The peer is an editor, yet a broken one must not take the server's memory or stack.
const (
	maxBody    = 64 << 20 // bytes; editors stop syncing documents well below
	maxHeader  = 4 << 10  // bytes of one header block
	maxNesting = 256      // of arrays and objects; the decoders recurse
	flushWait  = 2 * time.Second
)

var errFraming = errors.New("lsp: malformed header")

// stream frames messages as the LSP base protocol does. It differs from jsonrpc2's own in its limits, in
// answering an unreadable message with an error where that one ends the session, and in letting every
// reply out before `exit` or the end of input ends it.
type stream struct {
	in  *bufio.Reader
	out io.Writer

	end   func()          // closes ended, once
	ended <-chan struct{} // nothing more will be read

	mu      sync.Mutex // guards out and pending
	pending int        // requests not yet answered
	settled *sync.Cond // pending may have become 0
}

func newStream(in io.Reader, out io.Writer) *stream {
	ended := make(chan struct{})
	s := &stream{
		in: bufio.NewReaderSize(in, 64<<10), out: out,
		end: sync.OnceFunc(func() { close(ended) }), ended: ended,
	}
	s.settled = sync.NewCond(&s.mu)
	return s
}

// Read returns the next message that can be understood. Those that cannot are answered here.
func (s *stream) Read(ctx context.Context) (msg jsonrpc2.Message, size int64, err error) {
	defer func() {
		if err != nil {
			s.end()
		}
	}()
	for {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		body, err := s.readFrame()
		if err != nil {
			s.flush()
			return nil, 0, err
		}
		msg, err = decode(body)
		if err != nil {
			s.expectReply()
			if _, err := s.Write(ctx, jsonrpc2.NewResponse(jsonrpc2.ID{}, nil, err)); err != nil {
				return nil, 0, err
			}
			continue
		}
		switch m := msg.(type) {
		case *jsonrpc2.Call:
			s.expectReply()
		case *jsonrpc2.Notification:
			if m.Method() == protocol.MethodExit {
				s.flush()
				return nil, 0, io.EOF
			}
		}
		return msg, int64(len(body)), nil
	}
}

func (s *stream) expectReply() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending++
}

func decode(body []byte) (jsonrpc2.Message, error) {
	if deeperThan(body, maxNesting) {
		return nil, fmt.Errorf("%w: nested deeper than %d", jsonrpc2.ErrParse, maxNesting)
	}
	msg, err := jsonrpc2.DecodeMessage(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", jsonrpc2.ErrParse, err)
	}
	if call, ok := msg.(*jsonrpc2.Call); ok {
		if id, _ := call.ID().StringValue(); !utf8.ValidString(id) { // its reply would be no JSON
			return nil, fmt.Errorf("%w: the id is no UTF-8", jsonrpc2.ErrParse)
		}
	}
	return msg, nil
}

// deeperThan reports whether brackets outside strings nest deeper than limit.
func deeperThan(body []byte, limit int) bool {
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			if depth++; depth > limit {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}

// readFrame reads one header block and the body it announces. Each body is a slice of its own: requests
// borrow from it. Memory grows with the bytes that arrive, not with the length that is claimed.
func (s *stream) readFrame() ([]byte, error) {
	length, err := s.readHeader()
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	body.Grow(min(length, 1<<20))
	if n, err := io.CopyN(&body, s.in, int64(length)); err != nil {
		return nil, fmt.Errorf("lsp: body of %d bytes ended after %d: %w", length, n, io.ErrUnexpectedEOF)
	}
	return body.Bytes(), nil
}

// readHeader returns the value of Content-Length. It refuses a block over maxHeader bytes, a length of
// zero or over maxBody, and a block without one.
func (s *stream) readHeader() (int, error) {
	length, used := 0, 0
	for {
		line, err := s.in.ReadSlice('\n') // at most the reader's buffer
		if used += len(line); err != nil || used > maxHeader {
			if used == 0 && errors.Is(err, io.EOF) {
				return 0, io.EOF
			}
			return 0, fmt.Errorf("%w after %d bytes", errFraming, used)
		}
		text := strings.TrimSpace(string(line))
		if text == "" {
			if length == 0 {
				return 0, fmt.Errorf("%w: no Content-Length", errFraming)
			}
			return length, nil
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return 0, fmt.Errorf("%w: a line without a colon", errFraming)
		}
		if !strings.EqualFold(name, "Content-Length") {
			continue
		}
		if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil || length <= 0 || length > maxBody {
			return 0, fmt.Errorf("%w: Content-Length %.20q", errFraming, value)
		}
	}
}

// responsePrefix is how jsonrpc2 begins a response, and no other message.
var responsePrefix = []byte(`{"jsonrpc":"2.0","id":`)

// Write frames one message and writes it in one piece. A reply is written even when its request was cancelled.
func (s *stream) Write(_ context.Context, msg jsonrpc2.Message) (int64, error) {
	body, err := jsonrpc2.EncodeMessage(msg)
	if err != nil {
		return 0, fmt.Errorf("lsp: encode: %w", err)
	}
	frame := append(fmt.Appendf(nil, "Content-Length: %d\r\n\r\n", len(body)), body...)
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.out.Write(frame)
	if bytes.HasPrefix(body, responsePrefix) && s.pending > 0 {
		s.pending--
		s.settled.Broadcast()
	}
	return int64(n), err
}

// flush waits until every request is answered, but no longer than flushWait.
func (s *stream) flush() {
	late := time.Now().Add(flushWait)
	wake := time.AfterFunc(flushWait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.settled.Broadcast()
	})
	defer wake.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.pending > 0 && time.Now().Before(late) {
		s.settled.Wait()
	}
}

// Close ends the session. It leaves the ends it was made from open: they belong to the process.
func (s *stream) Close() error {
	s.end()
	return nil
}
