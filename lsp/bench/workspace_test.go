package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// resident is the memory that the server occupies, in MB; 0 where there is no /proc.
func (s *session) resident() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1024
		}
	}
	return 0
}

func write(b *testing.B, path, text string) {
	b.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// Memory with 200 files of 600 lines open, once all their diagnostics are there.
func BenchmarkMemory(b *testing.B) {
	const files = 200
	all := servers(b)
	text := source(600)
	for _, name := range names(all) {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			var used []float64
			for b.Loop() {
				s := open(b, dir, all[name])
				for i := range files {
					uri := "file://" + filepath.Join(dir, fmt.Sprintf("f%d.py", i))
					s.didOpen(uri, text)
					s.shown(uri, 1)
				}
				used = append(used, s.resident())
				s.close()
			}
			slices.Sort(used)
			b.ReportMetric(used[len(used)/2], "MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func names(all map[string][]string) []string {
	var out []string
	for name := range all {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// hostile is a pickle that would print a word.
const hostile = "cposix\nsystem\n(S'echo pwned'\ntR."

// A workspace of 1,000 files, of which one in ten loads a model, and one of those a bad one: from the start of the
// process to the first word about a file that nobody opened, and to the last. ruff's server speaks of open files only.
func BenchmarkWorkspace(b *testing.B) {
	const files = 1000
	dir := b.TempDir()
	b.Setenv("XDG_CACHE_HOME", b.TempDir())
	text := source(100)
	bad := 0
	for i := range files {
		own := text
		if i%10 == 0 {
			own += fmt.Sprintf("\nimport pickle\npickle.load(open(\"m%d.pkl\", \"rb\"))\n", i)
			model := "\x80\x04K\x01."
			if i%100 == 0 {
				model = hostile
				bad++
			}
			write(b, filepath.Join(dir, fmt.Sprintf("m%d.pkl", i)), model)
		}
		write(b, filepath.Join(dir, fmt.Sprintf("f%d.py", i)), own)
	}
	written := time.Now()
	command := servers(b)["secure-torch"]
	run := func() (first, last time.Duration, cpu float64) {
		begin := time.Now()
		s := open(b, dir, command)
		defer s.close()
		seen := map[string]bool{}
		for len(seen) < bad {
			m := s.until(func(m message) bool {
				return strings.HasSuffix(m.Params.URI, ".py") && len(m.Params.Diagnostics) > 0
			})
			if seen[m.Params.URI] = true; len(seen) == 1 {
				first = time.Since(begin)
			}
		}
		return first, time.Since(begin), s.cpu()
	}
	each := func(b *testing.B) {
		var first, last []time.Duration
		cpu := 0.0
		for b.Loop() {
			f, l, c := run()
			first, last, cpu = append(first, f), append(last, l), cpu+c
		}
		slices.Sort(first)
		slices.Sort(last)
		b.ReportMetric(float64(first[len(first)/2])/1e6, "first-ms")
		b.ReportMetric(float64(last[len(last)/2])/1e6, "all-ms")
		b.ReportMetric(cpu/float64(len(first)), "cpu-ms")
		b.ReportMetric(0, "ns/op")
	}
	b.Run("cold", func(b *testing.B) {
		b.Setenv("XDG_CACHE_HOME", filepath.Join(b.TempDir(), "none"))
		command = append(slices.Clone(command), "--no-cache")
		each(b)
		command = command[:len(command)-1]
	})
	for time.Since(written) < 3*time.Second { // reports on files that have only just changed are not kept
		run()
	}
	run()
	b.Run("warm", each)
}

// From the start of the process to what a file's model would do: with what is known from before, and without.
func BenchmarkVerdict(b *testing.B) {
	dir := b.TempDir()
	b.Setenv("XDG_CACHE_HOME", b.TempDir())
	write(b, filepath.Join(dir, "evil.pkl"), hostile)
	written := time.Now()
	text := source(2000) + "\nimport pickle\npickle.load(open(\"evil.pkl\", \"rb\"))\n"
	uri := "file://" + filepath.Join(dir, "a.py")
	command := servers(b)["secure-torch"]
	run := func(more ...string) time.Duration {
		begin := time.Now()
		s := open(b, dir, append(slices.Clone(command), more...))
		defer s.close()
		s.didOpen(uri, text)
		s.until(func(m message) bool {
			return m.Params.URI == uri && slices.ContainsFunc(m.Params.Diagnostics, func(d json.RawMessage) bool { return strings.Contains(string(d), "ST201") })
		})
		return time.Since(begin)
	}
	each := func(b *testing.B, more ...string) {
		var times []time.Duration
		for b.Loop() {
			times = append(times, run(more...))
		}
		report(b, times)
	}
	b.Run("cold", func(b *testing.B) { each(b, "--no-cache") })
	for time.Since(written) < 3*time.Second {
		run()
	}
	b.Run("warm", func(b *testing.B) { each(b) })
}
