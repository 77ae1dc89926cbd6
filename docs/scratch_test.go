package docs

import (
	"crypto/elliptic"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact/remote/hubtest"
	"github.com/secure-torch/secure-torch/trust/signtest"
	"github.com/secure-torch/secure-torch/trust/signtest/tufrepo"
	"github.com/secure-torch/secure-torch/trust/signtest/virtual"
)

// A workshop has what all pages need: the program, a Python with torch and the package, a hub and a Sigstore of our own.
type workshop struct {
	root    string // of the repository
	bin     string // a folder with the program in it
	python  string // a venv
	models  string // files to copy into a project
	hub     *hubtest.Hub
	sigs    *virtual.Instance
	updates *tufrepo.Repository
}

// A project is the folder in which a page's blocks are run, one after the other.
type project struct {
	*workshop
	dir, home string
}

const workflow = "https://github.com/secure-torch/secure-torch/.github/workflows/release.yml@refs/tags/vX.Y.Z"

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	python := os.Getenv("DOCS_PYTHON")
	if python == "" {
		t.Skip("DOCS_PYTHON is not set: `make test-docs` builds the program and runs this")
	}
	root, err := filepath.Abs("..")
	check(t, err)
	w := &workshop{root: root, bin: filepath.Join(root, "bin"), python: python, models: t.TempDir(), sigs: virtual.New(t), updates: tufrepo.New(t)}
	w.updates.Publish(t, "trusted_root.json", w.sigs.Root(t, nil), time.Now().Add(time.Hour))
	run(t, root, "go", "run", "./internal/modeltest/assemble", filepath.Join(w.models, "models"), "testdata/sample/models.txtar")
	make := exec.Command(filepath.Join(python, "bin", "python"), filepath.Join(root, "docs", "testdata", "models.py"))
	make.Dir = w.models
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	repo, err := hubtest.Folder("org/model", filepath.Join(w.models, "model"))
	check(t, err)
	w.hub = hubtest.New(repo)
	t.Cleanup(w.hub.Close)
	return w
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// newProject makes what the pages speak of: models good and evil, a folder of each, sources, keys and certificates.
func (w *workshop) newProject(t *testing.T, page string) *project {
	t.Helper()
	p := &project{workshop: w, dir: t.TempDir(), home: t.TempDir()}
	check(t, os.CopyFS(p.dir, os.DirFS(w.models)))
	for from, to := range map[string]string{"models/good.pt": "good.pt", "models/evil.pt": "evil.pt"} {
		data, err := os.ReadFile(filepath.Join(p.dir, from))
		check(t, err)
		p.write(t, to, string(data))
		if to == "good.pt" {
			p.write(t, "model.pt", string(data))
		}
	}
	app, err := os.ReadFile(filepath.Join(w.root, "testdata", "sample", "app.py"))
	check(t, err)
	p.write(t, "app.py", string(app))
	p.write(t, "src/load.py", "import torch\n\nstate = torch.load(\"../good.pt\", weights_only=True)\n")
	p.write(t, "input.json", `{"environment": "development", "findings": [], "threat": {"score": 0}}`)
	check(t, os.CopyFS(filepath.Join(p.dir, "published"), os.DirFS(filepath.Join(p.dir, "model"))))
	p.authority(t)
	switch page {
	case "README.md":
		p.exec(t, filepath.Join(p.bin, "secure-torch"), "sign", "model/", "--key", "release.key")
	case "RELEASE.md":
		p.write(t, "checksums.txt", run(t, p.dir, "sha256sum", "model.pt"))
		p.signAs(t, "checksums.txt", workflow, "https://token.actions.githubusercontent.com")
	case "docs/sigstore.md":
		p.signAs(t, "model.safetensors", "ml@example.org", "https://accounts.google.com")
	}
	if page != "docs/sigstore.md" {
		check(t, os.Remove(filepath.Join(p.dir, "model.safetensors"))) // commands of a page make it
	}
	return p
}

// emptyProject has nothing in it.
func (w *workshop) emptyProject(t *testing.T) *project {
	t.Helper()
	return &project{workshop: w, dir: t.TempDir(), home: t.TempDir()}
}

// authority makes a certificate chain for key.pem, and a model that is signed with it.
func (p *project) authority(t *testing.T) {
	t.Helper()
	root := signtest.NewAuthority(t, "Publisher Root", nil)
	between := signtest.NewAuthority(t, "Publisher Intermediate", root)
	key := signtest.Key(t, elliptic.P256())
	leaf := between.Leaf(t, "Publisher Signing", key, nil)
	p.write(t, "publisher-root.pem", string(signtest.CertificatePEM(root.Cert)))
	p.write(t, "intermediate.pem", string(signtest.CertificatePEM(between.Cert)))
	p.write(t, "leaf.pem", string(signtest.CertificatePEM(leaf)))
	p.write(t, "publisher.pem", string(signtest.PrivatePEM(t, key)))
	release := signtest.Key(t, elliptic.P256())
	p.write(t, "release.key", string(signtest.PrivatePEM(t, release)))
	p.write(t, "release.pub", string(signtest.PublicPEM(t, release)))
	p.write(t, "keys/myorg.pub", string(signtest.PublicPEM(t, release)))
	p.write(t, "nv-root.pem", string(signtest.CertificatePEM(root.Cert)))
}

// signAs signs a file in somebody's name. The root of that Sigstore is where `trust update` would have put it, so that the
// commands are those of a page.
func (p *project) signAs(t *testing.T, file, identity, issuer string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, file))
	check(t, err)
	p.write(t, file+".sigstore.json", string(p.sigs.Sign(t, identity, issuer, data)))
	p.write(t, "example-root.json", string(p.updates.Root))
	dir := filepath.Join(p.home, ".config", "secure-torch")
	check(t, os.MkdirAll(dir, 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "trusted_root.json"), p.sigs.Root(t, nil), 0o600))
}

func (p *project) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(p.dir, filepath.FromSlash(name))
	check(t, os.MkdirAll(filepath.Dir(file), 0o755))
	check(t, os.WriteFile(file, []byte(text), 0o644))
}

// sh runs a command in the project, and returns its exit code and what it said.
func (p *project) sh(t *testing.T, command string) (int, string) {
	t.Helper()
	return p.exec(t, "bash", "-c", strings.ReplaceAll(command, "https://tuf.example.org", p.updates.URL))
}

func (p *project) exec(t *testing.T, name string, args ...string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(),
		"PATH="+p.bin+":"+filepath.Join(p.python, "bin")+":"+os.Getenv("PATH"), "HOME="+p.home, "XDG_CONFIG_HOME="+filepath.Join(p.home, ".config"), "XDG_CACHE_HOME="+filepath.Join(p.home, ".cache"),
		"PYTHONPATH="+filepath.Join(p.root, "python"), "SECURE_TORCH_BINARY="+filepath.Join(p.bin, "secure-torch"), "HF_ENDPOINT="+p.hub.URL, "NO_COLOR=1", "PYTHONWARNINGS=ignore")
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isJSON(text string) error {
	var v any
	return json.Unmarshal([]byte(text), &v)
}
