//go:build !linux

package sandbox

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// ownExecutable names this process's executable.
func ownExecutable() (string, error) { return os.Executable() }

// rootDir is the worker's working directory: the one of this process.
func rootDir() string { return "" }

// workerEnv is a worker's whole environment. Windows starts no program without SYSTEMROOT.
func workerEnv(procs int) []string {
	env := []string{"GOTRACEBACK=none", "GOMAXPROCS=" + strconv.Itoa(procs)}
	if root, ok := os.LookupEnv("SYSTEMROOT"); ok {
		env = append(env, "SYSTEMROOT="+root)
	}
	return env
}

func processAttributes() *syscall.SysProcAttr { return nil }

// connect starts cmd with a transport to it.
func connect(cmd *exec.Cmd, spec Spec) (conn, error) { return launchStream(cmd, spec) }

// killedBy has no signals to name here.
func killedBy(*os.ProcessState) (string, bool) { return "", false }

// resident is not known here.
func (w *Worker) resident() int64 { return 0 }
