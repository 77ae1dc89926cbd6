# secure-torch alone, as nobody: no shell, no library, no file that is not its own.
#   docker build -t secure-torch . && docker run --rm -v "$PWD/models:/models:ro" secure-torch scan /models
# For runners that need a shell (GitLab): docker build --build-arg FINAL=debug …
ARG FINAL=scratch-user
FROM golang:1.26-bookworm AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libseccomp-dev pkg-config
WORKDIR /src
COPY go.mod go.sum ./
COPY trust/govalidator trust/govalidator
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags scanworker,noasm,nounsafe -ldflags "-s -w" \
    -o sandbox/twin/scan-worker-$(go env GOARCH) ./internal/worker/guest \
 && go build -trimpath -buildvcs=false -tags osusergo,netgo,embedworker,grpcnotrace -o /secure-torch \
    -ldflags "-s -w -X main.version=$VERSION -linkmode external -extldflags '-static'" ./cmd/secure-torch \
 && install -d -o 65532 -g 65532 -m 0700 /cache

FROM scratch AS scratch-user
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /secure-torch /usr/bin/secure-torch
COPY --from=build --chown=65532:65532 /cache /cache
ENV XDG_CACHE_HOME=/cache
USER 65532:65532
ENTRYPOINT ["/usr/bin/secure-torch"]

FROM debian:bookworm-slim AS debug
COPY --from=build /secure-torch /usr/bin/secure-torch
USER 65532:65532

FROM ${FINAL}
