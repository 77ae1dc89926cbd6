package ref

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	commit := "0123456789abcdef0123456789abcdef01234567"
	hub := func(repo, revision, file string) Ref {
		return Ref{Kind: Hub, Value: repo, Revision: revision, File: file, Sure: Exact}
	}
	typed := func(r Ref, typ string) Ref { r.Type = typ; return r }
	for s, want := range map[string]Ref{
		"model.pt":                            {Kind: Path, Value: "model.pt", Sure: Exact},
		`C:\models\m.pt`:                      {Kind: Path, Value: `C:\models\m.pt`, Sure: Exact},
		"./hf:odd":                            {Kind: Path, Value: "./hf:odd", Sure: Exact},
		"odd:name.pt":                         {Kind: Path, Value: "odd:name.pt", Sure: Exact},
		"file:///models/m.pt":                 {Kind: Path, Value: "/models/m.pt", Sure: Exact},
		"hf:org/name":                         hub("org/name", "", ""),
		"hf://org/name/":                      hub("org/name", "", ""),
		"hf:models/org/name":                  hub("org/name", "", ""),
		"hf:gpt2":                             hub("gpt2", "", ""),
		"hf:gpt2@main/config.json":            hub("gpt2", "main", "config.json"),
		"hf:org/name@v1.0":                    hub("org/name", "v1.0", ""),
		"hf:org/name/sub/model.bin":           hub("org/name", "", "sub/model.bin"),
		"hf:org/name@" + commit + "/a/b":      hub("org/name", commit, "a/b"),
		"hf:org/name@refs/pr/7/x.bin":         hub("org/name", "refs/pr/7", "x.bin"),
		"hf:org/name@refs%2Fpr%2F7/x.bin":     hub("org/name", "refs/pr/7", "x.bin"),
		"hf:datasets/org/data@main/x.pkl":     typed(hub("org/data", "main", "x.pkl"), Datasets),
		"hf://spaces/org/app":                 typed(hub("org/app", "", ""), Spaces),
		"https://huggingface.co/org/name":     hub("org/name", "", ""),
		"https://hf.co/org/name/tree/dev/sub": hub("org/name", "dev", "sub"),
		"https://huggingface.co/org/name/resolve/main/a%20b.bin":         hub("org/name", "main", "a b.bin"),
		"https://huggingface.co/gpt2/blob/main/pytorch_model.bin":        hub("gpt2", "main", "pytorch_model.bin"),
		"https://huggingface.co/datasets/o/d/resolve/refs/convert/p/x":   typed(hub("o/d", "refs/convert/p", "x"), Datasets),
		"http://127.0.0.1:8080/org/name/resolve/main/m.pt?download=true": hub("org/name", "main", "m.pt"),
		"https://example.org/m.pt":                                       {Kind: URL, Value: "https://example.org/m.pt", Sure: Exact},
		"models:/fraud/3":                                                {Kind: MLflow, Value: "models:/fraud/3", Sure: Exact},
		"models:/fraud@champion":                                         {Kind: MLflow, Value: "models:/fraud@champion", Sure: Exact},
		"runs:/0a1b/model":                                               {Kind: MLflow, Value: "runs:/0a1b/model", Sure: Exact},
		"ollama:llama3.2:1b":                                             {Kind: Ollama, Value: "llama3.2:1b", Sure: Exact},
		"ollama://registry.example/team/m":                               {Kind: Ollama, Value: "registry.example/team/m", Sure: Exact},
	} {
		got, err := Parse(s, "http://127.0.0.1:8080")
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{
		"hf:", "hf:/", "hf:..", "hf:org/..", "hf:org/na--me", "hf:org/name@", "hf:org/name@/x", "hf:org/name/../x", "hf:org/name//x", "hf:org/name@a..b",
		"hf:org/name/a\nb", "https://huggingface.co/", "https://huggingface.co/org/name/settings", "https://user:pw@example.org/m.pt",
		"https://huggingface.co/org/name/resolve/main/..%2f..%2fx", "models:/", "models:/a/b/c", "runs:/../x", "ollama:", "ollama:../x", "ollama:/abs", "file://host/x",
	} {
		if got, err := Parse(s, DefaultEndpoint); err == nil {
			t.Errorf("%q: %+v", s, got)
		}
	}
	for _, s := range []string{"s3:bucket/m.pt", "s3://", "gs://b/m", "oci://reg/m:1", "abc://x"} {
		if _, err := Parse(s, DefaultEndpoint); !errors.Is(err, ErrScheme) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// What is spelled out is read back the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"hf:org/name@refs/pr/1/x", "hf:datasets/a/b", "hf:gpt2@main", "https://hf.co/a/b/raw/x/y", "models:/a/1", "ollama:a:b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s, DefaultEndpoint)
		if err != nil || r.Kind != Hub {
			return
		}
		again, err := Parse(r.String(), DefaultEndpoint)
		if err == nil && again != r {
			t.Errorf("%q is %+v, and %q is %+v", s, r, r.String(), again)
		}
	})
}
