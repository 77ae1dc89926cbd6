package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/artifact/remote/hubtest"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// A library's models, made up: files that are always there, and others that may be.
type layout struct {
	library string
	class   string
	fixed   map[string]string
	// weights that each are there or not, and texts that may be, by name; in the root and in a folder.
	weights  []string
	texts    map[string][]string
	folders  []string
	variants []string
	choices  []string // of use_safetensors
}

const (
	bert      = `"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8, "vocab_size": 30`
	bertTexts = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n"
	shards    = `{"metadata": {"total_size": 4}, "weight_map": {"x": "part-1.safetensors"}}`
	pickled   = `{"metadata": {"total_size": 4}, "weight_map": {"x": "part-1.bin", "y": "part-2.bin"}}`
)

var layouts = []layout{
	{
		library: "transformers", class: "AutoModel",
		fixed: map[string]string{"config.json": "{" + bert + "}", "sub/config.json": "{" + bert + "}"},
		weights: []string{"model.safetensors", "pytorch_model.bin", "model.fp16.safetensors", "pytorch_model.fp16.bin", "part-1.safetensors", "part-1.bin",
			"part-2.bin", "odd.safetensors", "adapter_model.safetensors", "adapter_model.bin", "deep/odd.safetensors", "deep/part-1.safetensors"},
		texts: map[string][]string{
			"model.safetensors.index.json": {shards}, "pytorch_model.bin.index.json": {pickled}, "model.safetensors.index.fp16.json": {shards},
			"pytorch_model.bin.index.fp16.json": {pickled}, "odd.safetensors.index.json": {shards}, "deep/odd.safetensors.index.json": {shards},
			"config.json": {"{" + bert + `, "transformers_weights": "odd.safetensors"}`, "{" + bert + `, "transformers_weights": "odd.safetensors.index.json"}`,
				"{" + bert + `, "transformers_weights": "deep/odd.safetensors"}`, "{" + bert + `, "transformers_weights": "deep/odd.safetensors.index.json"}`},
			"adapter_config.json": {`{"peft_type": "LORA", "base_model_name_or_path": "org/base", "target_modules": ["query"], "r": 2}`},
		},
		folders: []string{"", "sub"}, variants: []string{"", "", "fp16"}, choices: []string{"", "", "true", "false"},
	},
	{
		library: "timm", class: "create_model",
		fixed: map[string]string{"config.json": `{"architecture": "test_vit", "num_classes": 10, "pretrained_cfg": {}}`},
		weights: []string{"model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
			"open_clip_pytorch_model.bin", "odd.safetensors", "odd.bin", "a.pth", "b.pth.tar", "c.bin", "odd.npz", "deep/odd.bin"},
		texts: map[string][]string{"config.json": {
			`{"architecture": "test_vit", "num_classes": 10, "pretrained_cfg": {"hf_hub_filename": "odd.bin"}}`,
			`{"architecture": "test_vit", "num_classes": 10, "pretrained_cfg": {"hf_hub_filename": "deep/odd.bin"}}`,
			`{"architecture": "test_vit", "num_classes": 10, "pretrained_cfg": {"hf_hub_filename": "odd.safetensors"}}`,
			`{"architecture": "test_vit", "num_classes": 10, "pretrained_cfg": {"hf_hub_filename": "a.pth"}}`,
			`{"architecture": "test_vit", "num_classes": 10, "pretrained_cfg": {"hf_hub_filename": "open_clip_pytorch_model.bin"}}`,
			`{"architecture": "test_vit", "num_classes": 10, "pretrained_cfg": {"hf_hub_filename": "odd.npz", "custom_load": "hf"}}`,
			`{"architecture": "test_vit", "num_classes": 10, "hf_hub_filename": "odd.bin"}`,
		}},
	},
	{
		library: "peft", class: "PeftModel",
		fixed: map[string]string{
			"adapter_config.json":     `{"peft_type": "LORA", "base_model_name_or_path": "org/base", "target_modules": ["lin"], "r": 2, "lora_alpha": 2}`,
			"sub/adapter_config.json": `{"peft_type": "LORA", "base_model_name_or_path": "org/base", "target_modules": ["lin"], "r": 2, "lora_alpha": 2}`,
		},
		weights: []string{"adapter_model.safetensors", "adapter_model.bin", "model.safetensors", "pytorch_model.bin", "adapter_model-1.safetensors"},
		texts:   map[string][]string{"adapter_model.safetensors.index.json": {`{"weight_map": {"x": "adapter_model-1.safetensors"}}`}},
		folders: []string{"", "sub"},
	},
	{
		library: "sentence_transformers", class: "SentenceTransformer",
		fixed: map[string]string{
			"config.json": "{" + bert + "}", "vocab.txt": bertTexts, "tokenizer_config.json": `{"tokenizer_class": "BertTokenizer"}`,
			"0_T/config.json": "{" + bert + "}", "0_T/vocab.txt": bertTexts, "0_T/tokenizer_config.json": `{"tokenizer_class": "BertTokenizer"}`,
			"modules.json":          sentenceModules(""),
			"1_Pooling/config.json": `{"word_embedding_dimension": 8, "pooling_mode_mean_tokens": true}`,
			"2_Dense/config.json":   `{"in_features": 8, "out_features": 4, "bias": true, "activation_function": "torch.nn.modules.activation.Tanh"}`,
		},
		weights: []string{"model.safetensors", "pytorch_model.bin", "0_T/model.safetensors", "0_T/pytorch_model.bin", "1_Pooling/pytorch_model.bin",
			"2_Dense/model.safetensors", "2_Dense/pytorch_model.bin", "part-1.safetensors", "part-1.bin", "part-2.bin", "odd.safetensors"},
		texts: map[string][]string{
			"modules.json":                 {sentenceModules("0_T")},
			"model.safetensors.index.json": {shards}, "pytorch_model.bin.index.json": {pickled},
			"config.json": {"{" + bert + `, "transformers_weights": "odd.safetensors"}`},
		},
		choices: []string{"", "", "true", "false"},
	},
}

