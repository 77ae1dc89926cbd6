package pickle_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
)

func TestZooFolder(t *testing.T) {
	dir := os.Getenv("ZOO")
	if dir == "" {
		t.Skip()
	}
	files, _ := filepath.Glob(dir + "/*.p*kl")
	bad := map[modelscan.Verdict]int{}
	subj := map[string]int{}
	for _, f := range files {
		data, _ := os.ReadFile(f)
		r := scan(t, data)
		bad[r.Verdict()]++
		for _, x := range r.Findings {
			subj[string(x.Rule)+" "+x.Subject]++
			if subj[string(x.Rule)+" "+x.Subject] == 1 {
				fmt.Println(filepath.Base(f), x.Rule, x.Message)
			}
		}
		for _, x := range r.Gaps {
			fmt.Println(filepath.Base(f), "GAP", x.Reason)
		}
	}
	fmt.Println(bad, len(subj))
}
