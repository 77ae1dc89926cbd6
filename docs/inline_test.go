package docs

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var inline = regexp.MustCompile("`((?:secure-torch|make) [^`]+)`")

// TestInline: a command in the middle of a sentence has verbs and flags that there are.
func TestInline(t *testing.T) {
	w := newWorkshop(t)
	help := map[string]string{}
	makefile := read(t, "Makefile")
	for _, page := range pages(t) {
		if strings.HasPrefix(page, "docs/cli") || strings.HasPrefix(page, "docs/adr/") || page == "CHANGELOG.md" {
			continue // generated from the program; of the past
		}
		for _, m := range inline.FindAllStringSubmatch(strings.ReplaceAll(read(t, page), "\n", " "), -1) {
			for command := range strings.SplitSeq(m[1], "&&") {
				words := strings.Fields(command)
				if words[0] == "make" {
					hasTargets(t, page, makefile, words[1:])
				} else {
					w.knows(t, page, m[1], words[1:], help)
				}
			}
		}
	}
}

func hasTargets(t *testing.T, page, makefile string, words []string) {
	t.Helper()
	for _, target := range words {
		if !strings.Contains(target, "=") && !strings.Contains(makefile, "\n"+target+":") {
			t.Errorf("%s: `make %s`: there is no such target", page, target)
		}
	}
}

// verb is a word that may be a command's name.
var verb = regexp.MustCompile(`^[a-z][a-z-]*$`)

// knows compares a command with what --help says of it.
func (w *workshop) knows(t *testing.T, page, whole string, words []string, help map[string]string) {
	t.Helper()
	var verbs []string
	if words[0] != "--help" && !verb.MatchString(words[0]) {
		t.Errorf("%s: `%s`: %s is no command", page, whole, words[0])
		return
	}
	for _, word := range words {
		text := w.help(t, verbs, help)
		if !verb.MatchString(word) || !strings.Contains(text, "[command]") {
			break
		}
		if !regexp.MustCompile(`(?m)^  ` + word + ` +\S`).MatchString(text) {
			t.Errorf("%s: `%s`: no command %s", page, whole, word)
			return
		}
		verbs = append(verbs, word)
	}
	text := w.help(t, verbs, help)
	for _, word := range words {
		flag, _, _ := strings.Cut(word, "=")
		if word == "--" {
			break
		}
		if strings.HasPrefix(flag, "--") && !regexp.MustCompile(regexp.QuoteMeta(flag)+`[\s=]`).MatchString(text+" --help ") {
			t.Errorf("%s: `%s`: no flag %s", page, whole, flag)
		}
	}
}

func (w *workshop) help(t *testing.T, verbs []string, known map[string]string) string {
	t.Helper()
	key := strings.Join(verbs, " ")
	if known[key] == "" {
		out, err := exec.Command(w.bin+"/secure-torch", append(append([]string{}, verbs...), "--help")...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s --help: %v\n%s", key, err, out)
		}
		known[key] = string(out)
	}
	return known[key]
}
