package analyzers

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// downloadFunction finds the functions, by the last part of their name, that fetch a file and return
// where it lies: the result stands for the file fetched.
func downloadFunction(last string) callFunc {
	switch last {
	case "hf_hub_download", "cached_download", "cached_file", "snapshot_download", "try_to_load_from_cache":
		return hubFile
	case "load_file_from_url", "cached_path", "download_url", "download_cached_file", "get_file", "gdown", "wget", "download_url_to_file", "urlretrieve":
		return fetched
	}
	return nil
}

// hubFile is a file of a repository, or the whole of it.
func hubFile(e *evaluator, fr *frame, n node) value {
	s := fr.s
	arg := func(i int, names ...string) node {
		for _, name := range names {
			if v := s.keyword(n, name); v >= 0 {
				return v
			}
		}
		return s.positional(n, i)
	}
	repo := e.repository(fr, n, arg(0, repoNames()...))
	file := value{alts: []alt{{kind: ref.Path, sure: ref.Exact}}}
	if f := arg(1, "filename"); f >= 0 && s.lastName(s.child(n, 0)) != "snapshot_download" {
		file = e.eval(fr, f).parts()
	}
	if last := s.lastName(s.child(n, 0)); last != "cached_file" { // which takes a folder too
		repo.alts = slices.DeleteFunc(slices.Clone(repo.alts), func(a alt) bool { return a.kind == ref.Path && !isHubID(a.text) })
	}
	if len(repo.alts) == 0 {
		if repo.why == "" {
			repo.why = "it is downloaded from a repository whose name is not known"
		}
		return repo
	}
	return e.within(fr, n, repo, file)
}

// within are the files in the repositories that a download names.
func (e *evaluator) within(fr *frame, n node, repo, file value) value {
	s := fr.s
	var revision, site string
	if v := s.keyword(n, "revision"); v >= 0 {
		if r := e.eval(fr, v); len(r.alts) == 1 {
			revision = r.alts[0].text
		}
	}
	if names := s.names(s.field(n, pyparse.FieldFunction)); len(names) > 0 { // the latest import comes first
		site = elsewhere(names[0])
	}
	kind := e.repoType(fr, s.keyword(n, "repo_type"))
	return cross(repo, file, func(r, f alt) alt {
		switch {
		case r.kind != ref.Path:
		case !isHubID(r.text):
			r.text = strings.TrimSuffix(r.text, "/") + "/" + f.text
		case site != "":
			r.kind, r.text = ref.URL, strings.TrimSuffix(site+r.text+"/"+f.text, "/")
		default:
			r.kind, r.file, r.revision, r.repo = ref.Hub, f.text, revision, kind
		}
		return r
	})
}

// elsewhere is where a library finds the repositories that its functions name, which are none of the hub's; empty for
// all others.
func elsewhere(function string) string {
	library, _, _ := strings.Cut(function, ".")
	switch library {
	case "modelscope": // modelscope/hub/constants.py
		return "https://www.modelscope.cn/models/"
	case "paddlenlp", "ppdiffusers": // their utils/constants.py, unless from_hf_hub=True
		return "https://bj.bcebos.com/paddlenlp/models/community/"
	}
	return ""
}

// site is elsewhere for the function of a call, which a module of such a library may import relatively from another.
func (c *Call) site() string {
	if c.l.o.Workspace == nil || !strings.HasPrefix(c.name, ".") {
		return elsewhere(c.name)
	}
	for module, attr := splitDotted(c.name); strings.Trim(module, ".") != ""; module, attr = splitDotted(module) {
		m, ok := c.l.o.Workspace.Module(c.s, module)
		if !ok {
			continue
		}
		for dir := range strings.SplitSeq(m.Dir, "/") {
			if site := elsewhere(dir + "." + attr); site != "" {
				return site
			}
		}
		break
	}
	return ""
}

// repoNames are the parameters that name a repository.
func repoNames() []string { return []string{"repo_id", "path_or_repo_id", "path_or_repo"} }

// repository is what an argument, or where there is none a dictionary that is unpacked, says of a download's repository.
func (e *evaluator) repository(fr *frame, n, arg node) value {
	repo := e.eval(fr, arg)
	for _, name := range repoNames() {
		if len(repo.alts) == 0 {
			repo = repo.or(e.valueOf(e.argument(place{fr, n, ref.Exact}, name, -1), ""))
		}
	}
	return repo
}

// repoType is what repo_type= says of a repository; where it is not known, that of a model.
func (e *evaluator) repoType(fr *frame, n node) string {
	if n < 0 {
		return ref.Models
	}
	switch v := e.eval(fr, n); {
	case v.has("dataset"):
		return ref.Datasets
	case v.has("space"):
		return ref.Spaces
	}
	return ref.Models
}

// fetched is the URL that a download call names.
func fetched(e *evaluator, fr *frame, n node) value {
	for i := range 2 {
		arg := fr.s.keyword(n, "url")
		if arg < 0 {
			arg = fr.s.positional(n, i)
		}
		if v := e.eval(fr, arg); len(v.alts) > 0 && strings.Contains(v.alts[0].text, "://") {
			return v
		}
	}
	return unknown("it is downloaded from an address that is not known")
}

// isHubID says whether text can name a repository on the hub: "name" or "owner/name".
func isHubID(t string) bool {
	owner, name, two := strings.Cut(t, "/")
	if !two {
		if isModelFile(t) {
			return false
		}
		name = owner
	}
	return hubWord(owner) && hubWord(name) && len(t) <= 96
}

// isModelFile says whether a name ends as files of weights do, which no repository without an owner does.
func isModelFile(name string) bool {
	_, ext := splitExt(name)
	switch strings.ToLower(ext) {
	case ".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".onnx", ".pkl", ".gguf", ".h5", ".keras", ".npz", ".npy", ".msgpack", ".tflite", ".joblib", ".engine":
		return true
	}
	return false
}

func hubWord(w string) bool {
	if w == "" || w[0] == '.' || w[0] == '-' || w == ".." {
		return false
	}
	return strings.IndexFunc(w, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) < 0
}
