// Package lightgbm reads LightGBM's models, which are text (src/boosting/gbdt_model_text.cpp, src/io/tree.cpp of
// LightGBM 4). Nothing in them runs; LightGBM follows the numbers of a tree without looking, and goes to each tree by
// a size that the header gives.
package lightgbm

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/treewalk"
)

// Format is a model as text.
var Format = &modelscan.Format{Name: "lightgbm", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	first, rest, _ := bytes.Cut(p.Head[:min(len(p.Head), 64)], []byte("\n"))
	if string(bytes.TrimRight(first, "\r")) == "tree" && len(rest) > 0 {
		return modelscan.Maybe
	}
	// A model out of a text need not begin with the word.
	if bytes.Contains(p.Head, []byte("\nmax_feature_idx=")) && bytes.Contains(p.Head, []byte("num_class=")) {
		return modelscan.Maybe
	}
	return modelscan.No
}, Scan: scan}

var (
	errNoTrees = errors.New("no header of a LightGBM model")
	errShape   = errors.New("not the structure of a model")
)

func scan(ctx context.Context, p *modelscan.Pass) error {
	m := &model{ctx: ctx, p: p, b: bufio.NewReaderSize(io.NewSectionReader(p.R, 0, p.Size), 64<<10)}
	err := m.read()
	if m.features < 0 || !m.header {
		return errors.Join(err, errNoTrees)
	}
	if err != nil {
		p.Fail(p.Name, m.off, fmt.Errorf("lightgbm: %w", err))
	}
	p.Emit.Fact(modelscan.Fact{Kind: modelscan.MetadataFact, Path: p.Name, Name: "trees", Value: fmt.Sprint(m.trees)})
	return nil
}

// maxLine bounds one line: the column of a tree, or all names of the features.
const maxLine = 32 << 20

// maxTold findings are enough.
const maxTold = 20

// model is read line by line; only one tree is kept.
type model struct {
	ctx      context.Context
	p        *modelscan.Pass
	b        *bufio.Reader
	buf      []byte
	off      int64 // of the line that was read last
	next     int64 // of the one behind it
	norm     int64 // as next, where every line ends in one byte: LightGBM joins the lines anew before it counts
	told     int
	header   bool // max_feature_idx was read
	fields   map[string]bool
	names    int64 // feature_names
	infos    int64 // feature_infos
	features int64 // max_feature_idx + 1
	classes  int64
	each     int64 // trees of an iteration
	sizes    []int64
	starts   []int64 // of the trees, from the first one
	first    int64
	trees    int
	walker   treewalk.Walker
}

