package hub

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// Settings say where the hub is and who asks. FromEnv reads them as huggingface_hub 2.4 does (constants.py,
// utils/_auth.py).
type Settings struct {
	Endpoint *url.URL
	Token    string
	Offline  bool
	Timeout  time.Duration // of an answer's first byte
}

// maxToken bounds a token file, in bytes.
const maxToken = 4096

// FromEnv reads the environment. The token is HF_TOKEN, else HUGGING_FACE_HUB_TOKEN, else the file that HF_TOKEN_PATH
// names, else the one that `hf auth login` writes; none where HF_HUB_DISABLE_IMPLICIT_TOKEN is set. Tokens that a CI
// provider would have to be asked for (HF_OIDC_RESOURCE) are not fetched.
func FromEnv(getenv func(string) string) (Settings, error) {
	s := Settings{Offline: on(cmp.Or(getenv("HF_HUB_OFFLINE"), getenv("TRANSFORMERS_OFFLINE")))}
	var err error
	if s.Endpoint, err = endpoint(getenv("HF_ENDPOINT")); err != nil {
		return s, err
	}
	if seconds, err := strconv.Atoi(getenv("HF_HUB_DOWNLOAD_TIMEOUT")); err == nil && seconds > 0 && seconds < 3600 {
		s.Timeout = time.Duration(seconds) * time.Second
	}
	if !on(getenv("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
		s.Token = token(getenv)
	}
	return s, nil
}

func on(value string) bool {
	return slices.Contains([]string{"1", "ON", "YES", "TRUE"}, strings.ToUpper(value))
}

func endpoint(value string) (*url.URL, error) {
	if value == "" {
		value = ref.DefaultEndpoint
	}
	u, err := url.Parse(strings.TrimSuffix(value, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("HF_ENDPOINT is no http or https URL of a hub")
	}
	return u, nil
}

func token(getenv func(string) string) string {
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} {
		if t := clean(getenv(name)); t != "" {
			return t
		}
	}
	f, err := os.Open(artifact.HubToken(getenv))
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return ""
	}
	return clean(string(text))
}

// clean refuses what is no token: it will stand in a header.
func clean(t string) string {
	t = strings.TrimSpace(t)
	if strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return t
}