func sentenceModules(first string) string {
	return fmt.Sprintf(`[{"idx": 0, "name": "0", "path": %q, "type": "sentence_transformers.models.Transformer"},
 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
 {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}]`, first)
}

// libraryCase is one model and one call, as reads.py takes them.
type libraryCase struct {
	Dir     string             `json:"dir"`
	Name    string             `json:"name"` // what the call names: the folder, or a repository
	Library string             `json:"library"`
	Options ref.Options        `json:"options"`
	Files   map[string]*string `json:"files"`
}

// one makes a case up.
func (l layout) one(r *rand.Rand, dir string) libraryCase {
	c := libraryCase{Dir: dir, Name: dir, Library: l.library, Options: ref.Options{Library: l.library, Class: l.class}, Files: map[string]*string{}}
	pick := func(from []string) string {
		if len(from) == 0 {
			return ""
		}
		return from[r.IntN(len(from))]
	}
	c.Options.Subfolder, c.Options.Variant, c.Options.Safetensors = pick(l.folders), pick(l.variants), pick(l.choices)
	for name, text := range l.fixed {
		c.Files[name] = &text
	}
	folders := l.folders
	if len(folders) == 0 {
		folders = []string{""}
	}
	often := 2 + r.IntN(4) // of some models most is there, of others little
	for _, folder := range folders {
		for _, name := range l.weights {
			if r.IntN(6) < often {
				c.Files[path.Join(folder, name)] = nil
			}
		}
		for _, name := range slices.Sorted(maps.Keys(l.texts)) {
			if r.IntN(6) >= 4 {
				text := pick(l.texts[name])
				c.Files[path.Join(folder, name)] = &text
			}
		}
	}
	return c
}

// planOf is the plan for the files as they lie in the case's folder.
func planOf(t *testing.T, c libraryCase) []string {
	t.Helper()
	q := ref.Question{Options: c.Options}
	var content [][]byte
	for i, name := range slices.Sorted(maps.Keys(c.Files)) {
		q.Files = append(q.Files, ref.PlanFile{Path: name})
		if path.Ext(name) == ".json" {
			q.Small, content = append(q.Small, i), append(content, []byte(*c.Files[name]))
		}
	}
	p := Choose(q, content)
	if p == nil {
		t.Fatalf("no rule for %+v", c.Options)
	}
	var names []string
	for _, i := range p.Weights {
		names = append(names, q.Files[i].Path)
	}
	return names
}

var weightFile = regexp.MustCompile(`\.(safetensors|bin|pth|tar|pt|npz)$`)

