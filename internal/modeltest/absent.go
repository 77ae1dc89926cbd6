package modeltest

import (
	"os"
	"testing"
)

// Absent ends a test that needs a program or library which is not here: it fails where CI is "true",
// which has to have everything, and is skipped elsewhere.
func Absent(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}
