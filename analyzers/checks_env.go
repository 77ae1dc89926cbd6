package analyzers

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// checkReplaced finds protections that are assigned over.
func checkReplaced(l *linker, n node) (Diagnostic, bool) {
	s := l.s
	left, right := s.field(n, pyparse.FieldLeft), s.field(n, pyparse.FieldRight)
	if s.kind(left) != pyparse.Attribute || right < 0 {
		return Diagnostic{}, false
	}
	switch s.lastName(left) {
	case "check_torch_load_is_safe":
		return diagnostic(rule.LoadCheckDisabled, s, left, "transformers' check for a torch with a safe torch.load is replaced")
	case "load":
		for _, name := range s.names(left) {
			if name == "torch.load" || name == "torch.serialization.load" {
				return diagnostic(rule.LoadCheckDisabled, s, left, "torch.load is replaced for the whole process")
			}
		}
	case "_create_default_https_context":
		if strings.Contains(s.code(right), "unverified") {
			return diagnostic(rule.HubProtectionDisabled, s, left, "certificates are not verified any more, in the whole process")
		}
	}
	return Diagnostic{}, false
}

// checkEnvironment finds os.environ["…"] = "…" that weakens loading or downloading.
func checkEnvironment(l *linker, n node) (Diagnostic, bool) {
	s := l.s
	left := s.field(n, pyparse.FieldLeft)
	if s.kind(left) != pyparse.Subscript || s.lastName(s.field(left, pyparse.FieldValue)) != "environ" {
		return Diagnostic{}, false
	}
	name, ok := s.literal(s.field(left, pyparse.FieldSubscript))
	if !ok {
		return Diagnostic{}, false
	}
	return l.variable(left, name, s.field(n, pyparse.FieldRight))
}

// checkEnvironmentCall finds os.environ.setdefault and os.putenv of the same.
func checkEnvironmentCall(l *linker, n node) (Diagnostic, bool) {
	s := l.s
	callee := s.field(n, pyparse.FieldFunction)
	switch s.lastName(callee) {
	case "setdefault", "putenv", "setenv":
	default:
		return Diagnostic{}, false
	}
	name, ok := s.literal(s.positional(n, 0))
	if !ok || s.positional(n, 1) < 0 {
		return Diagnostic{}, false
	}
	return l.variable(callee, name, s.positional(n, 1))
}

// variable judges an environment variable that is given a value.
func (l *linker) variable(at node, name string, value node) (Diagnostic, bool) {
	s := l.s
	known := (&Call{s: s, n: at, l: l}).Eval(value)
	on := known.has("1") || slices.ContainsFunc(known.alts, func(a alt) bool { return slices.Contains([]string{"true", "yes", "y", "on"}, strings.ToLower(a.text)) })
	id, why := rule.HubProtectionDisabled, ""
	switch name {
	case "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD":
		if on {
			id, why = rule.LoadCheckDisabled, "every torch.load of this process runs code from its file"
		}
	case "HF_HUB_DISABLE_SSL_VERIFICATION", "HF_HUB_DISABLE_SSL_VERIFY", "HF_DATASETS_TRUST_REMOTE_CODE":
		if on {
			why = name + " takes a protection away from every download of this process"
		}
	case "HF_ENDPOINT":
		if slices.ContainsFunc(known.alts, func(a alt) bool { return plainHost(a.text) }) {
			why = "the hub is asked over http://: anyone on the way can replace what it answers"
		}
	case "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE":
		if known.has("") {
			why = "an empty " + name + " turns the verification of certificates off"
		}
	case "PYTHONHTTPSVERIFY":
		if known.has("0") {
			why = "PYTHONHTTPSVERIFY=0 turns the verification of certificates off"
		}
	}
	if why == "" {
		return Diagnostic{}, false
	}
	return diagnostic(id, s, at, why)
}

// plainHost says whether a URL asks another machine without encryption.
func plainHost(url string) bool {
	host, ok := strings.CutPrefix(url, "http://")
	return ok && !loopback(strings.SplitN(host, "/", 2)[0])
}
