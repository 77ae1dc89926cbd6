package provenance

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// maxAudit is the size, in bytes, at which an audit log is put aside; one older log is kept.
const maxAudit = 64 << 20

// Audit is a log of decisions, one JSON object a line, each written through to the disk. A nil Audit writes nothing.
type Audit struct {
	mu   sync.Mutex
	path string
	file *os.File
}

// OpenAudit opens a log to append to. Only its owner may read it.
func OpenAudit(path string) (*Audit, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &Audit{path: path, file: f}, err
}

// Close closes the log.
func (l *Audit) Close() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}

// auditLine is one decision; docs/policies.md describes it.
type auditLine struct {
	Time     time.Time         `json:"time"`
	Path     string            `json:"path"`
	Digest   string            `json:"digest,omitempty"`
	Policy   string            `json:"policy_sha256"` // over names and texts of all modules
	Input    string            `json:"input_sha256"`
	Decision evidence.Decision `json:"decision"`
	MS       float64           `json:"ms"`
}

func (l *Audit) write(policies []evidence.Module, input []byte, path, digest string, d evidence.Decision, took time.Duration) error {
	if l == nil {
		return nil
	}
	var parts []string
	for _, m := range policies {
		parts = append(parts, m.Name, m.Text)
	}
	told := sha256.Sum256(input) // so that whoever kept the input finds the line again
	line, err := json.Marshal(auditLine{time.Now().UTC(), path, digest, key(parts...), hex.EncodeToString(told[:]), d, float64(took.Microseconds()) / 1000})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.rotate(); err != nil {
		return err
	}
	_, err = l.file.Write(append(line, '\n'))
	return errors.Join(err, l.file.Sync())
}

// rotate puts a full log aside. Where another process has done it, or somebody moved the log, it goes on in the new one:
// what was put aside is not put aside again.
func (l *Audit) rotate() error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(l.path)
	switch moved := err != nil || !os.SameFile(info, there); {
	case moved:
		err = l.file.Close()
	case info.Size() < maxAudit:
		return nil
	default:
		err = errors.Join(l.file.Close(), os.Rename(l.path, l.path+".1"))
	}
	if err != nil {
		return err
	}
	l.file, err = os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return err
}
