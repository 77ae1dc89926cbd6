package catboost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsonstream"
)

// JSON is a model as text.
var JSON = &modelscan.Format{Name: "catboost-json", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if !bytes.HasPrefix(bytes.TrimLeft(p.Head, " \t\r\n"), []byte("{")) {
		return modelscan.No
	}
	for _, key := range [...]string{`"features_info"`, `"oblivious_trees"`} {
		if bytes.Contains(p.Head, []byte(key)) || bytes.Contains(p.Tail, []byte(key)) {
			return modelscan.Maybe
		}
	}
	return modelscan.No
}, Scan: scanJSON}

// document is a JSON model.
type document struct {
	checker
	jsonstream.Walker
	known        bool  // trees were met
	binaries     int64 // binary features: what splits are numbered by
	trees        int64
	forest       bool  // the key of the trees was met
	worst, least int64 // split_index
	off          int64
	dimension    int64 // values of a leaf, as the first tree has them
}

var errNoTrees = errors.New("no trees of CatBoost")

func scanJSON(ctx context.Context, p *modelscan.Pass) error {
	d := &document{checker: checker{p: p}, worst: -1}
	text := jsonstream.NewText(io.NewSectionReader(p.R, 0, p.Size))
	d.Walker = jsonstream.Walker{Ctx: ctx, R: text}
	t, err := d.R.Next()
	if err == nil {
		err = d.Members(t, d.top)
	}
	if !d.known {
		return errors.Join(err, errNoTrees)
	}
	if err != nil {
		p.Fail(p.Name, d.R.Offset(), fmt.Errorf("catboost: %w", err))
		return nil
	}
	switch {
	case !d.forest:
		p.Fail(p.Name, d.R.Offset(), fmt.Errorf("catboost: %w", errNoTrees))
	case text.Control > 0:
		p.Fail(p.Name, text.Control, fmt.Errorf("catboost: a control character in a text: %w", errShape))
	}
	if d.worst >= d.binaries || d.least < 0 {
		d.tell(d.off, "split_index", "a split looks at the binary feature %d of %d", max(d.worst, -d.least), d.binaries)
	}
	p.Emit.Fact(modelscan.Fact{Kind: modelscan.MetadataFact, Path: p.Name, Name: "trees", Value: fmt.Sprint(d.trees)})
	if at := d.R.Offset(); at < p.Size {
		p.Emit.Descend(ctx, p.Member("[behind]", io.NewSectionReader(p.R, at, p.Size-at), p.Size-at))
	}
	return nil
}

func (d *document) top(name string, t jsonstream.Token) error {
	switch name {
	case "features_info":
		d.known = t.Kind == jsonstream.OpenObject
		return d.lists(t, func(string) bool { return true }, d.feature)
	case "oblivious_trees":
		d.known, d.forest = true, true
		return d.Items(t, d.symmetric)
	case "trees":
		d.known, d.forest = true, true
		return d.Items(t, func(_ int, t jsonstream.Token) error { d.trees++; return d.node("", t) })
	case "model_info":
		return d.text("", t)
	}
	return d.Skip(t)
}

// lists calls f with the members of every object in the arrays of an object.
func (d *document) lists(t jsonstream.Token, want func(string) bool, f func(name string, t jsonstream.Token) error) error {
	return d.Members(t, func(name string, t jsonstream.Token) error {
		if t.Kind != jsonstream.OpenArray || !want(name) {
			return d.Skip(t)
		}
		return d.Items(t, func(_ int, t jsonstream.Token) error {
			if t.Kind != jsonstream.OpenObject {
				return d.Skip(t)
			}
			return d.Members(t, f)
		})
	})
}

// feature: each border and each value of a category is a binary feature.
func (d *document) feature(name string, t jsonstream.Token) error {
	if (name == "borders" || name == "values") && t.Kind == jsonstream.OpenArray {
		return d.Items(t, func(_ int, t jsonstream.Token) error {
			d.binaries++
			return d.Skip(t)
		})
	}
	return d.Skip(t)
}

// text looks at every text of the model's description.
func (d *document) text(name string, t jsonstream.Token) error {
	switch t.Kind {
	case jsonstream.OpenObject:
		return d.Members(t, d.text)
	case jsonstream.OpenArray:
		return d.Items(t, func(_ int, t jsonstream.Token) error { return d.text(name, t) })
	case jsonstream.Text:
		d.info(t.Off, name, string(t.Text))
	}
	return nil
}

func (d *document) split(name string, t jsonstream.Token) error {
	if name == "split_index" && t.Kind == jsonstream.Number {
		if n := int64(t.Num); n > d.worst {
			d.worst, d.off = n, t.Off
		} else if n < d.least {
			d.least, d.off = n, t.Off
		}
	}
	return d.Skip(t)
}

// symmetric reads one tree, whose leaves are as many as its splits say.
func (d *document) symmetric(i int, t jsonstream.Token) error {
	at, levels, values := t.Off, 0, int64(0)
	d.trees++
	err := d.Members(t, func(name string, t jsonstream.Token) error {
		switch {
		case name == "splits" && t.Kind == jsonstream.OpenArray:
			return d.Items(t, func(_ int, t jsonstream.Token) error {
				levels++
				return d.Members(t, d.split)
			})
		case name == "leaf_values" && t.Kind == jsonstream.OpenArray:
			return d.Items(t, func(_ int, t jsonstream.Token) error {
				values++
				return d.Skip(t)
			})
		}
		return d.Skip(t)
	})
	if err != nil || levels > maxDepth {
		return errors.Join(err, tooDeep(levels))
	}
	if i == 0 {
		d.dimension = values >> levels
	}
	if d.dimension<<levels != values || values == 0 {
		d.tell(at, fmt.Sprintf("tree %d", i), "a tree of %d levels has %d leaf values", levels, values)
	}
	return nil
}

func tooDeep(levels int) error {
	if levels > maxDepth {
		return fmt.Errorf("a tree of %d levels: %w", levels, errShape)
	}
	return nil
}

// node is an inner one, with a split and two nodes, or a leaf.
func (d *document) node(_ string, t jsonstream.Token) error {
	return d.Members(t, func(name string, t jsonstream.Token) error {
		switch name {
		case "left", "right":
			return d.node(name, t)
		case "split":
			return d.Members(t, d.split)
		}
		return d.Skip(t)
	})
}
