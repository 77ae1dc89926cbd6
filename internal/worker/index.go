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
		if err := describe(w, f, params.Limits); err != nil {
			return err
		}
	}
	return w.Flush()
}

// describe writes the sections of the file's index, or why there is none.
func describe(w io.Writer, f sandbox.Input, limits modelscan.Limits) error {
	x, err := index.Build(context.Background(), modelscan.Source{Name: f.Name, R: f, Size: f.Size}, limits)
	if err != nil {
		return index.WriteSection(w, index.TagFailure, []byte(text(err.Error())))
	}
	_, err = x.WriteTo(w)
	return err
}
