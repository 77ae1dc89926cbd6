package pyparse

import (
	"slices"
	"strings"
	"testing"
)

// grammars are one and the same in a build without cgo.
var grammars = map[string]*Grammar{"native": Native, "confined": Confined}

func dump(src string) string {
	var b strings.Builder
	t := Parse([]byte(src), Native)
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
	for grammar, g := range grammars {
		for k := Error + 1; int(k) < len(kindNames); k++ {
			if !slices.Contains(g.tables().kind[:], k) {
				t.Errorf("the %s grammar has no node %q", grammar, k)
			}
		}
		for f := range Field(len(fieldNames)) {
			if !slices.Contains(g.tables().field[:], f) {
				t.Errorf("the %s grammar has no field %q", grammar, fieldNames[f])
			}
		}
		if !g.tables().known {
			t.Errorf("the %s grammar does not tell all of its numbers", grammar)
		}
	}
}
