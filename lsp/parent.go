package lsp

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// parentPause is the pause between two looks at whether the client is still there.
const parentPause = 2 * time.Second

// endWith ends the session when the process that started the server ends, as the protocol asks: the input need not end
// with it, as another process may hold its other end.
func (s *Server) endWith(pid int) {
	p, err := os.FindProcess(pid)
	tick := time.NewTicker(parentPause)
	defer tick.Stop()
	for there := true; there; there = err == nil && alive(p) {
		select {
		case <-tick.C: // the first look waits too: the answer to initialize goes out before the session ends
		case <-s.ctx.Done():
			return
		}
	}
	if errors.Is(err, os.ErrPermission) { // it is there, and we may not look at it
		return
	}
	s.log.Warn("the client's process is not there: the session ends", "pid", pid)
	s.end()
}

// alive says whether a process is there and has not ended. Where the system has handles of processes, p is one, so that
// it can't be another process of the same number.
func alive(p *os.Process) bool {
	if runtime.GOOS == "windows" { // there it may be any process, and only waited for
		_, err := p.Wait()
		return err != nil && errors.Is(err, os.ErrPermission)
	}
	if err := p.Signal(syscall.Signal(0)); err != nil {
		return errors.Is(err, os.ErrPermission)
	}
	return !zombie(p.Pid)
}

// zombie says whether a process has ended and nobody has asked yet how; false where the system does not say.
func zombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(text[max(0, bytes.LastIndexByte(text, ')')):], []byte(" ")) // the name before it may hold anything
	return len(rest) > 0 && (rest[0] == 'Z' || rest[0] == 'X')
}
