package ci

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// An instruction of a Dockerfile.
type instruction struct{ name, rest string }

// dockerfile reads one: continued lines put together, comments left out.
func dockerfile(text string) []instruction {
	var all []instruction
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		line = strings.Join(strings.Fields(line), " ")
		if name, rest, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(line, "#") {
			all = append(all, instruction{name, rest})
		}
	}
	return all
}

// An image is built on this machine's own system, in place of the images it begins with: its files lie in a folder, and
// what a RUN writes to the root is led there.
type image struct {
	root       string
	work       string
	env        []string
	user       string
	entrypoint []string
}

// in is a path of the image.
func (i *image) in(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = filepath.Join(i.work, p)
	}
	return filepath.Join(i.root, p)
}

var written = regexp.MustCompile(` (/[a-z][a-z-]*)`)

// run runs a RUN in the image's folder. What apt-get would install has to be here already.
func (i *image) run(t *testing.T, text string) {
	t.Helper()
	if rest, ok := strings.CutPrefix(text, "apt-get update -qq && apt-get install -y -qq --no-install-recommends "); ok {
		command(t, ".", "dpkg", append([]string{"-s"}, strings.Fields(rest)...)...)
		return
	}
	text = written.ReplaceAllString(text, " "+i.root+"$1")
	cmd := exec.Command("sh", "-c", text)
	cmd.Dir = i.in(".")
	cmd.Env = append(os.Environ(), "VERSION=devel")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("RUN %s: %v\n%s", text, err, out)
	}
}

// copy copies files of the context, or of another image.
func (i *image) copy(t *testing.T, context string, images map[string]*image, words []string) {
	t.Helper()
	from := context
	owner := ""
	for strings.HasPrefix(words[0], "--") {
		if name, ok := strings.CutPrefix(words[0], "--from="); ok {
			from = images[name].root
		}
		owner = strings.TrimPrefix(words[0], "--chown=")
		words = words[1:]
	}
	to := words[len(words)-1]
	for _, source := range words[:len(words)-1] {
		target := i.in(to)
		if strings.HasSuffix(to, "/") {
			target = filepath.Join(target, filepath.Base(source))
		}
		source = filepath.Join(from, source)
		if _, err := os.Stat(source); err != nil && from != context {
			source = strings.TrimPrefix(source, from) // what the base image has: here this system does
		}
		command(t, ".", "mkdir", "-p", filepath.Dir(target))
		command(t, ".", "cp", "-a", "-T", source, target)
		if strings.Contains(owner, ":") {
			command(t, ".", "chown", "-R", owner, target)
		}
	}
}

// build takes a Dockerfile's steps. It returns the stage of a name.
func build(t *testing.T, context, stage string) *image {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(context, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]*image{}
	var now *image
	for _, step := range dockerfile(string(text)) {
		words := strings.Fields(step.rest)
		switch step.name {
		case "ARG":
		case "FROM":
			now = &image{root: t.TempDir(), work: "/"}
			if len(words) == 3 {
				images[words[2]] = now
			}
		case "RUN":
			now.run(t, step.rest)
		case "WORKDIR":
			now.work = step.rest
			command(t, ".", "mkdir", "-p", now.in("."))
		case "COPY":
			now.copy(t, context, images, words)
		case "ENV":
			now.env = append(now.env, step.rest)
		case "USER":
			now.user = step.rest
		case "ENTRYPOINT":
			if err := json.Unmarshal([]byte(step.rest), &now.entrypoint); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("unknown instruction %s", step.name)
		}
	}
	return images[stage]
}

