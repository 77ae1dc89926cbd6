package tar

import (
	"context"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Member is a regular file in a tar, and where its bytes are.
type Member struct {
	Name      string
	Off, Size int64
}

// Recognised tells whether the source begins with a tar header.
func Recognised(head []byte) bool { return sniff(modelscan.Probe{Head: head}) == modelscan.Yes }

// Members lists the regular files of a tar in its order. Links, folders and sparse files are left out.
func Members(ctx context.Context, src modelscan.Source, limits *modelscan.Limits) ([]Member, error) {
	entries, _, err := list(ctx, &modelscan.Pass{Source: src, Limits: limits})
	if err != nil {
		return nil, err
	}
	var members []Member
	for _, e := range entries {
		if (e.kind == 0 || e.kind == '0') && !e.sparse {
			members = append(members, Member{Name: e.name, Off: e.data, Size: e.size})
		}
	}
	return members, nil
}
