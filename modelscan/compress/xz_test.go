package compress

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/secure-torch/secure-torch/modelscan"
)

// A file in which any one bit is wrong is refused by liblzma, so it must not be read to a good end here either.
func TestXZTellsOfEveryWrongBit(t *testing.T) {
	for _, check := range []byte{xz.CRC32, xz.CRC64, xz.SHA256} {
		var packed bytes.Buffer
		w, err := xz.WriterConfig{CheckSum: check, DictCap: 4096}.NewWriter(&packed)
		if err != nil {
			t.Fatal(err)
		}
		plain := strings.Repeat("some text of a model, ", 20)
		if _, err := io.WriteString(w, plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := unxz(packed.Bytes()); err != nil || got != plain {
			t.Fatalf("check %d: %q, %v", check, got, err)
		}
		for i := range packed.Len() * 8 {
			const packedSize = 12 + 12 + 3 // behind the stream's and the block's header: the decoder takes it for the most that it may read
			if i/8 == packedSize || i/8 == packedSize+1 {
				continue
			}
			b := bytes.Clone(packed.Bytes())
			b[i/8] ^= 1 << (i % 8)
			if _, err := unxz(b); err == nil {
				t.Errorf("check %d: bit %d of byte %d of %d is wrong, and nothing is told", check, i%8, i/8, len(b))
			}
		}
	}
}

func TestXZGivesWhatCameBeforeAWrongCheck(t *testing.T) {
	var packed bytes.Buffer
	w, _ := xz.WriterConfig{CheckSum: xz.CRC64, DictCap: 4096}.NewWriter(&packed)
	io.WriteString(w, "payload")
	w.Close()
	b := packed.Bytes()
	b[12+int(b[12]+1)*4+24] ^= 1 // a byte of the check, behind 21 bytes of LZMA2 and their padding
	if got, err := unxz(b); err == nil || got != "payload" {
		t.Errorf("%q, %v", got, err)
	}
}

func unxz(b []byte) (string, error) {
	r, err := XZ(Input{Reader: bytes.NewReader(b), Packed: int64(len(b)), Budget: modelscan.NewBudget(&modelscan.Limits{MaxDecompressed: 1 << 26}, int64(len(b)))})
	if err != nil {
		return "", err
	}
	out, err := io.ReadAll(r)
	return string(out), err
}
