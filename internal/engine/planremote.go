package engine

import (
	"context"
	"path/filepath"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// PlanRemote tells which files of a listing a call with these options reads; nil where no rule holds. The zero Options
// leave it to the files which library that is. What is fetched for it is not fetched again by a scan of the listing
// with the same context.
func (e *Engine) PlanRemote(ctx context.Context, o ref.Options, list *remote.Listing) (*ref.Plan, error) {
	q := ref.Question{Options: o, Files: make([]ref.PlanFile, len(list.Files)), Small: []int{}}
	item := sandbox.Item{Deadline: planDeadline}
	for i, f := range list.Files {
		q.Files[i] = ref.PlanFile{Path: f.Path, Size: f.Size}
	}
	for _, i := range deciding(q) {
		f := &list.Files[i]
		content := f.Open(ctx)
		if err := content.Prefetch(ctx); err != nil {
			return nil, err
		}
		f.Open = func(context.Context) remote.Content { return content }
		q.Small = append(q.Small, i)
		label := clip(modelscan.Text(filepath.Base(f.Path)), maxLabel)
		item.Files = append(item.Files, sandbox.File{Name: label, Size: content.Size(), R: content})
	}
	item.Params = q
	return e.askPlan(ctx, item, len(q.Files), list.Name)
}
