package pyparse

import (
	"strings"
	"testing"
)

func dump(src string) string {
	var b strings.Builder
	t := Parse([]byte(src))
	for _, n := range t.Nodes {
		b.WriteString(n.Kind.String())
		if n.Field != NoField {
			b.WriteByte(':')
			if int(n.Field) < len(fieldNames) {
				b.WriteString(fieldNames[n.Field])
			}
		}
		b.WriteByte(' ')
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for src, want := range map[string]string{
		"x = f(1)": "module expression_statement assignment identifier:left call:right identifier:function argument_list:arguments integer ",
		"":         "module ",
		"a + b":    "module expression_statement binary_operator identifier:left :operator identifier:right ",
	} {
		if got := dump(src); got != want {
			t.Errorf("%q:\n got %s\nwant %s", src, got, want)
		}
	}
}

func TestEveryKindIsInTheGrammar(t *testing.T) {
	for _, name := range kindNames[Error+1:] {
		if symbol(name) == 0 {
			t.Errorf("grammar has no node %q", name)
		}
	}
	for _, name := range fieldNames[1:] {
		if fieldID(name) == 0 {
			t.Errorf("grammar has no field %q", name)
		}
	}
}