// TestLibraries has the libraries themselves load made-up models, from folders and from a hub, and compares the weights that
// they open with the plan: one that is missed is an error. PLAN_PYTHON is a Python that has them (scripts/plans.sh installs one).
func TestLibraries(t *testing.T) {
	python := os.Getenv("PLAN_PYTHON")
	if python == "" {
		t.Skip("PLAN_PYTHON is not set: scripts/plans.sh installs the libraries and sets it")
	}
	const each = 40 // layouts of a library
	for _, l := range layouts {
		t.Run(l.library, func(t *testing.T) {
			root, r := t.TempDir(), rand.New(rand.NewPCG(10, uint64(len(l.library))))
			var cases []libraryCase
			for i := range each {
				cases = append(cases, l.one(r, filepath.Join(root, fmt.Sprintf("l%03d", i))))
			}
			reads(t, python, "make", cases, nil)
			t.Run("folders", func(t *testing.T) { compare(t, cases, reads(t, python, "load", cases, nil)) })
			t.Run("hub", func(t *testing.T) { fromHub(t, python, cases) })
		})
	}
}

// answer is what a library did with a case.
type answer struct {
	Opened []string
	Error  string
}

// reads runs reads.py.
func reads(t *testing.T, python, what string, cases []libraryCase, env []string) []answer {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cases.json")
	text, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), python, "testdata/reads.py", what, file)
	cmd.Env = append(os.Environ(), "HOME="+home, "HF_HOME="+home, "HF_HUB_DISABLE_TELEMETRY=1", "HF_HUB_DISABLE_XET=1", "DISABLE_SAFETENSORS_CONVERSION=1",
		"HF_HUB_DISABLE_PROGRESS_BARS=1", "NO_PROXY=127.0.0.1,localhost", "PYTHONDONTWRITEBYTECODE=1", "HF_HUB_OFFLINE=1", "HF_ENDPOINT=http://127.0.0.1:1")
	cmd.Env = append(cmd.Env, env...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, log.Bytes()[max(0, log.Len()-4000):])
	}
	var answers []answer
	for line := range strings.Lines(out.String()) {
		var a answer
		if json.Unmarshal([]byte(line), &a) == nil {
			answers = append(answers, a)
		}
	}
	if what == "load" && len(answers) != len(cases) {
		t.Fatalf("%d answers to %d cases\n%s", len(answers), len(cases), out.String())
	}
	return answers
}

// compare holds what was opened against the plans.
func compare(t *testing.T, cases []libraryCase, answers []answer) {
	t.Helper()
	reading, more := 0, 0
	for i, c := range cases {
		plan := planOf(t, c)
		var opened []string
		for _, name := range answers[i].Opened {
			if weightFile.MatchString(name) {
				opened = append(opened, name)
			}
		}
		for _, name := range opened {
			if !slices.Contains(plan, name) {
				t.Errorf("%+v of %q reads %s; the plan has %q, the library said %q", c.Options, slices.Sorted(maps.Keys(c.Files)), name, plan, answers[i].Error)
			}
		}
		if len(opened) > 0 {
			reading++
			if len(plan) > len(opened) {
				more++
			}
		}
	}
	t.Logf("%d layouts, %d of which were read, in %d the plan has more", len(cases), reading, more)
	if reading < len(cases)/5 {
		t.Errorf("weights were read of %d of %d layouts only, the last error is %s", reading, len(cases), answers[len(answers)-1].Error)
	}
}

// fromHub serves the cases as repositories: what is fetched of one is what is read.
func fromHub(t *testing.T, python string, cases []libraryCase) {
	h := hubtest.New()
	defer h.Close()
	cases = slices.Clone(cases)
	for i := range cases {
		name := "org/" + filepath.Base(cases[i].Dir)
		repo, err := hubtest.Folder(name, cases[i].Dir)
		if err != nil {
			t.Fatal(err)
		}
		h.Add(repo)
		cases[i].Name = name
	}
	answers := reads(t, python, "load", cases, []string{"HF_ENDPOINT=" + h.URL, "HF_HUB_OFFLINE=0"})
	fetched := map[string][]string{}
	for _, r := range h.Log() {
		if parts := strings.SplitN(strings.TrimPrefix(r.Path, "/"), "/", 5); r.Method == "GET" && len(parts) == 5 && parts[2] == "resolve" {
			name := parts[0] + "/" + parts[1]
			fetched[name] = append(fetched[name], parts[4])
		}
	}
	for i, c := range cases {
		answers[i].Opened = fetched[c.Name]
	}
	compare(t, cases, answers)
}
