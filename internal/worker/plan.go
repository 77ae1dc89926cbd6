package worker

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/repo/plan"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// maxPlanFile bounds one of the files that decide what is read, in bytes.
const maxPlanFile = 16 << 20

// planFiles answers a ref.Question, whose small files come beside it, with a ref.Plan or null.
func planFiles(job sandbox.Job, out io.Writer) error {
	var q ref.Question
	if err := json.Unmarshal(job.Params, &q); err != nil {
		return err
	}
	if len(q.Small) != len(job.Files) {
		return fmt.Errorf("%d files where the question names %d", len(job.Files), len(q.Small))
	}
	content := make([][]byte, len(job.Files))
	for i, f := range job.Files {
		b, err := modelscan.Source{Name: f.Name, R: f, Size: f.Size}.Bytes(0, f.Size, maxPlanFile)
		if err == nil {
			content[i] = b // what can't be read is no JSON, and the plan says so
		}
	}
	p := plan.Choose(q, content)
	if p != nil {
		for _, list := range [][]string{p.Elsewhere, p.Missing, p.Notes} {
			for i := range list {
				list[i] = text(list[i])
			}
		}
	}
	return json.NewEncoder(out).Encode(p)
}
