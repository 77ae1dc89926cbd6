package jsontree

import (
	"errors"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
)

func TestParse(t *testing.T) {
	n, err := Parse([]byte("\xef\xbb\xbf" + ` {"a": [1, -2.5e3, NaN, null, true], "b": "x\"\u00e9\ud83d\ude00\n\/", "b": {"c": "last"}, "e": {}} `))
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Get("b").Str("c"); got != "last" {
		t.Errorf("the last duplicate is %q", got)
	}
	if got := n.Items[1].Text; got != "x\"é😀\n/" {
		t.Errorf("escapes: %q", got)
	}
	count := 0
	for range n.All() {
		count++
	}
	if count != 11 || len(n.Get("a").Items) != 5 || n.Get("a").Items[1].Off != 14 {
		t.Errorf("%d values, %+v", count, n.Get("a").Items[1])
	}
}

func TestRefused(t *testing.T) {
	for _, s := range []string{"", "{", `{"a"}`, `{"a":}`, "[1 2]", "[1,", `"x`, "tru", "{} x", `{1:2}`, "[}"} {
		if _, err := Parse([]byte(s)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: %v", s, err)
		}
	}
	if _, err := Parse([]byte(strings.Repeat("[", 2000))); !errors.Is(err, modelscan.ErrLimit) {
		t.Errorf("deep nesting: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\u00e9\ud83d\ude00"],"b":null}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		n, _ := Parse(b)
		for v := range n.All() {
			_ = v.Str("a")
		}
	})
}
