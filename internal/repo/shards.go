package repo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// shards compares the files that an index names with those beside it. Where some are there and others are not,
// a loader stops or fetches what nobody has looked at. Where none is, the weights were left out on purpose (a
// snapshot without its pickles keeps their index), and no loader will take this index.
func shards(_ context.Context, x *crossing) {
	named := map[string]int64{} // name -> where it is named first
	for i, key := range x.root.Keys {
		if key != "weight_map" {
			continue
		}
		for _, file := range x.root.Items[i].Items {
			// What lies in another folder is not listed here, and what leaves this one has a rule of its own.
			if name := file.String(); name != "" && !strings.ContainsAny(name, `/\`) {
				if _, known := named[name]; !known {
					named[name] = file.Off
				}
			}
		}
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !x.beside[name] {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) == len(named) && len(named) > 0:
		x.note(fmt.Sprintf("none of the %d files of weights that the index names lies beside it: no loader reads them from here", len(named)))
	case len(missing) > 0:
		x.gap(modelscan.Gap{Rule: rule.ReadError, Offset: named[missing[0]],
			Reason: fmt.Sprintf("%d of the %d files of weights that the index names are not beside it (%s): a loader stops, or fetches what nobody has looked at", len(missing), len(named), some(missing))})
	}
	if extra := x.unnamed(named); len(extra) > 0 {
		x.note(fmt.Sprintf("the index does not name %s, which loaders of this index leave alone", some(extra)))
	}
}

// shardName is how every library numbers the parts of one model.
var shardName = pattern.Lazy(`^(.+)-\d+-of-\d+(\.\w+)$`)

// unnamed lists parts beside the index that are called like those it names.
func (x *crossing) unnamed(named map[string]int64) []string {
	families := map[[2]string]bool{}
	for name := range named {
		if m := shardName().FindStringSubmatch(name); m != nil {
			families[[2]string{m[1], m[2]}] = true
		}
	}
	var extra []string
	for _, name := range x.Names {
		m := shardName().FindStringSubmatch(name)
		if _, known := named[name]; m != nil && !known && families[[2]string{m[1], m[2]}] {
			extra = append(extra, name)
		}
	}
	slices.Sort(extra)
	return extra
}

// some shows the first names of a list.
func some(names []string) string {
	const show = 3
	text := strings.Join(names[:min(show, len(names))], ", ")
	if more := len(names) - show; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
