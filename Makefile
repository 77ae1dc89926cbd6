# Every target installs what it lacks (scripts/bootstrap.sh) and works from a clean clone.
GO ?= go
BIN := bin/secure-torch
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 10m
# golangci-lint lives in a module of its own, so that it stays out of our SBOM.
LINT := bin/golangci-lint

.PHONY: notice check-cross check-licences check-ci vulncheck test-ci test-release test-packages wheels release-snapshot docs test-docs test-contributing test-jupyterlab test-zed scan-worker wasm-check check-vscode vscode test-vscode build run test test-go test-wasm test-outputs test-python test-matrix test-interop test-plans test-editors lint generate check wasm test-sandbox soak fuzz bench clean

# First the small executable of the scan role, which the tag has the second build embed (docs/adr/0005).
# grpcnotrace: gRPC without its pages for a debugging server, whose templates have the linker keep every exported method.
build: scan-worker
	@scripts/bootstrap.sh build
	$(GO) build -trimpath -tags embedworker,grpcnotrace -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/secure-torch

scan-worker:
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -tags scanworker,noasm,nounsafe -ldflags "-s -w" -o sandbox/twin/scan-worker-$(shell $(GO) env GOARCH) ./internal/worker/guest

# The main job, on a small project whose models are put together from recipes.
run: build
	@scripts/sample.sh

test: test-go test-wasm test-outputs test-python test-interop test-ci test-docs

# With REQUIRE_EDITORS an editor that is absent fails its test.
test-go:
	@scripts/bootstrap.sh build test hub
	REQUIRE_EDITORS=1 $(GO) test -race ./...

# The worker as a WebAssembly module: against the native one, and its own probes with their control run. Not
# under the race detector, which would take minutes to compile it.
test-wasm: wasm
	REQUIRE_WASM=1 $(GO) test -run 'Wasm|Probes' ./internal/worker ./sandbox/wasm

# The outputs against their schemas, and the program as in containers. Run anew each time: go can't see that they
# depend on the program.
test-outputs: build
	$(GO) test -C tools -count=1 ./schemas ./containers ./scaffold

# Against Debian's torch, in a venv in .cache/python.
test-python:
	@scripts/bootstrap.sh build test
	python/run-tests.sh

# Python 3.9 to 3.13 without torch, sentence-transformers with a real model, and the whole suite with the torch of newer
# Debians; the Pythons are not installed here.
test-matrix:
	@scripts/bootstrap.sh build test
	python/test-matrix.sh

# Signatures and SBOMs against the tools that others use for them.
test-interop:
	@scripts/bootstrap.sh build test
	scripts/interop.sh

# Which files the libraries themselves open, against what is said of a call; fetches some 400 MB and takes half an hour.
test-plans:
	@scripts/bootstrap.sh build python
	scripts/plans.sh

# Every editor there is: Neovim as installed, and newer ones out of other Debians, which need not be reachable.
test-editors: build
	@scripts/bootstrap.sh build test
	-editors/tools/debroot.sh trixie neovim .cache/editors/nvim-trixie
	-editors/tools/debroot.sh forky neovim .cache/editors/nvim-forky
	-editors/tools/debroot.sh trixie hx .cache/editors/hx-trixie
	@scripts/bootstrap.sh editors
	lsp/conformance/install.sh
	REQUIRE_EDITORS=1 REQUIRE_ALL_EDITORS=1 REQUIRE_PYTEST_LSP=1 $(GO) test -count=1 -timeout 30m ./editors/... ./lsp/...

# Types, lint and unit tests of the VS Code extension.
check-vscode:
	editors/vscode/check.sh

# The extension for this machine, with a static program in it: dist/vscode/*.vsix. TARGETS=all packs all platforms.
vscode:
	@scripts/bootstrap.sh build
	editors/vscode/check.sh install
	node editors/vscode/package.mjs $(TARGETS)

