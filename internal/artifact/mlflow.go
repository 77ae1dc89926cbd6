package artifact

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// resolveMLflow looks a model up in MLflow's file store on this machine (mlflow/store/tracking/file_store.py and
// store/model_registry/file_store.py of MLflow 2 and 3):
//
//	<store>/models/<name>/version-<n>/meta.yaml   whose "storage_location" or "source" is the model's folder
//	<store>/models/<name>/aliases/<alias>         the number of a version
//	<store>/<experiment>/<run>/artifacts/<path>
//	<store>/<experiment>/models/<m-id>/artifacts
func resolveMLflow(r ref.Ref, base Base) Resolution {
	store, err := mlflowStore(base)
	if err != nil {
		return Resolution{Why: err.Error()}
	}
	scheme, name, _ := strings.Cut(r.Value, ":/")
	var dir string
	switch {
	case scheme == "runs":
		run, path, _ := strings.Cut(name, "/")
		dir, err = onlyMatch(filepath.Join(store, "*", run, "artifacts"), filepath.FromSlash(path))
	case strings.HasPrefix(name, "m-") && !strings.ContainsAny(name, "/@"):
		dir, err = onlyMatch(filepath.Join(store, "*", "models", name, "artifacts"), "")
	default:
		dir, err = mlflowVersion(store, name)
	}
	if err != nil {
		return Resolution{Why: fmt.Sprintf("%s: %v", r.Value, err)}
	}
	return resolveFolder(dir)
}

// mlflowStore is the folder that MLFLOW_REGISTRY_URI or MLFLOW_TRACKING_URI names, ./mlruns without them.
func mlflowStore(base Base) (string, error) {
	for _, name := range []string{"MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_URI"} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		dir, err := fileURI(value)
		if err != nil {
			return "", fmt.Errorf("%s is no folder on this machine: models in a server or a database are not read", name)
		}
		return dir, nil
	}
	return filepath.Join(base.WorkDir, "mlruns"), nil
}

// fileURI is the path that a file URI, or a path, means.
func fileURI(value string) (string, error) {
	scheme, _, ok := strings.Cut(value, ":")
	if !ok || len(scheme) < 2 {
		return value, nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" {
		return "", errors.New("not a file")
	}
	return filepath.FromSlash(u.Path + u.Opaque), nil
}

// onlyMatch is the folder below the one that matches pattern. path must not lead out of it.
func onlyMatch(pattern, path string) (string, error) {
	if path != "" && !filepath.IsLocal(path) {
		return "", fmt.Errorf("%s leads out of the run", path)
	}
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		return "", errors.New("is not in MLflow's store on this machine")
	}
	return filepath.Join(found[0], path), nil
}

// mlflowVersion reads "name/3", "name/latest" or "name@alias".
func mlflowVersion(store, name string) (string, error) {
	name, version, _ := strings.Cut(name, "/")
	name, alias, _ := strings.Cut(name, "@")
	model := filepath.Join(store, "models", name)
	if !filepath.IsLocal(name) || alias != "" && !filepath.IsLocal(alias) {
		return "", errors.New("is no name of a model")
	}
	if alias != "" {
		text, err := smallFile(filepath.Join(model, "aliases", alias), store)
		if err != nil {
			return "", fmt.Errorf("has no alias %s on this machine", alias)
		}
		version = strings.TrimSpace(text)
	}
	if version == "latest" || version == "" {
		version = latest(model)
	}
	if _, err := strconv.ParseUint(version, 10, 32); err != nil {
		return "", fmt.Errorf("version %q is not in MLflow's store on this machine", version)
	}
	meta, err := smallFile(filepath.Join(model, "version-"+version, "meta.yaml"), store)
	if err != nil {
		return "", fmt.Errorf("version %s is not in MLflow's store on this machine", version)
	}
	for _, key := range []string{"storage_location", "source"} {
		for line := range strings.Lines(meta) {
			if value, ok := strings.CutPrefix(line, key+":"); ok {
				if value = strings.Trim(strings.TrimSpace(value), `'"`); value != "" && value != "null" {
					return fileURI(value)
				}
			}
		}
	}
	return "", errors.New("its entry names no folder")
}

// latest is the highest version of a model that there is.
func latest(model string) string {
	found, err := filepath.Glob(filepath.Join(model, "version-*"))
	if err != nil || len(found) == 0 {
		return ""
	}
	var numbers []int
	for _, f := range found {
		if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(f), "version-")); err == nil {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) == 0 {
		return ""
	}
	return strconv.Itoa(slices.Max(numbers))
}

// maxSmall bounds the files of a store that say where others are, in bytes.
const maxSmall = 1 << 20

// smallFile reads such a file, which has to lie within.
func smallFile(path string, within ...string) (string, error) {
	f, err := Open(path, within...)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	if err == nil && len(text) > maxSmall {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxSmall)
	}
	return string(text), err
}
