package s3

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
)

// Settings say where the store is and who asks.
type Settings struct {
	Endpoint             string // empty for Amazon's
	Region               string
	Key, Secret, Session string // unsigned where Key is empty: public buckets
	Offline              bool
}

// maxProfile bounds a credentials file, in bytes.
const maxProfile = 1 << 20

// FromEnv reads what Amazon's tools read: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else the
// profile AWS_PROFILE of the files AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE; AWS_REGION, AWS_DEFAULT_REGION;
// AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL. Credentials that would have to be asked for (instance metadata, SSO, a
// process) are not fetched.
func FromEnv(getenv func(string) string) Settings {
	s := Settings{
		Endpoint: cmp.Or(getenv("AWS_ENDPOINT_URL_S3"), getenv("AWS_ENDPOINT_URL")),
		Region:   cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION")),
		Key:      getenv("AWS_ACCESS_KEY_ID"), Secret: getenv("AWS_SECRET_ACCESS_KEY"), Session: getenv("AWS_SESSION_TOKEN"),
	}
	profile := cmp.Or(getenv("AWS_PROFILE"), "default")
	config := section(cmp.Or(getenv("AWS_CONFIG_FILE"), home(".aws/config")), profile, "profile "+profile)
	if s.Key == "" || s.Secret == "" {
		p := section(cmp.Or(getenv("AWS_SHARED_CREDENTIALS_FILE"), home(".aws/credentials")), profile)
		if p["aws_access_key_id"] == "" {
			p = config
		}
		s.Key, s.Secret, s.Session = p["aws_access_key_id"], p["aws_secret_access_key"], p["aws_session_token"]
	}
	s.Region = cmp.Or(s.Region, config["region"], "us-east-1")
	s.Endpoint = cmp.Or(s.Endpoint, config["endpoint_url"])
	return s
}

func home(name string) string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// section reads the keys of the first of the named sections that an INI file has.
func section(path string, names ...string) map[string]string {
	out := map[string]string{}
	f, err := os.Open(path)
	if err != nil {
		return out
	}
	defer f.Close() // opened for reading
	inside := false
	lines := bufio.NewScanner(io.LimitReader(f, maxProfile))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			title := strings.TrimSpace(strings.Trim(line, "[]"))
			inside = false
			for _, n := range names {
				inside = inside || title == n
			}
			continue
		}
		if k, v, ok := strings.Cut(line, "="); ok && inside && !strings.HasPrefix(line, "#") {
			out[strings.ToLower(strings.TrimSpace(k))] = strings.TrimSpace(v)
		}
	}
	return out
}

// bucket is the URL of a bucket: a host of its own at Amazon, a path elsewhere and where the name has dots, for which
// Amazon has no certificate.
func (s *Settings) bucket(name string) (*url.URL, error) {
	region := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	if strings.ContainsFunc(s.Region, region) || s.Region == "" {
		return nil, fmt.Errorf("AWS_REGION: %.40q is no region", s.Region)
	}
	if s.Endpoint == "" {
		if strings.Contains(name, ".") {
			return url.Parse("https://s3." + s.Region + ".amazonaws.com/" + name)
		}
		return url.Parse("https://" + name + ".s3." + s.Region + ".amazonaws.com")
	}
	u, err := url.Parse(s.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || !private(u) {
		return nil, errors.New("AWS_ENDPOINT_URL is no https URL of a store, or http on this machine")
	}
	return u.JoinPath(name), nil
}

// private tells whether nobody on the way can read or change what comes.
func private(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && web.Loopback(u.Hostname())
}
