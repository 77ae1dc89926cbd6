package analyzers_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/secure-torch/secure-torch/analyzers"
)

// everyCodec prints, for every name of an encoding that Python knows: whether its ASCII bytes, and no others, mean
// what they do in ASCII, and lines of source that have a string of its characters and a call.
const everyCodec = `
import codecs, encodings, encodings.aliases, json, pkgutil
names = set(encodings.aliases.aliases) | {m.name for m in pkgutil.iter_modules(encodings.__path__)}
ascii = bytes(range(1, 128))

def twice(name):  # whether a byte that is no ASCII is read as one that is
    return any(c.isascii() for b in range(128, 256) for c in bytes([b]).decode(name, "ignore"))

def lines(name):
    for at in [*range(0xA0, 0x500, 64), *range(0x2000, 0x2700, 64), *range(0x3000, 0xD800, 448), 0xFF00, 0xFF40]:
        text = ""
        for c in map(chr, range(at, at + 64)):
            try:
                if c.encode(name).decode(name) == c:
                    text += c
            except UnicodeError:
                pass
        if text and name not in ("idna", "punycode"):
            yield ("'" + text + "'; torch.load('a.pt')\n").encode(name).hex(), len(text)

done = {}
for name in sorted(names):
    try:
        codec = codecs.lookup(name)
        plain = codec._is_text_encoding and ascii.decode(name).encode("ascii", "replace") == ascii and not twice(name)
    except (LookupError, UnicodeError, ImportError):
        continue
    if codec.name not in done:  # a byte order mark belongs at the beginning alone
        done[codec.name] = list(lines(codec.name.removesuffix("-sig"))) if plain else []
    print(json.dumps({"name": name, "plain": plain, "lines": done[codec.name]}))
`

// In every encoding that Python reads sources in, code is found where Python has it, or the source is told of.
func TestEveryCodec(t *testing.T) {
	out, err := exec.Command("python3", "-c", everyCodec).Output()
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, line := range bytes.Split(bytes.TrimSpace(out), []byte("\n")) {
		var c codec
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		_, encoded := analyzers.Encoded([]byte("# coding: " + c.Name + "\n"))
		if encoded {
			continue
		}
		read++
		if !c.Plain {
			t.Errorf("%s is read, but its ASCII is another", c.Name)
			continue
		}
		c.check(t)
	}
	if read < 250 {
		t.Errorf("only %d encodings are read", read)
	}
}

type codec struct {
	Name  string
	Plain bool
	Lines [][2]any
}

// check looks for the call on each line, and for the column that it is in.
func (c codec) check(t *testing.T) {
	t.Helper()
	src := []byte("# coding: " + c.Name + "\nimport torch\n")
	var columns []int
	for _, l := range c.Lines {
		bytes, err := hex.DecodeString(l[0].(string))
		if err != nil {
			t.Fatal(err)
		}
		src = append(src, bytes...)
		columns = append(columns, int(l[1].(float64))+len("''; "))
	}
	calls := analyzers.Link(analyzers.Summarise(src, analyzers.Native), analyzers.Options{}).Calls
	if len(calls) != len(columns) {
		t.Errorf("%s: %d of %d calls", c.Name, len(calls), len(columns))
		return
	}
	count := analyzers.Characters(src)
	for i, call := range calls {
		line := src[bytes.LastIndexByte(src[:call.Span.Start], '\n')+1 : call.Span.Start]
		if got := count(line); got != columns[i] {
			t.Errorf("%s: %q has %d characters, not %d", c.Name, line, got, columns[i])
			return
		}
	}
}
