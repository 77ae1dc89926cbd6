package worker

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/index"
	"github.com/secure-torch/secure-torch/sandbox"
)

// IndexParams are what an index job is asked.
type IndexParams struct {
	Limits modelscan.Limits
	// Always describes the objects whatever the verdict is: to show them, not to load them.
	Always bool
	// Plan answers an index.Plan in a PLAN section instead of the objects.
	Plan bool
	// Select says of what.
	Select index.Selection
	// Never leaves it at the report.
	Never bool
}

func indexFile(job sandbox.Job, out io.Writer) error {
	if len(job.Files) != 1 {
		return fmt.Errorf("an index is of one file, not %d", len(job.Files))
	}
	var params IndexParams
	if err := json.Unmarshal(job.Params, &params); err != nil {
		return err
	}
	f := job.Files[0]
	report := scanReport(f, params.Limits)
	body, err := json.Marshal(report)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 64<<10)
	_, _ = w.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) // bufio keeps the first error for Flush
	_, _ = w.Write(body)
	if v := report.Verdict(); !params.Never && (params.Always || v == modelscan.Safe || v == modelscan.Review) {
		if err := describe(w, f, params); err != nil {
			return err
		}
	}
	return w.Flush()
}

// describe writes the sections of the file's index or plan, or why there is none.
func describe(w io.Writer, f sandbox.Input, params IndexParams) error {
	src := modelscan.Source{Name: f.Name, R: f, Size: f.Size}
	fail := func(err error) error { return index.WriteSection(w, index.TagFailure, []byte(text(err.Error()))) }
	if params.Plan {
		plan, err := index.BuildPlan(context.Background(), src, params.Limits, params.Select)
		if err != nil {
			return fail(err)
		}
		body, err := json.Marshal(plan)
		if err != nil {
			return err
		}
		return index.WriteSection(w, index.TagPlan, body)
	}
	x, err := index.Build(context.Background(), src, params.Limits)
	if err != nil {
		return fail(err)
	}
	_, err = x.WriteTo(w)
	return err
}
