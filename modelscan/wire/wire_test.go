package wire

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func message(build func([]byte) []byte) Message {
	b := build(nil)
	return Open(bytes.NewReader(b), int64(len(b)))
}

func TestUnknownGroupsHideNothing(t *testing.T) {
	m := message(func(b []byte) []byte {
		b = protowire.AppendTag(b, 99, protowire.StartGroupType)
		b = protowire.AppendTag(b, 98, protowire.StartGroupType)
		b = protowire.AppendTag(b, 98, protowire.EndGroupType)
		b = protowire.AppendTag(b, 99, protowire.EndGroupType)
		b = protowire.AppendTag(b, 7, protowire.BytesType)
		return protowire.AppendString(b, "seen")
	})
	var got string
	if err := m.Each(func(f Field) error {
		if f.Is(7) {
			got = f.Body.Text(100)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got != "seen" {
		t.Errorf("got %q", got)
	}
}

func TestValuesAcrossTheWindow(t *testing.T) {
	m := message(func(b []byte) []byte {
		for range 5 {
			b = protowire.AppendTag(b, 1, protowire.BytesType)
			b = protowire.AppendBytes(b, make([]byte, windowSize-3))
			b = protowire.AppendTag(b, 2, protowire.VarintType)
			b = protowire.AppendVarint(b, 1<<63)
			b = protowire.AppendTag(b, 3, protowire.Fixed64Type)
			b = protowire.AppendFixed64(b, 5)
		}
		return b
	})
	sum := map[protowire.Number]int{}
	err := m.Each(func(f Field) error {
		sum[f.Num]++
		if f.Num == 2 && f.Int != 1<<63 || f.Num == 3 && f.Int != 5 {
			t.Errorf("field %d = %d", f.Num, f.Int)
		}
		return nil
	})
	if err != nil || sum[1] != 5 || sum[2] != 5 || sum[3] != 5 {
		t.Errorf("%v, %v", sum, err)
	}
}

func TestMalformed(t *testing.T) {
	for name, b := range map[string][]byte{
		"length past the end": {0x3a, 0x7f, 1},
		"cut varint":          {0x08, 0x80},
		"end without group":   {0x0c},
		"group without end":   {0x0b, 0x08, 1},
		"field number 0":      {0x00, 0x01},
		"wire type 7":         {0x0f},
	} {
		m := Open(bytes.NewReader(b), int64(len(b)))
		if err := m.Each(func(Field) error { return nil }); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzEach(f *testing.F) {
	f.Add([]byte{0x08, 0x01, 0x12, 0x01, 'a', 0x0b, 0x0c})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := Open(bytes.NewReader(b), int64(len(b)))
		last := int64(-1)
		m.Each(func(f Field) error {
			if f.Off <= last || f.Body.Off+f.Body.Len > int64(len(b)) {
				t.Fatalf("field at %d after %d, body to %d", f.Off, last, f.Body.Off+f.Body.Len)
			}
			last = f.Off
			return nil
		})
	})
}

func TestMayHold(t *testing.T) {
	for _, c := range []struct {
		head string
		size int64
		want bool
	}{
		{"", 0, false}, {"", 1, true}, {"xxx", 3, false}, {"xx:", 3, true}, {"xx\xba", 3, true}, {"xx2", 3, false}, {"xxB", 3, false}, {"xx8", 3, true},
	} {
		if got := MayHold([]byte(c.head), c.size, 7, 7); got != c.want {
			t.Errorf("%q of %d: %v", c.head, c.size, got)
		}
	}
}
