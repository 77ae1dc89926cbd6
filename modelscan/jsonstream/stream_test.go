package jsonstream

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func drain(r Reader) (string, error) {
	var b strings.Builder
	for depth := 0; ; {
		t, err := r.Next()
		if err != nil {
			return b.String(), err
		}
		switch t.Kind {
		case OpenObject, OpenArray:
			depth++
			b.WriteString(map[Kind]string{OpenObject: "{", OpenArray: "["}[t.Kind])
		case CloseObject, CloseArray:
			depth--
			b.WriteString(map[Kind]string{CloseObject: "}", CloseArray: "]"}[t.Kind])
		case Key, Text:
			fmt.Fprintf(&b, "%q", t.Text)
		case Number:
			fmt.Fprintf(&b, " %g", t.Num)
		default:
			b.WriteString(" -")
		}
		if depth == 0 {
			return b.String(), nil
		}
	}
}

func TestReaders(t *testing.T) {
	for _, c := range []struct {
		in   string
		want string
		err  error
	}{
		{` {"a" : [1, -2.5E3 ,true], "b\n":{"c":"d\"e"},"f":[] } x`, `{"a"[ 1 -2500 -]"b\n"{"c""d\"e"}"f"[]}`, nil},
		{`[1E-45,1e999]`, `[ 1e-45 +Inf]`, nil},
		{`7`, ` 7`, nil},
		{`{"a":1`, `{"a"`, io.ErrUnexpectedEOF},
		{`{"a"`, `{`, io.ErrUnexpectedEOF},
		{`["a`, `[`, io.ErrUnexpectedEOF},
		{`[1 2]`, `[ 1`, errSyntax},
		{`[1,]`, `[ 1`, errSyntax},
		{`{,}`, `{`, errSyntax},
		{`[1}`, `[ 1`, errSyntax},
		{strings.Repeat("[", 1000), strings.Repeat("[", maxDepth), errDepth},
		{"{L\x00\x00\x00\x00\x00\x00\x00\x01a[$l#L\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x07\xff\xff\xff\xffL\x00\x00\x00\x00\x00\x00\x00\x01bSL\x00\x00\x00\x00\x00\x00\x00\x01xL\x00\x00\x00\x00\x00\x00\x00\x01c[#L\x00\x00\x00\x00\x00\x00\x00\x01TL\x00\x00\x00\x00\x00\x00\x00\x01d[i\x05]}", `{"a"[ 7 -1]"b""x""c"[ -]"d"[ 5]}`, nil},
		{"{L\x00\x00\x00\x00\x00\x00\x00\x01a[$l#L\x7f\xff\xff\xff\xff\xff\xff\xff", `{"a"`, io.ErrUnexpectedEOF},
		{"{L\xff\xff\xff\xff\xff\xff\xff\xff", `{`, errSyntax},
		{"{L\x00\x00\x00\x00\x00\x00\x01\x00a", `{`, io.ErrUnexpectedEOF},
		{"{L\x00\x00\x00\x00\x00\x00\x00\x01aSL\x00\x00\x00\x00\x00\x01\x00\x00a", `{"a"`, io.ErrUnexpectedEOF},
		{"{L\x00\x00\x00\x00\x00\x00\x00\x01a[$T#L\x00\x00\x00\x00\x00\x00\x00\x01", `{"a"`, errSyntax},
	} {
		in := c.in
		var r Reader = NewText(strings.NewReader(in))
		if strings.HasPrefix(in, "{L") {
			r = NewUBJ(strings.NewReader(in), int64(len(in)))
		}
		if got, err := drain(r); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%.40q: %q, %v", in, got, err)
		}
	}
}

func FuzzReaders(f *testing.F) {
	f.Add([]byte(`{"a":[1,"b",{"c":null}]}`))
	f.Add([]byte("{L\x00\x00\x00\x00\x00\x00\x00\x01a[$U#L\x00\x00\x00\x00\x00\x00\x00\x01\x05}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, r := range []Reader{NewText(strings.NewReader(string(b))), NewUBJ(strings.NewReader(string(b)), int64(len(b)))} {
			w := Walker{Ctx: t.Context(), R: r}
			tok, err := r.Next()
			if err == nil {
				err = w.Skip(tok)
			}
			if r.Offset() > int64(len(b)) {
				t.Errorf("%d of %d bytes read: %v", r.Offset(), len(b), err)
			}
		}
	})
}
