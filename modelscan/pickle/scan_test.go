package pickle_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

func scan(t testing.TB, data []byte) *modelscan.Report {
	t.Helper()
	src := modelscan.Source{Name: "model.pkl", R: bytes.NewReader(data), Size: int64(len(data))}
	return modelscan.Scan(t.Context(), src, []*modelscan.Format{pickle.Format}, modelscan.DefaultLimits())
}

func TestSystemCall(t *testing.T) {
	r := scan(t, []byte("\x80\x02cposix\nsystem\nX\x0a\x00\x00\x00echo pwned\x85R."))
	if r.Verdict() != modelscan.Unsafe || len(r.Findings) != 1 {
		t.Fatalf("got %v %+v", r.Verdict(), r)
	}
	if f := r.Findings[0]; f.Offset != 0x20 || !strings.Contains(f.Message, "would call posix.system('echo pwned') on load") {
		t.Errorf("got %+v", f)
	}
}

func TestCutOffStreamKeepsWhatCameBefore(t *testing.T) {
	r := scan(t, []byte("cposix\nsystem\n(S'echo pwned'\ntRX\xff"))
	if r.Verdict() != modelscan.Unsafe || len(r.Gaps) != 1 {
		t.Fatalf("got %v %+v", r.Verdict(), r)
	}
}