// TestDockerfile: its steps, without Docker, and then its program as a container would run it: in a root that has nothing
// else, as its user, with a folder of models.
func TestDockerfile(t *testing.T) {
	if os.Getenv("PRE_COMMIT") == "" || os.Getuid() != 0 {
		t.Skip("`make test-ci` runs this, as root")
	}
	context := t.TempDir()
	ignored, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	command(t, "..", "sh", "-c", "git ls-files -z --cached --others --exclude-standard | tar --null -T - -c --ignore-failed-read | tar -x -C "+context)
	for _, name := range strings.Fields(string(ignored)) {
		if name != "Dockerfile" { // read by Docker itself
			os.RemoveAll(filepath.Join(context, name))
		}
	}
	i := build(t, context, "scratch-user")
	var files []string
	for line := range strings.Lines(command(t, i.root, "find", ".", "-type", "f")) {
		files = append(files, strings.TrimSpace(line))
	}
	slices.Sort(files)
	if want := []string{"./etc/ssl/certs/ca-certificates.crt", "./usr/bin/secure-torch"}; !slices.Equal(files, want) {
		t.Errorf("the image has %q, want %q", files, want)
	}
	models := filepath.Join(i.root, "models")
	for _, dir := range []string{models, filepath.Join(i.root, "proc"), filepath.Join(i.root, "dev")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(models, "evil.pt"), []byte(evil), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(i.root, "dev", "null"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(i.root, 0o755); err != nil {
		t.Fatal(err)
	}
	script := "mount -t proc proc " + i.root + "/proc && mount --bind /dev/null " + i.root + "/dev/null && exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin " + strings.Join(i.env, " ") + " chroot --userspec=" + i.user + " " + i.root + " " + i.entrypoint[0] + " scan /models"
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "sh", "-c", script)
	out, _ := cmd.CombinedOutput() // what it exits with is looked at
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), "would call posix.system('echo pwned') on load") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

// TestGitLab: the template's script with its own variables, as a runner starts it, and with a project's.
func TestGitLab(t *testing.T) {
	text, err := os.ReadFile("gitlab.yml")
	if err != nil {
		t.Fatal(err)
	}
	var template map[string]struct {
		Script    []string
		Variables map[string]string
		Artifacts struct{ Paths []string }
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	job := template["secure-torch"]
	bin := filepath.Dir(program(t))
	for name, c := range map[string]struct {
		variables []string
		code      int
	}{
		"as it is":   {nil, 1},
		"a folder":   {[]string{"SECURE_TORCH_VERB=scan", "SECURE_TORCH_PATHS=models other"}, 1},
		"never":      {[]string{"SECURE_TORCH_FAIL_ON=never"}, 0},
		"no command": {[]string{"SECURE_TORCH_PATHS=$(touch pwned);`touch pwned`"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			command(t, dir, "mkdir", "models", "other")
			write(t, dir, map[string]string{"app.py": source, "evil.pt": evil, "models/evil.pt": evil, "other/fine.py": "print(1)\n"})
			cmd := exec.Command("bash", "-eo", "pipefail", "-c", strings.Join(job.Script, "\n"))
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "XDG_CACHE_HOME="+t.TempDir())
			for key, value := range job.Variables {
				cmd.Env = append(cmd.Env, key+"="+value)
			}
			cmd.Env = append(cmd.Env, c.variables...)
			out, _ := cmd.CombinedOutput() // what it exits with is looked at
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit %d, want %d:\n%s", code, c.code, out)
			}
			if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
				t.Error("a variable was run")
			}
			if log, err := os.ReadFile(filepath.Join(dir, job.Artifacts.Paths[0])); c.code < 2 && (err != nil || !strings.Contains(string(log), "ST201")) {
				t.Errorf("the artifact: %v, %d bytes", err, len(log))
			}
		})
	}
}

// TestDevContainer: it begins with the image that the Dockerfile does, which has the Go of go.mod, and its command is one
// that bootstrap.sh knows.
func TestDevContainer(t *testing.T) {
	text, err := os.ReadFile("../.devcontainer/devcontainer.json")
	if err != nil {
		t.Fatal(err)
	}
	var container struct{ Image, PostCreateCommand string }
	if err := json.Unmarshal(text, &container); err != nil {
		t.Fatal(err)
	}
	docker, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(docker), "FROM "+container.Image+" AS build") {
		t.Errorf("%s is not what the Dockerfile begins with", container.Image)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))
	if version == nil || container.Image != "golang:"+version[1]+"-bookworm" {
		t.Errorf("%s, and go.mod wants %q", container.Image, version)
	}
	_, bootstrap, ok := strings.Cut(container.PostCreateCommand, "&& scripts/bootstrap.sh ")
	if !ok {
		t.Fatalf("%q", container.PostCreateCommand)
	}
	script, err := os.ReadFile("../scripts/bootstrap.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range strings.Fields(bootstrap) {
		if !regexp.MustCompile(`(?m)^\t([a-z]+ \| )*` + what + `( \| [a-z]+)*\)`).Match(script) {
			t.Errorf("bootstrap.sh does not know %s", what)
		}
	}
}
