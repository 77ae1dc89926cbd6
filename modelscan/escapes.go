package modelscan

import "strings"

// Escapes tells why a relative path that a file names would leave the file's folder, or the folder that an
// archive is unpacked in, on some system; "" when it would not. Both slashes separate, on every system: a
// file travels.
func Escapes(name string) string {
	if why := Rooted(name); why != "" {
		return why
	}
	depth := 0
	for part := range strings.SplitSeq(strings.ReplaceAll(name, `\`, "/"), "/") {
		switch part {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return "climbs with .."
			}
		default:
			depth++
		}
	}
	return ""
}

// Rooted tells why a name means the same whatever folder it is joined to, on some system; "" when it doesn't.
func Rooted(name string) string {
	slashed := strings.ReplaceAll(name, `\`, "/")
	switch {
	case strings.HasPrefix(slashed, "//"):
		return "is a network path"
	case strings.HasPrefix(slashed, "/"):
		return "is an absolute path"
	case len(slashed) > 1 && slashed[1] == ':' && isLetter(slashed[0]):
		return "starts with a drive letter"
	case hasScheme(slashed):
		return "is a URL"
	}
	return ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func hasScheme(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && scheme != "" && !strings.ContainsAny(scheme, "/ ")
}
