package lsp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// editor is a client that no library helps: what it reads must be framed JSON-RPC and nothing else.
type editor struct {
	t     testing.TB
	in    io.WriteCloser
	code  chan int
	serve *Server       // what it talks to; tests look into it only through held
	done  chan struct{} // closed when the reader has ended
	log   *syncBuffer
	write sync.Mutex

	mu      sync.Mutex
	changed *sync.Cond
	nextID  int
	replies map[string][]message // by id: a second reply to one id is a defect
	shown   map[string][]published
	told    []message // other notifications and requests of the server
	answer  func(message) any
	root    string // the workspace folder; empty: none
	client  string // its name; empty: it does not say
	options obj    // initializationOptions
	ended   bool
}

type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

type pos struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

type rng struct {
	Start pos `json:"start"`
	End   pos `json:"end"`
}

type shownDiag struct {
	Range    rng    `json:"range"`
	Severity int    `json:"severity"`
	Code     string `json:"code"`
	Source   string `json:"source"`
	Message  string `json:"message"`
}

type published struct {
	URI         string      `json:"uri"`
	Version     *int        `json:"version"`
	Diagnostics []shownDiag `json:"diagnostics"`
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

const patience = 20 * time.Second // how long a test waits for what must happen; it never waits for what must not

// start runs a server and connects an editor to it. The session is ended with the test.
func start(t testing.TB, opts Options) *editor {
	t.Helper()
	serverIn, editorOut := io.Pipe()
	editorIn, serverOut := io.Pipe()
	e := &editor{
		t: t, in: editorOut, code: make(chan int, 1), done: make(chan struct{}), log: &syncBuffer{},
		replies: map[string][]message{}, shown: map[string][]published{},
	}
	e.changed = sync.NewCond(&e.mu)
	opts.Log = slog.New(slog.NewTextHandler(e.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	ctx, cancel := context.WithCancel(context.Background())
	e.serve = newServer(ctx, opts)
	go func() {
		code := e.serve.serve(cancel, serverIn, serverOut)
		serverOut.Close()
		serverIn.Close()
		e.code <- code
	}()
	go e.read(bufio.NewReader(editorIn))
	t.Cleanup(func() {
		cancel()
		e.in.Close()
		<-e.done
		if t.Failed() {
			t.Logf("server log:\n%s", e.log)
		}
	})
	return e
}

func (e *editor) read(r *bufio.Reader) {
	defer close(e.done)
	for {
		msg, err := readFramed(r)
		e.mu.Lock()
		switch {
		case err != nil:
			e.ended = true
			if err != io.EOF {
				e.t.Errorf("the server's output: %v", err)
			}
		case msg.Method == "":
			e.replies[string(msg.ID)] = append(e.replies[string(msg.ID)], msg)
		case msg.Method == "textDocument/publishDiagnostics":
			var p published
			if err := json.Unmarshal(msg.Params, &p); err != nil {
				e.t.Errorf("publishDiagnostics: %v", err)
			}
			e.shown[p.URI] = append(e.shown[p.URI], p)
		default:
			e.told = append(e.told, msg)
		}
		e.changed.Broadcast()
		answer := e.answer
		e.mu.Unlock()
		if err != nil {
			return
		}
		if msg.Method != "" && msg.ID != nil {
			var result any
			if answer != nil {
				result = answer(msg)
			}
			go e.send(map[string]any{"jsonrpc": "2.0", "id": msg.ID, "result": result})
		}
	}
}

func readFramed(r *bufio.Reader) (message, error) {
	head, err := r.ReadString('\n')
	if err != nil {
		if head == "" {
			return message{}, io.EOF
		}
		return message{}, fmt.Errorf("%q: %w", head, err)
	}
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(head, "Content-Length: "), "\r\n"))
	if err != nil {
		return message{}, fmt.Errorf("header %q", head)
	}
	body := make([]byte, n+2)
	if _, err := io.ReadFull(r, body); err != nil || string(body[:2]) != "\r\n" {
		return message{}, fmt.Errorf("body %.40q: %v", body, err)
	}
	var m message
	dec := json.NewDecoder(bytes.NewReader(body[2:]))
	if err := dec.Decode(&m); err != nil {
		return message{}, fmt.Errorf("%.80q: %w", body, err)
	}
	return m, nil
}

func (e *editor) raw(frames string) {
	e.write.Lock()
	defer e.write.Unlock()
	if _, err := io.WriteString(e.in, frames); err != nil {
		e.t.Logf("write: %v", err)
	}
}

func frame(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

func (e *editor) send(v any) { e.raw(frame(v)) }

func (e *editor) notify(method string, params any) {
	e.send(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
}

// request sends a request and returns its id.
func (e *editor) request(method string, params any) string {
	e.mu.Lock()
	e.nextID++
	id := e.nextID
	e.mu.Unlock()
	m := map[string]any{"jsonrpc": "2.0", "id": id, "method": method}
	if params != nil {
		m["params"] = params
	}
	e.send(m)
	return strconv.Itoa(id)
}

// eventually waits until cond holds; it is asked anew whenever a message arrives.
func (e *editor) eventually(what string, cond func() bool) {
	e.t.Helper()
	late := time.Now().Add(patience)
	wake := time.AfterFunc(patience, func() { e.mu.Lock(); e.changed.Broadcast(); e.mu.Unlock() })
	defer wake.Stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	for !cond() {
		if e.ended || !time.Now().Before(late) {
			e.t.Fatalf("never: %s (session ended: %v)", what, e.ended)
		}
		e.changed.Wait()
	}
}

// until asks again and again, for what no message announces.
func (e *editor) until(what string, cond func() bool) {
	e.t.Helper()
	for late := time.Now().Add(patience); !cond(); {
		if time.Now().After(late) {
			e.t.Fatalf("never: %s", what)
		}
	}
}

// reply waits for the reply to a request.
func (e *editor) reply(id string) message {
	e.t.Helper()
	var m message
	e.eventually("a reply to "+id, func() bool {
		if len(e.replies[id]) == 0 {
			return false
		}
		m = e.replies[id][0]
		return true
	})
	return m
}

// call sends a request and decodes its result into result.
func (e *editor) call(method string, params, result any) {
	e.t.Helper()
	m := e.reply(e.request(method, params))
	if m.Error != nil {
		e.t.Fatalf("%s: %d %s", method, m.Error.Code, m.Error.Message)
	}
	if result != nil {
		if err := json.Unmarshal(m.Result, result); err != nil {
			e.t.Fatalf("%s: %v in %s", method, err, m.Result)
		}
	}
}

type obj = map[string]any

// full is what a modern editor says it can do.
func full(encodings ...string) obj {
	return obj{
		"general": obj{"positionEncodings": encodings},
		"textDocument": obj{
			"publishDiagnostics": obj{"versionSupport": true, "relatedInformation": true, "codeDescriptionSupport": true, "dataSupport": true},
		},
		"workspace": obj{"workspaceEdit": obj{"documentChanges": true}},
	}
}

func (e *editor) initialize(caps obj) obj {
	e.t.Helper()
	var res obj
	p := obj{"processId": nil, "rootUri": nil, "capabilities": caps, "initializationOptions": e.options}
	if e.client != "" {
		p["clientInfo"] = obj{"name": e.client}
	}
	if e.root != "" {
		p["workspaceFolders"] = []any{obj{"uri": e.root, "name": "root"}}
	}
	e.call("initialize", p, &res)
	e.notify("initialized", obj{})
	return res
}

func (e *editor) open(uri string, version int, text string) {
	e.notify("textDocument/didOpen", obj{"textDocument": obj{"uri": uri, "languageId": "python", "version": version, "text": text}})
}

func (e *editor) change(uri string, version int, changes ...obj) {
	e.notify("textDocument/didChange", obj{"textDocument": obj{"uri": uri, "version": version}, "contentChanges": changes})
}

func edit(line, from, to int, text string) obj {
	return obj{"range": rng{pos{line, from}, pos{line, to}}, "text": text}
}

// latest waits for the diagnostics of one version of a document to satisfy ok.
func (e *editor) latest(uri string, version int, ok func([]shownDiag) bool) []shownDiag {
	e.t.Helper()
	var got []shownDiag
	e.eventually(fmt.Sprintf("good diagnostics of version %d of %s", version, uri), func() bool {
		all := e.shown[uri]
		if len(all) == 0 {
			return false
		}
		last := all[len(all)-1]
		got = last.Diagnostics
		return last.Version != nil && *last.Version == version && ok(got)
	})
	return got
}

// publishedFor is everything shown for a document so far.
func (e *editor) publishedFor(uri string) []published {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.shown[uri])
}

// held counts what the server keeps of documents and models.
func (e *editor) held() (out map[string]int) {
	e.t.Helper()
	if err := e.serve.do(func(st *state) error {
		out = map[string]int{
			"documents": len(st.docs), "parsers": len(st.parsers), "scans": len(st.scans), "loads": len(st.loads), "runs": len(st.busy),
			"spellings": len(st.spelling), "publications": len(st.queue), "unopened": len(st.unopened), "bytes": st.held, "under way": st.front + st.back,
			"folders of single files": len(st.alone),
		}
		return nil
	}); err != nil {
		e.t.Fatal(err)
	}
	return out
}

// quit ends the session in the orderly way and returns the exit code.
func (e *editor) quit() int {
	e.t.Helper()
	e.call("shutdown", nil, nil)
	e.notify("exit", nil)
	return e.exitCode()
}

func (e *editor) exitCode() int {
	e.t.Helper()
	select {
	case code := <-e.code:
		return code
	case <-time.After(patience):
		e.t.Fatal("the server did not end")
		return -1
	}
}
