package hub

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The order in which huggingface_hub looks for a token (utils/_auth.py, constants.py).
func TestFromEnv(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(home, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("token", "hf_home\n")
	other := write("other", "hf_path")
	bad := write("bad", "two words")
	for name, c := range map[string]struct {
		env     map[string]string
		token   string
		offline bool
	}{
		"none":     {map[string]string{"HF_HOME": home + "/no"}, "", false},
		"home":     {map[string]string{"HF_HOME": home}, "hf_home", false},
		"path":     {map[string]string{"HF_HOME": home, "HF_TOKEN_PATH": other}, "hf_path", false},
		"legacy":   {map[string]string{"HF_HOME": home, "HUGGING_FACE_HUB_TOKEN": "hf_old"}, "hf_old", false},
		"HF_TOKEN": {map[string]string{"HF_TOKEN": " hf_new\n", "HUGGING_FACE_HUB_TOKEN": "hf_old"}, "hf_new", false},
		"implicit": {map[string]string{"HF_TOKEN": "hf_new", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}, "", false},
		"no token": {map[string]string{"HF_TOKEN_PATH": bad, "HF_HUB_OFFLINE": "true"}, "", true},
		"offline":  {map[string]string{"HF_HOME": home, "TRANSFORMERS_OFFLINE": "YES"}, "hf_home", true},
	} {
		s, err := FromEnv(func(key string) string { return c.env[key] })
		if err != nil || s.Token != c.token || s.Offline != c.offline || s.Endpoint.String() != "https://huggingface.co" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	s, err := FromEnv(func(key string) string {
		return map[string]string{"HF_ENDPOINT": "https://mirror.example/hub/", "HF_HUB_DOWNLOAD_TIMEOUT": "30", "HF_TOKEN": "x"}[key]
	})
	if err != nil || s.Endpoint.String() != "https://mirror.example/hub" || s.Timeout != 30*time.Second {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"ftp://x", "huggingface.co", "https://u:p@x", "https://x/?a=b"} {
		if _, err := FromEnv(func(key string) string { return map[string]string{"HF_ENDPOINT": bad}[key] }); err == nil {
			t.Errorf("%s is no endpoint", bad)
		}
	}
}
