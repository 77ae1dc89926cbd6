package plan

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// TestChoose runs the cases in testdata: the first line of a case says what is called, "want" what is read, and every
// other section is a file.
func TestChoose(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.plan")
	if err != nil || len(cases) == 0 {
		t.Fatal(cases, err)
	}
	for _, file := range cases {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for part := range strings.SplitSeq(string(text), "\n====\n") {
				run(t, txtar.Parse([]byte(part)))
			}
		})
	}
}

func run(t *testing.T, a *txtar.Archive) {
	title, words, _ := strings.Cut(strings.TrimSpace(string(a.Comment)), "\n")
	var q ref.Question
	for word := range strings.FieldsSeq(words) {
		key, value, _ := strings.Cut(word, "=")
		field := map[string]*string{"library": &q.Options.Library, "class": &q.Options.Class, "variant": &q.Options.Variant,
			"subfolder": &q.Options.Subfolder, "file": &q.Options.File, "safetensors": &q.Options.Safetensors}[key]
		if field == nil {
			t.Fatalf("%s: %s", title, word)
		}
		*field = value
	}
	want := ""
	var content [][]byte
	for _, f := range a.Files {
		if f.Name == "want" {
			want = string(f.Data)
			continue
		}
		q.Files = append(q.Files, ref.PlanFile{Path: f.Name, Size: int64(len(f.Data))})
		if path.Ext(f.Name) == ".json" {
			q.Small, content = append(q.Small, len(q.Files)-1), append(content, f.Data)
		}
	}
	if got := show(q, Choose(q, content)); got != want {
		t.Errorf("%s\ngot\n%swant\n%s", title, got, want)
	}
}

// show lists a plan, one thing a line.
func show(q ref.Question, p *ref.Plan) string {
	if p == nil {
		return "no rule\n"
	}
	var b strings.Builder
	list := func(what string, indices []int) {
		for _, i := range indices {
			b.WriteString(what + " " + q.Files[i].Path + "\n")
		}
	}
	list("read", p.Weights)
	list("other", p.Others)
	for _, e := range p.Elsewhere {
		b.WriteString("elsewhere " + e + "\n")
	}
	for _, m := range p.Missing {
		b.WriteString("missing " + m + "\n")
	}
	for _, n := range p.Notes {
		b.WriteString("note " + n + "\n")
	}
	return b.String()
}

// Whatever the files hold, a plan speaks of files that there are, and of each once.
func FuzzChoose(f *testing.F) {
	f.Add(`{"weight_map":{"a":"x.bin","b":"../x","c":1}}`, `{"vae":["diffusers","A"],"unet":[1,2],"x":["a",null]}`, `[{"path":"a"},{"path":"../.."},1]`, "", "")
	f.Add(`[`, `{}`, `{}`, "fp16", "sub")
	f.Fuzz(func(t *testing.T, index, pipeline, modules, variant, subfolder string) {
		q := ref.Question{Files: []ref.PlanFile{{Path: "model.safetensors.index.json"}, {Path: "model_index.json"}, {Path: "modules.json"}, {Path: "config.json"},
			{Path: "adapter_config.json"}, {Path: "x.bin"}, {Path: "vae/model.safetensors"}, {Path: "pytorch_model.bin"}}, Small: []int{0, 1, 2, 3, 4, 99, -1}}
		q.Options.Variant, q.Options.Subfolder = variant, subfolder
		for _, q.Options.Library = range []string{"", "transformers", "diffusers", "sentence_transformers", "peft", "timm", "other"} {
			p := Choose(q, [][]byte{[]byte(index), []byte(pipeline), []byte(modules), []byte(pipeline), []byte(modules), nil, nil})
			if p == nil {
				continue
			}
			all := slices.Concat(p.Weights, p.Others)
			slices.Sort(all)
			if len(slices.Compact(slices.Clone(all))) != len(all) || len(all) > 0 && (all[0] < 0 || all[len(all)-1] >= len(q.Files)) {
				t.Errorf("%+v", p)
			}
		}
	})
}
