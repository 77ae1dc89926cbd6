package artifact

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// resolveNamed finds what a library with names of its own for models would read of an earlier download. ok is false
// where the loader has none, or the name is not one of them.
func resolveNamed(r ref.Ref, base Base, getenv func(string) string) (res Resolution, ok bool) {
	library, _, _ := strings.Cut(base.Loader, ".")
	switch {
	case base.Loader == "torch.hub.load":
		return resolveTorchRepo(r, getenv)
	case library == "ultralytics":
		return resolveUltralytics(r, base, getenv)
	case base.Loader == "whisper.load_model":
		return resolveWhisper(r, getenv)
	}
	return res, false
}

// torchRepo is "owner/name[:ref]" (torch/hub.py, _parse_repo_info).
var torchRepo = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([\w.-]+)/([\w.-]+?)(?::([\w./-]+))?$`)
})

// resolveTorchRepo finds the copy of a GitHub repository that torch.hub.load has made: owner_name_ref in its folder,
// where a ref that was not given is main, else master. It runs the copy's hubconf.py.
func resolveTorchRepo(r ref.Ref, getenv func(string) string) (Resolution, bool) {
	name := r.Value
	if r.Kind == ref.URL { // as a call's argument is told apart from a repository of the hub
		name = strings.Replace(strings.TrimPrefix(name, "https://github.com/"), "/tree/", ":", 1)
	}
	m := torchRepo().FindStringSubmatch(name)
	if m == nil {
		return Resolution{}, false
	}
	refs := []string{strings.ReplaceAll(m[3], "/", "_")}
	if m[3] == "" {
		refs = []string{"main", "master"}
	}
	for _, branch := range refs {
		dir := filepath.Join(TorchHub(getenv), m[1]+"_"+m[2]+"_"+branch)
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return resolveFolder(dir), true
		}
	}
	return Resolution{Why: fmt.Sprintf("%s is a repository on GitHub that torch.hub has not downloaded; its hubconf.py will be run", name)}, true
}

// withHubconf puts the hubconf.py of the folder first: torch.hub.load runs it, wherever the folder lies (torch/hub.py,
// _load_local). It is looked for by itself, since the list of a large folder is cut.
func withHubconf(res Resolution) Resolution {
	if res.Root == "" {
		return res
	}
	path := filepath.Join(res.Root, "hubconf.py")
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		res.Why = fmt.Sprintf("there is no hubconf.py in %s", res.Root)
		return res
	}
	others := slices.DeleteFunc(res.Targets, func(t Target) bool { return t.Path == path })
	if res.Why == noWeights(res.Root) {
		res.Why = "" // it may do without
	}
	res.Targets = append([]Target{{Path: path, Within: []string{res.Root}}}, others...)
	return res
}

// ultralyticsNames are the stems and suffixes of the models that ultralytics 8.4 downloads by name
// (utils/downloads.py, GITHUB_ASSETS_NAMES), generously: a name that it does not know is not on this disk either.
var ultralyticsNames = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:yolo(?:v(?:3|5|8|9|10)|11|12|26|e-\w+|_nas_)[\w.-]*|sam(?:2(?:\.1)?)?_[a-z]|FastSAM-[a-z]|rtdetr-[a-z]|mobile_sam|mobileclip\w*)(?:\.pt|\.ts|\.onnx)?$`)
})

// yolov5u are the names of YOLOv5 and v3, anywhere in a path, that ultralytics takes for those of the models with an u
// (check_yolov5u_filename, utils/checks.py), whether or not a file of the name is there.
var yolov5u = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(.*(?:yolov5[nsmlx]6?|yolov3(?:-tiny|-spp)?))\.pt$`)
})

// renamed is the name that ultralytics takes for one of its models.
func renamed(r ref.Ref, base Base) (string, bool) {
	if library, _, _ := strings.Cut(base.Loader, "."); library != "ultralytics" || r.Kind != ref.Path || strings.Contains(r.Value, "u") {
		return r.Value, false
	}
	m := yolov5u().FindStringSubmatch(r.Value)
	if m == nil {
		return r.Value, false
	}
	return m[1] + "u.pt", true
}

// resolveUltralytics finds a model that ultralytics would take out of its folder of weights, when it is not where the
// program runs (attempt_download_asset): a name of its own without an ending gets .pt. Where it takes another name the file
// of the one that was given is listed too, which older versions read.
func resolveUltralytics(r ref.Ref, base Base, getenv func(string) string) (Resolution, bool) {
	if r.Kind != ref.Path {
		return Resolution{}, false
	}
	known := ultralyticsNames().MatchString(r.Value)
	if known && (filepath.Ext(r.Value) == "" || strings.HasPrefix(filepath.Ext(r.Value), ".1")) {
		r.Value += ".pt"
	}
	given := resolvePath(r, base)
	name, other := renamed(r, base)
	r.Value = name
	if res := resolvePath(r, base); len(res.Targets) > 0 {
		if other {
			res.Targets = append(res.Targets, given.Targets...)
		}
		return res, true
	}
	if dir := ultralyticsWeights(getenv); dir != "" && filepath.Ext(name) == ".pt" && filepath.IsLocal(name) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return Resolution{Targets: append([]Target{{Path: file}}, given.Targets...)}, true
		}
	}
	if !known && !other {
		return Resolution{}, false
	}
	return Resolution{Targets: given.Targets, Why: fmt.Sprintf("%s is not on this machine: ultralytics downloads it from GitHub and unpickles it", name)}, true
}

// ultralyticsWeights is the folder that ultralytics' settings name (utils/__init__.py, SettingsManager).
func ultralyticsWeights(getenv func(string) string) string {
	dir := getenv("YOLO_CONFIG_DIR")
	if dir == "" {
		if dir = ultralyticsHome(getenv); dir == "" {
			return ""
		}
	}
	settings := filepath.Join(dir, "Ultralytics", "settings.json")
	text, err := smallFile(settings, filepath.Dir(settings))
	if err != nil {
		return ""
	}
	var s struct {
		Weights string `json:"weights_dir"`
	}
	if json.Unmarshal([]byte(text), &s) != nil || !filepath.IsAbs(s.Weights) {
		return ""
	}
	return s.Weights
}

func ultralyticsHome(getenv func(string) string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(home, "AppData", "Roaming")
	case "darwin":
		return filepath.Join(home, "Library", "Application Support")
	}
	if dir := getenv("XDG_CONFIG_HOME"); dir != "" {
		return dir
	}
	return filepath.Join(home, ".config")
}

// whisperNames are those of openai-whisper 20250625 (whisper/__init__.py, _MODELS) whose file has another name.
var whisperNames = map[string]string{"large": "large-v3", "turbo": "large-v3-turbo"}

// resolveWhisper finds a model that whisper has downloaded: NAME.pt in its folder. Whisper compares its digest with
// the one in the model's URL before it unpickles it.
func resolveWhisper(r ref.Ref, getenv func(string) string) (Resolution, bool) {
	name := r.Value
	if other := whisperNames[name]; other != "" {
		name = other
	}
	cache := userCache(getenv)
	if r.Kind != ref.Path || cache == "" || filepath.Base(name) != name || !filepath.IsLocal(name) {
		return Resolution{}, false
	}
	dir := filepath.Join(cache, "whisper")
	file := filepath.Join(dir, name+".pt")
	if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
		return Resolution{Targets: []Target{{Path: file, Within: []string{dir}}}}, true
	}
	return Resolution{}, false
}
