package artifact

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of a folder that a reference leads to. More is said in Why.
const (
	folderFiles = 2000
	folderDepth = 6
)

// resolveFolder lists what a loader that is given a folder may read.
func resolveFolder(dir string) Resolution { return resolveIn(dir, "", nil) }

// resolveIn lists the files of a model folder, or the one named file of it.
func resolveIn(dir, file string, within []string) Resolution {
	if len(within) == 0 {
		within = []string{dir}
	}
	if file != "" {
		local := filepath.FromSlash(file)
		if !filepath.IsLocal(local) {
			return Resolution{Why: fmt.Sprintf("%s leads out of the repository", file)}
		}
		path := filepath.Join(dir, local)
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return Resolution{Why: fmt.Sprintf("%s is not there", path)}
		case info.IsDir():
			return resolveIn(path, "", within)
		}
		return Resolution{Targets: []Target{{Path: path, Within: within}}}
	}
	res := Resolution{Root: dir}
	byFolder := map[string][]string{}
	seen := 0
	err := walk(dir, func(path string) bool {
		if seen++; seen > 10*folderFiles {
			return false
		}
		byFolder[filepath.Dir(path)] = append(byFolder[filepath.Dir(path)], filepath.Base(path))
		return true
	})
	if err != nil {
		res.Why = err.Error()
	}
	for folder, names := range byFolder {
		for name, role := range roles(names) {
			res.Targets = append(res.Targets, Target{Path: filepath.Join(folder, name), Within: within, Role: role})
		}
	}
	slices.SortFunc(res.Targets, func(a, b Target) int {
		if a.Role != b.Role {
			return int(a.Role) - int(b.Role)
		}
		return strings.Compare(a.Path, b.Path)
	})
	if len(res.Targets) > folderFiles {
		res.Targets = res.Targets[:folderFiles]
		res.Why = fmt.Sprintf("%s holds more than %d files", dir, folderFiles)
	}
	if res.Why == "" && (len(res.Targets) == 0 || res.Targets[0].Role != Weights) {
		res.Why = noWeights(dir)
	}
	return res
}

func noWeights(dir string) string { return "no weights in " + dir }

// walk visits the files of a tree, hidden folders left out, links to folders not followed.
func walk(dir string, visit func(path string) bool) error {
	depth := strings.Count(filepath.Clean(dir), string(filepath.Separator)) + folderDepth
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && (strings.HasPrefix(d.Name(), ".") || strings.Count(path, string(filepath.Separator)) > depth):
			return fs.SkipDir
		case !d.IsDir() && !visit(path):
			return fs.SkipAll
		}
		return nil
	})
}

// pickled and plain are the endings of weights that are objects and of those that are only numbers.
var (
	plain   = []string{".safetensors", ".gguf", ".onnx", ".npy", ".npz", ".tflite", ".msgpack"}
	pickled = []string{".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".keras", ".pb", ".ot", ".nemo", ".dill", ".skops"}
)

// besideBin tells whether a file belongs to a training run, which from_pretrained never reads.
func besideBin(name string) bool {
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	return slices.Contains([]string{"training_args", "optimizer", "scheduler"}, stem) || strings.HasPrefix(stem, "rng_state")
}

// settings are configurations that libraries read, and that may have code run.
var settings = []string{"config.json", "adapter_config.json", "model_index.json", "modules.json", "generation_config.json", "scheduler_config.json",
	"tokenizer_config.json", "processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json", "chat_template.json", "chat_template.jinja"}

// roles tells what a loader does with each file of one folder: safetensors go before everything else,
// and what lies beside them is an alternative.
func roles(names []string) map[string]Role {
	safe := slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(filepath.Ext(n), ".safetensors") })
	out := make(map[string]Role, len(names))
	for _, name := range names {
		ext := strings.ToLower(filepath.Ext(name))
		switch {
		case safe && ext == ".safetensors", !safe && slices.Contains(plain, ext):
			out[name] = Weights
		case !safe && slices.Contains(pickled, ext) && !besideBin(name):
			out[name] = Weights
		case slices.Contains(plain, ext), slices.Contains(pickled, ext):
			out[name] = Alternative
		case slices.Contains(settings, name):
			out[name] = Settings
		default:
			out[name] = Beside
		}
	}
	return out
}
