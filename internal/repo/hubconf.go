package repo

import (
	"context"
	"path"

	"github.com/secure-torch/secure-torch/modelscan/jsontree"
)

// hubconfStarts: torch.hub.load, list and help put the folder of hubconf.py first on sys.path, and run it
// (torch/hub.py, _load_local). A call leads to hubconf.py alone, so that all of it is said there.
func hubconfStarts(x *crossing) []start {
	self := path.Base(x.Name)
	return []start{{&jsontree.Node{}, self, self}}
}

// hubconf judges what hubconf.py imports from beside itself.
func hubconf(ctx context.Context, x *crossing) {
	x.run(ctx, hubconfStarts(x), newImporter(x.beside, ""), path.Base(x.Name))
}
