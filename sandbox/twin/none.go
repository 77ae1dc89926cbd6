//go:build linux && (!embedworker || !(amd64 || arm64))

package twin

// image is empty: `go build` without the tag holds no executable of the scan role.
const image = ""
