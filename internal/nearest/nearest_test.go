package nearest_test

import (
	"testing"

	"github.com/secure-torch/secure-torch/internal/nearest"
)

func TestOf(t *testing.T) {
	keys := []string{"fail_on", "sandbox", "offline", "ignore"}
	for _, c := range []struct{ word, want string }{
		{"sandbx", "sandbox"}, {"fail-on", "fail_on"}, {"ofline", "offline"}, {"ignores", "ignore"},
		{"completely_different", ""}, {"", ""},
	} {
		got, ok := nearest.Of(c.word, keys)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Of(%q) = %q, %v; want %q", c.word, got, ok, c.want)
		}
	}
}
