package pickleasm_test

import (
	"testing"

	"github.com/secure-torch/secure-torch/internal/modeltest/pickleasm"
)

func TestAssemble(t *testing.T) {
	cases := []struct{ program, want string }{
		{"PROTO 2\nGLOBAL posix system\nBINUNICODE \"echo\"\nTUPLE1\nREDUCE\nSTOP", "\x80\x02cposix\nsystem\nX\x04\x00\x00\x00echo\x85R."},
		{"CALL posix system \"e\" 5 None\nSTOP", "cposix\nsystem\n(X\x01\x00\x00\x00eJ\x05\x00\x00\x00NtR."},
		{"CALL4 random _os.system", "\x8c\x06random\x8c\x0a_os.system\x93(tR"},
		{"LONG1 -5", "\x8a\x01\xfb"},
		{"LONG1 255", "\x8a\x02\xff\x00"},
		{"LONG1 0", "\x8a\x00"},
		{"STRING 'a b'\nINT 01", "S'a b'\nI01\n"},
		{"BINUNICODE8 len=0xff \"x\"", "\x8d\xff\x00\x00\x00\x00\x00\x00\x00x"},
		{"SHORT_BINBYTES {\nNONE\nSTOP\n}", "C\x02N."},
		{"SHORT_BINUNICODE base64 {\nNONE\nSTOP\n}", "\x8c\x04Ti4="},
		{"FRAME {\nNONE\n}\nSTOP", "\x95\x01\x00\x00\x00\x00\x00\x00\x00N."},
		{"REPEAT 3 {\nNONE\n}\nRAW 80 \"a\"*2", "NNN\x80aa"},
		{"BINFLOAT 1.5\nEXT2 256", "G\x3f\xf8\x00\x00\x00\x00\x00\x00\x83\x00\x01"},
	}
	for _, c := range cases {
		got, err := pickleasm.Assemble(c.program)
		if err != nil || string(got) != c.want {
			t.Errorf("%q: got %q, %v; want %q", c.program, got, err, c.want)
		}
	}
	for _, bad := range []string{"NOP", "NONE 1", "BINUNICODE x", "REPEAT 2 {\nNONE", "SHORT_BINBYTES \"", "GLOBAL posix"} {
		if _, err := pickleasm.Assemble(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}
