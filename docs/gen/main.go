// Command gen draws the figures of docs/peers.md and docs/benchmarks.md as bars: the tables there are what is measured, and
// the pictures follow them. Run by go generate.
package main

import (
	"fmt"
	"html"
	"log"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: gen FOLDER of the pages")
	}
	for name, draw := range map[string]func(dir string) (chart, error){"detection.svg": detection, "speed.svg": speed} {
		c, err := draw(os.Args[1])
		if err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(os.Args[1], "plots", name), []byte(c.svg()), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// A chart is groups of bars, one bar a tool.
type chart struct {
	title, note string
	groups      []group
	ticks       []string // what lines across stand for, from the left end of the bars to their right
}

type group struct {
	title string
	bars  []bar
}

// A bar goes from 0 to 1; label is its figure in words.
type bar struct {
	tool, label string
	length      float64
}

// table reads the rows of the first table below a heading.
func table(file, heading string) ([][]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	_, below, ok := strings.Cut(string(text), heading)
	if !ok {
		return nil, fmt.Errorf("%s has no %q", file, heading)
	}
	var rows [][]string
	for line := range strings.Lines(below) {
		if !strings.HasPrefix(line, "|") {
			if len(rows) > 0 {
				break
			}
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.NewReplacer("**", "", "`", "").Replace(strings.TrimSpace(cells[i]))
		}
		rows = append(rows, cells)
	}
	if len(rows) < 4 {
		return nil, fmt.Errorf("%s: no table below %q", file, heading)
	}
	return rows[2:], nil
}

var figure = regexp.MustCompile(`^(\d+)(?: of (\d+))?`)

// detection: of the malicious and of the benign files of the corpus, how many each tool flags. The first row is ours, and
// has the number of files.
func detection(dir string) (chart, error) {
	rows, err := table(filepath.Join(dir, "peers.md"), "# ")
	if err != nil {
		return chart{}, err
	}
	c := chart{title: "Files flagged, of a corpus of our own", note: "From docs/peers.md, which says how it was measured. It is ours, and holds what others are known to miss: no forecast."}
	for i, title := range []string{"malicious files: more is better", "benign files: less is better"} {
		column := i + 1 // behind the tool's name
		g := group{title: title}
		total := 0
		for _, row := range rows {
			m := figure.FindStringSubmatch(row[column])
			if m == nil {
				return chart{}, fmt.Errorf("no figure in %q", row[column])
			}
			n, _ := strconv.Atoi(m[1])
			if total == 0 {
				if total, _ = strconv.Atoi(m[2]); total == 0 {
					return chart{}, fmt.Errorf("the first row does not say of how many: %q", row[column])
				}
			}
			g.bars = append(g.bars, bar{strings.TrimSuffix(row[0], " (November 2026)"), fmt.Sprintf("%.1f %%", 100*float64(n)/float64(total)), float64(n) / float64(total)})
		}
		c.groups = append(c.groups, g)
	}
	return c, nil
}

// speed: the processor time of each input, in powers of ten from 10 ms to 100 s. A run is ended after 60.
func speed(dir string) (chart, error) {
	rows, err := table(filepath.Join(dir, "benchmarks.md"), "## Beside other scanners and ruff")
	if err != nil {
		return chart{}, err
	}
	c := chart{title: "Processor time of one scan (logarithmic)", ticks: []string{"10 ms", "0.1 s", "1 s", "10 s", "100 s"}, note: "From the table of docs/benchmarks.md, which says how it was measured. Less is better."}
	for _, row := range rows {
		if n := len(c.groups); n == 0 || c.groups[n-1].title != row[0] {
			c.groups = append(c.groups, group{title: row[0]})
		}
		seconds, err := strconv.ParseFloat(row[3], 64)
		if err != nil || seconds < 0.01 || seconds > 100 {
			return chart{}, fmt.Errorf("no time to draw in %q", row)
		}
		last := &c.groups[len(c.groups)-1]
		tool, _, _ := strings.Cut(row[1], " --") // without its flags
		last.bars = append(last.bars, bar{tool, fmt.Sprintf("%.3g s", seconds), math.Log10(seconds/0.01) / 4})
	}
	return c, nil
}

const (
	width, left, room = 760, 250, 420
	high              = 20 // of a bar, with the space below it
)

func (c chart) svg() string {
	var b strings.Builder
	y := 56
	for _, g := range c.groups {
		fmt.Fprintf(&b, "<text x=\"16\" y=\"%d\" class=\"group\">%s</text>\n", y, html.EscapeString(g.title))
		y += 10
		for _, bar := range g.bars {
			class := "peer"
			if strings.HasPrefix(bar.tool, "secure-torch") {
				class = "ours"
			}
			length := math.Max(1, bar.length*room)
			fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" class=\"tool\">%s</text><rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" class=\"%s\"/><text x=\"%.1f\" y=\"%d\">%s</text>\n",
				left-8, y+12, html.EscapeString(bar.tool), left, y, length, high-6, class, left+length+6, y+12, html.EscapeString(bar.label))
			y += high
		}
		y += 24
	}
	lines := ""
	for i, tick := range c.ticks {
		x := left + float64(i)*room/float64(len(c.ticks)-1)
		lines += fmt.Sprintf("<line x1=\"%.1f\" x2=\"%.1f\" y1=\"48\" y2=\"%d\" class=\"tick\"/><text x=\"%.1f\" y=\"44\" class=\"note\" text-anchor=\"middle\">%s</text>\n", x, x, y-24, x, tick)
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">
<title>%s</title>
<style>text{font:12px sans-serif;fill:#24292f}.title{font-size:15px;font-weight:bold}.group{font-weight:bold}.tool{text-anchor:end}.note{fill:#57606a;font-size:11px}.tick{stroke:#d0d7de}.ours{fill:#1a7f37}.peer{fill:#8c959f}</style>
<rect width="100%%" height="100%%" fill="#ffffff"/>
<text x="16" y="28" class="title">%s</text>
%s%s<text x="16" y="%d" class="note">%s</text>
</svg>
`, width, y+16, width, y+16, html.EscapeString(c.title), html.EscapeString(c.title), lines, b.String(), y, html.EscapeString(c.note))
}