# The packed extension, as released, in a real VS Code; pictures in dist/vscode-test. CASES names some of its tests,
# RUNS how often: dist/vscode-test/rounds.txt has a line for each case of each round, figures.json what was measured.
test-vscode:
	rm -rf dist/vscode
	$(MAKE) vscode TARGETS=
	editors/vscode/test/ui/install.sh
	node editors/vscode/test/ui/run.mjs dist/vscode/*.vsix $(CASES)

# Every command and block of code on the pages, in projects made for them.
test-docs: run .cache/lint/installed
	@scripts/bootstrap.sh build test
	[ -x .cache/python/bin/python ] || python/install.sh
	DOCS_PYTHON=$(CURDIR)/.cache/python PRE_COMMIT=$(CURDIR)/.cache/lint/bin/pre-commit $(GO) test -count=1 -timeout 30m ./docs

# What CONTRIBUTING.md walks through, each walk to its end in a copy of the repository.
test-contributing:
	@scripts/bootstrap.sh build
	WALK=1 $(GO) test -C tools -count=1 -timeout 30m ./scaffold

# JupyterLab with the settings of editors/jupyterlab, in the Chromium that the VS Code tests use.
test-jupyterlab: build
	editors/vscode/test/ui/install.sh
	editors/jupyterlab/test/install.sh
	node editors/jupyterlab/test/run.mjs

# The extension for Zed, compiled as Zed does. It needs cargo and rustup; Zed itself is not started.
test-zed:
	rustup target add wasm32-wasip2
	cargo build --locked --release --target wasm32-wasip2 --manifest-path editors/zed/Cargo.toml --target-dir .cache/zed
	grep -aq 'language-server-command' .cache/zed/wasm32-wasip2/release/zed_secure_torch.wasm

# The GitHub action's script, the hooks by the real pre-commit, GitLab's script, install.sh, the Dockerfile's steps.
test-ci: .cache/lint/installed
	PRE_COMMIT=$(CURDIR)/.cache/lint/bin/pre-commit $(GO) test -count=1 -timeout 30m ./ci

# The archives of a release, in dist/release; then that they are the same twice, and work in a clean root. TARGETS names
# some of them, as linux/amd64; without it all five are built.
release-snapshot:
	@scripts/bootstrap.sh build
	scripts/release.sh $(TARGETS)

test-release:
	@scripts/bootstrap.sh build
	scripts/test-release.sh $(TARGETS)

# Wheels for each system and the source distribution, in dist/wheels.
wheels:
	@scripts/bootstrap.sh build
	scripts/wheels.sh $(TARGETS)

# The wheels twice (the same bytes) and the extensions for all platforms, looked into; the wheel for this machine is
# installed and used.
test-packages:
	@scripts/bootstrap.sh build python
	scripts/test-packages.sh

$(LINT): tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

lint: $(LINT)
	@scripts/bootstrap.sh build lint
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(LINT) run ./...
	luacheck --quiet --globals vim --max-line-length 140 editors/nvim

generate:
	@scripts/bootstrap.sh build
	$(GO) generate ./internal/rule # what the others read of the rules is compiled
	$(GO) generate ./...
	UPDATE_REFERENCE=1 $(GO) test -count=1 ./cmd/secure-torch -run '^TestReference$$'

# The documentation as a site, in dist/docs. A warning is an error: a link that leads nowhere above all.
docs:
	@scripts/bootstrap.sh python
	@[ -x .cache/docs/bin/sphinx-build ] || /usr/bin/python3 -m venv .cache/docs
	.cache/docs/bin/pip install -q --disable-pip-version-check -r docs/requirements.txt
	.cache/docs/bin/sphinx-build -q -W --keep-going -b html docs dist/docs

# The terms of everything that is in a release; make check fails where it is stale, or has terms that are not allowed.
notice:
	editors/vscode/check.sh install
	@mkdir -p build
	$(GO) run -C tools ./licences notice >build/NOTICE
	cp build/NOTICE NOTICE

check-licences: check-vscode
	$(GO) test -C tools ./licences
	@mkdir -p build
	$(GO) run -C tools ./licences notice >build/NOTICE
	@cmp NOTICE build/NOTICE || { echo "NOTICE is stale: run make notice and commit"; exit 1; }

# Linters and hooks from PyPI.
.cache/lint/installed: scripts/lint-requirements.txt
	@scripts/bootstrap.sh python
	/usr/bin/python3 -m venv .cache/lint
	.cache/lint/bin/pip install -q --disable-pip-version-check -r scripts/lint-requirements.txt
	touch $@

check-ci: .cache/lint/installed
	$(GO) run -C tools/actionlint github.com/rhysd/actionlint/cmd/actionlint -shellcheck= $(addprefix ../../,$(wildcard .github/workflows/*.yml))
	.cache/lint/bin/zizmor --offline --no-progress --quiet .github action.yml

# Advisories on what is imported. It asks the Go project's database, so it is no part of check.
vulncheck:
	$(GO) build -C tools -o ../bin/govulncheck golang.org/x/vuln/cmd/govulncheck
	bin/govulncheck ./...

# The program for the systems that it is released for: type-checked, in seconds. release-snapshot builds them.
check-cross:
	$(GO) run -C tools ./cross .. linux/arm64 darwin/amd64 darwin/arm64 windows/amd64

# What is generated and checked in must be what the sources say now.
check: lint check-cross check-vscode check-licences check-ci docs
	@scripts/check-generated.sh

# The worker as a WebAssembly module, for --sandbox=wasm: the next build embeds it.
wasm:
	GOOS=wasip1 GOARCH=wasm $(GO) build -trimpath -ldflags "-s -w" -o build/worker.wasm ./internal/worker/guest
	gzip -9nc build/worker.wasm > internal/worker/module/worker.wasm.gz

# The Python grammar as WebAssembly, built anew and compared; ZIG says how to call zig (pip install ziglang==0.17.1).
wasm-check:
	@mkdir -p build
	analyzers/pyparse/wasm/build.sh "$(CURDIR)/build/python.wasm"
	cmp build/python.wasm analyzers/pyparse/wasm/python.wasm
	CGO_ENABLED=0 $(GO) test ./analyzers/...

# The sandbox's proofs in its three builds, and the module against the native worker.
test-sandbox: wasm
	$(GO) test -timeout 30m ./sandbox/... ./internal/engine/... ./internal/worker/...
	$(GO) test -timeout 30m -tags netgo,osusergo -ldflags '-linkmode external -extldflags -static' ./sandbox/...
	CGO_ENABLED=0 $(GO) test -timeout 30m ./sandbox/...

# Hours of load, crashes and files, in short: docs/soak.md says what came of it.
soak: scan-worker
	$(GO) test -run Soak -v -timeout 2h ./sandbox -soak
	$(GO) test -tags embedworker -run Soak -v -timeout 2h ./internal/engine -soak
	@scripts/bootstrap.sh test
	python/install.sh
	SECURE_TORCH_SOAK=1 .cache/python/bin/python -m pytest python/tests/test_load.py -k threads

fuzz:
	@scripts/fuzz.sh $(FUZZTIME)

# Figures beside its peers, which it installs in .cache/bench, into docs/benchmarks.md. Wants a quiet machine.
bench: build
	@scripts/bootstrap.sh build test
	@scripts/bench.sh

clean:
	rm -rf bin build dist coverage