func (m *model) tell(off int64, subject, format string, args ...any) {
	if m.told++; m.told <= maxTold {
		m.p.Emit.Finding(modelscan.Finding{Rule: rule.TreeOutside, Path: m.p.Name, Offset: off, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

// line reads one, without what ends it. The error is io.EOF behind the last.
func (m *model) line() ([]byte, error) {
	m.buf, m.off = m.buf[:0], m.next
	if err := m.ctx.Err(); err != nil {
		return nil, err
	}
	for {
		part, err := m.b.ReadSlice('\n')
		m.buf = append(m.buf, part...)
		m.next += int64(len(part))
		switch {
		case len(m.buf) > maxLine:
			return nil, fmt.Errorf("line longer than %d bytes: %w", maxLine, modelscan.ErrLimit)
		case err == nil || errors.Is(err, io.EOF) && len(m.buf) > 0:
			line := bytes.TrimRight(m.buf, "\r\n")
			m.norm += int64(len(line)) + 1
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

func (m *model) read() error {
	m.features, m.classes, m.each, m.fields = -1, 1, 1, map[string]bool{}
	line, err := m.head()
	if err != nil {
		return err
	}
	m.first = m.norm - int64(len(line)) - 1
	for bytes.HasPrefix(line, []byte("Tree=")) {
		m.starts = append(m.starts, m.norm-int64(len(line))-1-m.first)
		if err = m.tree(); err == nil {
			line, err = m.blank()
		}
		if err != nil {
			break
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	end := m.norm
	if err = m.behind(line); err != nil {
		return err
	}
	return m.places(end)
}

// blank skips empty lines.
func (m *model) blank() (line []byte, err error) {
	for len(line) == 0 && err == nil {
		line, err = m.line()
	}
	return line, err
}

// head reads what comes before the first tree, and returns that tree's first line.
func (m *model) head() ([]byte, error) {
	for {
		line, err := m.line()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		key, value, _ := strings.Cut(string(line), "=")
		if key == "Tree" || key == "end of trees" {
			return line, m.whole()
		}
		if strings.Contains(value, "=") && key != "feature_names" && key != "monotone_constraints" && key != "parser_config_str" {
			return nil, fmt.Errorf("no line of a header at %#x: %w", m.off, errShape)
		}
		m.field(key, value)
		m.code(key, line)
	}
}

// field keeps what is needed of the header.
func (m *model) field(key, value string) {
	if key == "num_class" || key == "label_index" {
		m.fields[key] = true
	}
	switch key {
	case "max_feature_idx":
		m.features, m.header = number(value)+1, true
	case "num_class":
		m.classes = number(value)
	case "num_tree_per_iteration":
		m.each = number(value)
	case "tree_sizes":
		m.sizes = numbers(value)
	case "feature_names":
		m.names = int64(len(strings.Fields(value)))
	case "feature_infos":
		m.infos = int64(len(strings.Fields(value)))
	}
}

// whole tells what is wrong with the header, all of which was read: LightGBM refuses it too.
func (m *model) whole() error {
	switch {
	case m.features < 0:
		return errNoTrees
	case !m.fields["num_class"] || !m.fields["label_index"]:
		return fmt.Errorf("no num_class or no label_index: %w", errShape)
	case m.names != m.features || m.infos != m.features:
		return fmt.Errorf("%d features, of which %d have names and %d are described: %w", m.features, m.names, m.infos, errShape)
	case m.each < 1 || m.each > m.classes: // a row of predictions has as many places as there are classes
		m.tell(m.off, "num_tree_per_iteration", "%d trees an iteration, for %d classes", m.each, m.classes)
	}
	return nil
}

// places: the trees are looked for where the sizes in the header say, in the file or not.
func (m *model) places(end int64) error {
	if m.sizes == nil {
		return nil
	}
	at, wrong := int64(0), -1
	for i, size := range m.sizes {
		if at < 0 || at > end-m.first {
			m.tell(m.off, fmt.Sprintf("tree %d", i), "tree %d is looked for at %d, outside of the file", i, at)
			return nil
		}
		if wrong < 0 && (i >= len(m.starts) || m.starts[i] != at) {
			wrong = i
		}
		at += max(size, math.MinInt32)
	}
	if wrong >= 0 {
		return fmt.Errorf("no tree %d where the sizes say that it begins: %w", wrong, errShape)
	}
	if len(m.sizes) != len(m.starts) {
		return fmt.Errorf("%d trees, and sizes of %d: %w", len(m.starts), len(m.sizes), errShape)
	}
	return nil
}

// behind the trees stand importances, the parameters of the training and what pandas knew: none of it runs. Both the trees
// and the parameters have a line that ends them.
func (m *model) behind(line []byte) error {
	ended, open := false, false
	for {
		switch {
		case bytes.HasPrefix(line, []byte("end of trees")):
			ended = true
		case string(line) == "parameters:":
			open = true
		case string(line) == "end of parameters":
			open = false
		case open && len(line) > 0 && !setting(line):
			return fmt.Errorf("no parameter at %#x: %w", m.off, errShape)
		}
		m.code("text behind the trees", line)
		var err error
		if line, err = m.line(); err == nil {
			continue
		}
		switch {
		case !errors.Is(err, io.EOF):
			return err
		case !ended || open:
			return io.ErrUnexpectedEOF
		}
		return nil
	}
}

// setting is a line "[name: value]": LightGBM takes what stands on both sides of the colon without looking whether
// there is one.
func setting(line []byte) bool {
	name, value, found := bytes.Cut(line, []byte(":"))
	return found && len(name) > 1 && len(bytes.Trim(value, ":")) > 0
}

func (m *model) code(subject string, line []byte) {
	if code := codetext.Find(string(line)); code != "" {
		m.p.Emit.Finding(modelscan.Finding{Rule: rule.MetadataCode, Path: m.p.Name, Offset: m.off, Subject: subject, Message: fmt.Sprintf("the model's text holds code: %s", code)})
	}
}
