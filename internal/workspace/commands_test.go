package workspace

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/analyzers"
)

const parsed = "import argparse\nfrom transformers import AutoModel\np = argparse.ArgumentParser()\np.add_argument('-m', '--model-name', required=True)\nargs = p.parse_args()\nAutoModel.from_pretrained(args.model_name)\n"

// What a script or a document of the workspace gives to an option that has no default is what the program loads.
func TestCommandLines(t *testing.T) {
	for text, want := range map[string]string{
		"python train.py --model-name org/a\n":                                                 "hub:org/a:guess",
		"python train.py --model_name=org/a\n":                                                 "hub:org/a:guess", // absl and fire take both
		"python3.11 -u ./src/train.py -m org/a\n":                                              "hub:org/a:guess",
		"accelerate launch --config_file a.yaml src/train.py \\\n  --model-name org/a":         "hub:org/a:guess",
		"torchrun --nproc_per_node 8 src/train.py --out x --model-name 'org/a' \\\n --x":       "hub:org/a:guess",
		"python -m torch.distributed.launch --use_env train.py --model-name org/a\n":           "hub:org/a:guess",
		"python -m src.train --model-name org/a\n":                                             "hub:org/a:guess",
		"deepspeed --module src.train --model-name org/a\n":                                    "hub:org/a:guess",
		"M=org/a\npython train.py --model-name \"$M\"\n":                                       "hub:org/a:guess",
		"export O=org\nM=\"$O/a\"\n$PYTHON $ROOT/src/train.py --model-name ${M}-b\n":           "hub:org/a-b:guess",
		"M=org/a\npython train.py --model-name $M\nM=org/b\npython train.py --model-name $M\n": "hub:org/a:guess hub:org/b:guess",
		"A='--model-name org/a'\npython train.py $A\n":                                         "hub:org/a:guess",
		"CUDA_VISIBLE_DEVICES=0 nohup python train.py --model-name org/a > log 2>&1 &\n":       "hub:org/a:guess",
		"srun bash -c 'python train.py --model-name org/a'\n":                                  "hub:org/a:guess",
		"(cd src && python train.py --model-name org/a)\n":                                     "hub:org/a:guess",
		"python train.py --model-name org/a --model-name2 org/b\n":                             "hub:org/a:guess",
		"don't: python train.py --model-name org/a\n":                                          "hub:org/a:guess",
		// Not this program's, or not known.
		"python other.py --model-name org/a\n":                           "?",
		"python lib/train.py --model-name org/a\n":                       "?",
		"python -m lib.train --model-name org/a\n":                       "?",
		"python other.py train.py --model-name org/a\n":                  "?",
		"vim train.py --model-name org/a\n":                              "?",
		"# python train.py --model-name org/a\n":                         "?",
		"python train.py --model org/a\n":                                "?",
		"python train.py --model-name --x\n":                             "?",
		"python train.py --model-name ...\n":                             "?",
		"python train.py --model-name <model>\n":                         "?",
		"python train.py --model-name $M\n":                              "?",
		"python train.py --model-name $1\n":                              "?",
		"python train.py --model-name ${M:-org/a}\n":                     "?",
		"M=$(cat m)\npython train.py --model-name $M\n":                  "?",
		"M=org/a\nM+=b\npython train.py --model-name $M\n":               "?",
		"M=org/a\nfor M in $@; do python train.py --model-name $M; done": "?",
		"python train.py --model-name org/{a,b}\n":                       "?",
		"python train.py --model-name `cat m`\n":                         "?",
		"python train.py --model-name org/*\n":                           "?",
		"python train.py; echo --model-name org/a\n":                     "?",
		"python $X_train.py --model-name org/a\n":                        "?",
	} {
		files := map[string]string{"src/train.py": parsed, "run.sh": text}
		if got := refs(t, files, "src/train.py"); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}

// Where a command line stands says how it is written, and which of two programs of one name it runs.
func TestCommandTexts(t *testing.T) {
	for _, c := range []struct{ name, text, script, want string }{
		{"README.md", "# Train\n\nIt's easy, run `python train.py --model-name org/a`:\n```bash\n$ python train.py \\\n    --model-name org/b  \n```\n", "train.py", "hub:org/a:guess hub:org/b:guess"},
		{"Makefile", "MODEL ?= org/a # the usual\nrun:\n\t@python train.py --model-name $(MODEL)\n", "train.py", "hub:org/a:guess"},
		{"Makefile", "MODEL := $(shell x)\nrun:\n\tpython train.py --model-name $(MODEL)\n", "train.py", "?"},
		{".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n    - run: python train.py --model-name org/a\n", "train.py", "hub:org/a:guess"},
		{"Dockerfile", "ENV M=org/a\nRUN python train.py --model-name $M\nCMD [\"python\", \"train.py\", \"--model-name\", \"org/b\"]\n", "train.py", "hub:org/a:guess hub:org/b:guess"},
		{"notes.bin", "python train.py --model-name org/a\n", "train.py", "?"},
		{"ignored/run.sh", "python train.py --model-name org/a\n", "train.py", "?"},
		{"a/README.md", "python train.py --model-name org/a\n", "a/train.py", "hub:org/a:guess"},
		{"a/README.md", "python train.py --model-name org/a\n", "b/train.py", "?"},
		{"README.md", "cd b\npython train.py --model-name org/a\n", "b/train.py", "hub:org/a:guess"},
		{"README.md", "cd b\npython train.py --model-name org/a\n", "a/train.py", "?"},
		{"c/README.md", "python train.py --model-name org/a\n", "a/train.py", "?"}, // of either
		{"run.sh", "python b/train.py --model-name org/a\n", "b/train.py", "hub:org/a:guess"},
		{"run.sh", "python -m pkg --model-name org/a\n", "pkg/__main__.py", "hub:org/a:guess"},
	} {
		files := map[string]string{".gitignore": "ignored/\n", c.name: c.text, c.script: parsed}
		if strings.Contains(c.script, "/train") {
			files["a/train.py"], files["b/train.py"] = parsed, parsed
		}
		if got := refs(t, files, c.script); got != c.want {
			t.Errorf("%s %q: %q, not %q", c.name, c.text, got, c.want)
		}
	}
}

// Every way to declare an option is followed to what a command line gives it, but a default stays what it is.
func TestOptionsWithoutDefault(t *testing.T) {
	head := "import argparse, click, fire, typer, tyro\nfrom absl import flags\nfrom dataclasses import dataclass, field\nfrom transformers import AutoModel, HfArgumentParser\n"
	for src, want := range map[string]string{
		"p = argparse.ArgumentParser()\np.add_argument('--model', default='')\nargs = p.parse_args()\nAutoModel.from_pretrained(args.model)\n":                                                "hub:org/a:guess",
		"p = argparse.ArgumentParser()\np.add_argument('--model', default=None)\nargs = p.parse_args()\nAutoModel.from_pretrained(args.model)\n":                                              "hub:org/a:guess",
		"p = argparse.ArgumentParser()\np.add_argument('--model', default='org/b')\nargs = p.parse_args()\nAutoModel.from_pretrained(args.model)\n":                                           "hub:org/b:default",
		"p = argparse.ArgumentParser()\np.add_argument('--model', choices=['org/b'])\nargs = p.parse_args()\nAutoModel.from_pretrained(args.model)\n":                                         "hub:org/b:guess",
		"p = argparse.ArgumentParser()\np.add_argument('--model')\ndef main(a):\n    AutoModel.from_pretrained(a.model)\nmain(p.parse_args())\n":                                              "hub:org/a:guess",
		"@click.command()\n@click.option('--model', required=True)\ndef main(model):\n    AutoModel.from_pretrained(model)\n":                                                                 "hub:org/a:guess",
		"@click.command()\n@click.option('--model', 'name')\ndef main(name):\n    AutoModel.from_pretrained(name)\n":                                                                          "hub:org/a:guess",
		"def main(model: str = ''):\n    AutoModel.from_pretrained(model)\nfire.Fire(main)\n":                                                                                                 "hub:org/a:guess",
		"def main(model: str):\n    AutoModel.from_pretrained(model)\nfire.Fire()\n":                                                                                                          "hub:org/a:guess",
		"def main(model: str = typer.Option(...)):\n    AutoModel.from_pretrained(model)\ntyper.run(main)\n":                                                                                  "hub:org/a:guess",
		"def main(model: str):\n    AutoModel.from_pretrained(model)\n":                                                                                                                       "?",
		"@dataclass\nclass A:\n    model: str = field(default=None)\nargs, = HfArgumentParser((A,)).parse_args_into_dataclasses()\nAutoModel.from_pretrained(args.model)\n":                   "hub:org/a:guess",
		"@dataclass\nclass A:\n    model: str\nargs = tyro.cli(A)\nAutoModel.from_pretrained(args.model)\n":                                                                                   "hub:org/a:guess",
		"from trl import ModelConfig, TrlParser\nmodel_args, = TrlParser((ModelConfig,)).parse_args_and_config()\nAutoModel.from_pretrained(model_args.model)\n":                              "hub:org/a:guess",
		"F = flags.FLAGS\nflags.DEFINE_string('model', None, 'x')\ndef main(args):\n    AutoModel.from_pretrained(args.model)\n":                                                              "hub:org/a:guess",
		"def f(thing):\n    AutoModel.from_pretrained(thing.model)\n":                                                                                                                         "?",
		"\"\"\"Usage:\n\n    python train.py --model org/b\n\"\"\"\np = argparse.ArgumentParser()\np.add_argument('--model')\nargs = p.parse_args()\nAutoModel.from_pretrained(args.model)\n": "hub:org/b:guess hub:org/a:guess",
		"# python train.py \\\n#   --model org/b\np = argparse.ArgumentParser()\np.add_argument('--model')\nargs = p.parse_args()\nAutoModel.from_pretrained(args.model)\n":                   "hub:org/b:guess hub:org/a:guess",
		"import lib\np = argparse.ArgumentParser()\nlib.add(p)\nargs = p.parse_args()\nAutoModel.from_pretrained(args.model)\n":                                                               "hub:org/a:guess",
	} {
		files := map[string]string{"train.py": head + src, "run.sh": "python train.py --model org/a\n", "lib.py": "def add(p):\n    p.add_argument('--model')\n"}
		if strings.HasPrefix(src, "\"\"\"") {
			files["train.py"] = src[:strings.Index(src, "p = ")] + head + src[strings.Index(src, "p = "):]
		}
		if got := refs(t, files, "train.py"); got != want {
			t.Errorf("%q: %q, not %q", src, got, want)
		}
	}
}

// Where a value was found is said.
func TestCommandLineWhy(t *testing.T) {
	files := map[string]string{"train.py": parsed, "scripts/run.sh": "python train.py -m org/a\n"}
	root := tree(t, files)
	ws := New([]string{root}, analyzers.Native)
	calls := analyzers.Link(analyzers.Summarise([]byte(parsed), analyzers.Native), analyzers.Options{Workspace: ws.At(filepath.Join(root, "train.py"))}).Calls
	if len(calls) != 1 || calls[0].Why != "a command line in `run.sh` gives it; another may give another" {
		t.Errorf("%+v", calls)
	}
}

// A text may be anything: no word is longer than the text, and what is found is never what a shell puts in.
func FuzzShell(f *testing.F) {
	for _, seed := range []string{"a=b c=$a\npython x.py --m \"$c\" '", "$(", "${", "\\", "\"$", "`", "a=$a$a$a$a\n", "x \\\n\\\n", "[\"python\", \"a.py\", \"--x\", \"y\"]", "$((1+(2))\n", "M ?= $(M)\npython x.py --m $(M)", "\x00.py python"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, isMake bool) {
		for _, c := range commandsOf("/w/run.sh", text, &shell{comments: true, make: isMake}) {
			if len(c.tail) == 0 || len(c.options) == 0 || len(c.options) > maxOptions || slices.ContainsFunc(c.options, func(o [2]string) bool {
				return o[0] == "" || o[1] == "" || len(o[1]) > maxGiven || strings.Contains(o[1], unknownPart)
			}) {
				t.Errorf("%q: %+v", text, c)
			}
		}
	})
}

// A variable that doubles itself stays small, and a long line is read in a time that grows with it.
func TestShellBounds(t *testing.T) {
	sh := &shell{}
	sh.commandsIn("a=xxxxxxxxxxxxxxxx\n"+strings.Repeat("a=$a$a\n", 64), func([]string) {})
	if len(sh.vars["a"]) > maxVariable {
		t.Errorf("a variable of %d bytes", len(sh.vars["a"]))
	}
	words := 0
	sh.commandsIn(strings.Repeat("x ", maxLine/2-1)+"\n"+strings.Repeat("y ", maxLine)+"\n", func(w []string) { words += len(w) })
	if words == 0 || words > maxWords {
		t.Errorf("%d words", words)
	}
}
