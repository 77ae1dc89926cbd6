package xgboost

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsonstream"
)

// scanner walks a document and keeps of it what XGBoost goes by.
type scanner struct {
	*checker
	jsonstream.Walker
	p       *modelscan.Pass
	learns  bool            // there is a learner, so that a broken document is a broken model
	booster bool            // a gradient booster was read
	counted bool            // num_feature was read
	parts   map[string]bool // members of the learner
}

// needed members of a learner: XGBoost looks them up and stops where one is not there (src/learner.cc, LoadModel).
var needed = []string{"attributes", "gradient_booster", "learner_model_param", "objective"}

func (s *scanner) document() error {
	t, err := s.R.Next()
	if err != nil {
		return err
	}
	return s.Members(t, func(name string, t jsonstream.Token) error {
		if name == "learner" && t.Kind == jsonstream.OpenObject {
			s.learns = true
			return s.Members(t, s.learner)
		}
		return s.Skip(t)
	})
}

func (s *scanner) learner(name string, t jsonstream.Token) error {
	if slices.Contains(needed, name) {
		s.parts[name] = true
	}
	switch name {
	case "gradient_booster":
		return s.Members(t, s.gradientBooster)
	case "learner_model_param":
		return s.Members(t, s.learnerParam)
	case "attributes":
		return s.Members(t, func(name string, t jsonstream.Token) error {
			if t.Kind == jsonstream.Text {
				s.attribute(name, t)
			}
			return s.Skip(t)
		})
	}
	return s.Skip(t)
}

func (s *scanner) learnerParam(name string, t jsonstream.Token) error {
	switch name {
	case "num_feature":
		s.features, s.counted = integer(t), true
	case "num_class", "num_target":
		s.groups = max(s.groups, integer(t))
	}
	return s.Skip(t)
}

// integer of a parameter, which is written as text; -1 where it is none.
func integer(t jsonstream.Token) int64 {
	if t.Kind == jsonstream.Number {
		return int64(t.Num)
	}
	n, err := strconv.ParseInt(string(t.Text), 10, 64)
	if t.Kind != jsonstream.Text || err != nil {
		return -1
	}
	return n
}

func (s *scanner) gradientBooster(name string, t jsonstream.Token) error {
	switch name {
	case "model":
		s.booster = true
		return s.Members(t, s.model)
	case "gbtree": // inside of a dart before 3.3
		return s.Members(t, s.gradientBooster)
	}
	return s.Skip(t)
}

func (s *scanner) model(name string, t jsonstream.Token) error {
	switch name {
	case "gbtree_model_param":
		return s.Members(t, func(name string, t jsonstream.Token) error {
			if name == "num_trees" {
				s.claimed = integer(t)
			}
			return s.Skip(t)
		})
	case "tree_info":
		return s.Items(t, func(_ int, t jsonstream.Token) error {
			s.info++
			s.group(int64(t.Num), t.Off)
			return s.Skip(t)
		})
	case "trees":
		return s.Items(t, func(i int, t jsonstream.Token) error { return s.tree(i, t) })
	}
	return s.Skip(t)
}

// tree reads one tree.
func (s *scanner) tree(i int, t jsonstream.Token) error {
	if err := s.Ctx.Err(); err != nil {
		return err
	}
	s.trees++
	b := &s.tr
	b.reset(t.Off)
	id := int64(-1)
	err := s.Members(t, func(name string, t jsonstream.Token) error {
		into := b.column(name)
		switch i := slices.Index(values[:], name); {
		case into != nil:
			b.given[name] = true
			return s.column(into, t)
		case i >= 0:
			b.values[i] = 0
			return s.Items(t, func(_ int, t jsonstream.Token) error {
				b.values[i]++
				return s.Skip(t)
			})
		case name == "id":
			id = integer(t)
		case name == "tree_param":
			return s.Members(t, func(name string, t jsonstream.Token) error {
				switch name {
				case "num_nodes":
					b.nodes = integer(t)
				case "size_leaf_vector":
					b.vector = integer(t)
				}
				return s.Skip(t)
			})
		}
		return s.Skip(t)
	})
	if err == nil && id != int64(i) {
		err = fmt.Errorf("tree %d has the id %d: %w", i, id, jsonstream.ErrShape)
	}
	if err == nil {
		err = b.whole(i)
	}
	if err == nil {
		err = s.check(i, b)
	}
	return err
}

// maxNodes of one tree: far above what trains in any machine's memory.
const maxNodes = 1 << 20

var errNodes = fmt.Errorf("a tree of more than %d nodes: %w", maxNodes, modelscan.ErrLimit)

func (s *scanner) column(into *[]int64, t jsonstream.Token) error {
	return s.Items(t, func(_ int, t jsonstream.Token) error {
		if t.Kind != jsonstream.Number {
			return fmt.Errorf("no number at %#x: %w", t.Off, jsonstream.ErrShape)
		}
		if len(*into) >= maxNodes {
			return errNodes
		}
		*into = append(*into, int64(t.Num))
		return nil
	})
}
