package modelscan

import "strings"

// Escapes tells why a relative path that a model file names would leave the model's folder on some
// system, "" when it would not. Both slashes separate, on every system: a file travels.
func Escapes(name string) string {
	slashed := strings.ReplaceAll(name, `\`, "/")
	switch {
	case strings.HasPrefix(slashed, "//"):
		return "is a network path"
	case strings.HasPrefix(slashed, "/"):
		return "is an absolute path"
	case len(slashed) > 1 && slashed[1] == ':' && isLetter(slashed[0]):
		return "starts with a drive letter"
	case strings.Contains(slashed, "\x00"):
		return "holds a NUL byte"
	case hasScheme(slashed):
		return "is a URL"
	}
	for part := range strings.SplitSeq(slashed, "/") {
		if part == ".." {
			return "climbs with .."
		}
	}
	return ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func hasScheme(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && scheme != "" && !strings.ContainsAny(scheme, "/ ")
}
