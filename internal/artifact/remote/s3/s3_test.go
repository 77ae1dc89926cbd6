package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/ranges"
	"github.com/secure-torch/secure-torch/internal/artifact/remote/web"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// store is an S3 in memory with one bucket, that checks signatures.
type store struct {
	mu      sync.Mutex // over all of it, while it serves and while a test changes it
	objects map[string][]byte
	secret  string
	pageOf  int
	before  func(w http.ResponseWriter, r *http.Request) bool
	seen    []*http.Request
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, r)
	if s.before != nil && s.before(w, r) {
		return
	}
	if s.secret != "" && !s.signed(r) {
		refuse(w, http.StatusForbidden, "SignatureDoesNotMatch")
		return
	}
	key, ok := strings.CutPrefix(r.URL.Path, "/models/")
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case r.URL.Query().Get("list-type") == "2":
		s.list(w, r.URL.Query().Get("prefix"), r.URL.Query().Get("delimiter"), r.URL.Query().Get("continuation-token"))
	case s.objects[key] == nil:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("ETag", tag(s.objects[key]))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.objects[key]))
	}
}

func tag(b []byte) string { return fmt.Sprintf(`"%x"`, md5.Sum(b)) }

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
}

// signed signs the request again, with what the client said of time and headers, and compares.
func (s *store) signed(r *http.Request) bool {
	again := r.Clone(context.Background())
	again.URL.Scheme, again.URL.Host = "http", r.Host
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return false
	}
	again.Header = http.Header{"X-Amz-Content-Sha256": {unsigned}, "X-Amz-Date": r.Header["X-Amz-Date"]}
	for _, name := range []string{"Range", "If-Range", "User-Agent", "Accept-Encoding"} {
		if v := r.Header.Get(name); v != "" {
			again.Header.Set(name, v)
		}
	}
	err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
		SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "AK", SecretAccessKey: s.secret}, again, unsigned, "s3", "us-east-1", at)
	return err == nil && again.Header.Get("Authorization") == r.Header.Get("Authorization")
}

func (s *store) list(w http.ResponseWriter, prefix, delimiter, after string) {
	type object struct {
		Key  string
		Size int
		ETag string
	}
	var out struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string   `xml:",omitempty"`
		Contents              []object `xml:"Contents"`
	}
	for _, k := range slices.Sorted(maps.Keys(s.objects)) {
		if rest, ok := strings.CutPrefix(k, prefix); !ok || k <= after || delimiter != "" && strings.Contains(rest, delimiter) {
			continue
		}
		if len(out.Contents) == s.pageOf {
			out.IsTruncated, out.NextContinuationToken = true, out.Contents[len(out.Contents)-1].Key
			break
		}
		out.Contents = append(out.Contents, object{k, len(s.objects[k]), tag(s.objects[k])})
	}
	_ = xml.NewEncoder(w).Encode(out) // to a test's own client
}

// change changes the store while it serves.
func (s *store) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// open starts a store and a client of it.
func open(t *testing.T, s *store, set Settings) *Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	set.Endpoint, set.Region = server.URL, "us-east-1"
	return New(set, web.Options{UserAgent: "test", Sleep: func(context.Context, time.Duration) error { return nil }}, ranges.Limits{Head: 1000, Tail: 1000, Whole: 2000})
}

func resolve(t *testing.T, c *Client, value string) (*remote.Listing, error) {
	t.Helper()
	return c.Resolve(t.Context(), ref.Ref{Kind: ref.S3, Value: value})
}

// TestResolve: objects and folders, in pages, signed and unsigned, with names that have to be escaped.
func TestResolve(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 1000)
	for _, secret := range []string{"", "SK"} {
		s := &store{secret: secret, pageOf: 2, objects: map[string][]byte{
			"a/model.pt": content, "a/b/ü +%&=~.bin": []byte("x"), "a/": {}, "ab": []byte("y"), "a/config.json": []byte("{}"), "other": []byte("z"),
		}}
		set := Settings{}
		if secret != "" {
			set.Key, set.Secret = "AK", secret
		}
		c := open(t, s, set)
		list, err := resolve(t, c, "s3://models/a")
		if err != nil || len(list.Files) != 3 {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, f := range list.Files {
			var b bytes.Buffer
			if n, err := f.Download(t.Context(), &b); err != nil || n != f.Size || !bytes.Equal(b.Bytes(), s.objects[f.Path]) {
				t.Errorf("%s: %d bytes, %v", f.Name, n, err)
			}
			r := f.Open(t.Context())
			if err := r.Prefetch(t.Context()); err != nil || r.Size() != f.Size {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
		if one, err := resolve(t, c, "s3://models/a/model.pt"); err != nil || len(one.Files) != 1 || one.Files[0].Name != "s3://models/a/model.pt" {
			t.Errorf("%+v, %v", one, err)
		}
		for value, kind := range map[string]remote.Kind{"s3://models/none": remote.NoEntry, "s3://absent/x": remote.NotFound, "s3://../x": 0, "s3://Models/x": 0} {
			_, err := resolve(t, c, value)
			if got, _ := remote.KindOf(err); err == nil || got != kind {
				t.Errorf("%s: %v", value, err)
			}
		}
	}
}

// TestBeside: what lies around that which was asked for is looked for by one listing of a folder.
func TestBeside(t *testing.T) {
	s := &store{pageOf: 2, objects: map[string][]byte{
		"a/model.pt": []byte("m"), "a/model.pt.sig": []byte("s"), "a/x": []byte("x"), "a/y": []byte("y"), "model.sig": []byte("f"), "a/sub/z": []byte("z"),
	}}
	c := open(t, s, Settings{})
	list, err := resolve(t, c, "s3://models/a/model.pt")
	if err != nil {
		t.Fatal(err)
	}
	s.change(func() { s.seen = nil })
	for path, want := range map[string]string{"a/model.pt.sig": "s", "a/model.pt.sigstore": "", "a/model.sig": "", "model.sig": "f", "a/model.pt": "", "sub/z": ""} {
		f, err := list.Beside(t.Context(), path)
		var b bytes.Buffer
		if err == nil && f != nil {
			_, err = f.Download(t.Context(), &b)
		}
		if err != nil || b.String() != want {
			t.Errorf("%s: %q, %v; want %q", path, b.String(), err, want)
		}
	}
	listings := 0
	s.change(func() {
		for _, r := range s.seen {
			if r.URL.Query().Get("list-type") == "2" {
				listings++
			}
		}
	})
	if listings != 4 { // of a: two pages of two; of the top and of sub: one each
		t.Errorf("%d pages were asked for", listings)
	}
	refused := func(status int, code string) {
		list, err = resolve(t, c, "s3://models/a/model.pt")
		s.change(func() {
			s.before = func(w http.ResponseWriter, _ *http.Request) bool { refuse(w, status, code); return true }
		})
	}
	refused(http.StatusForbidden, "AccessDenied")
	if f, err := list.Beside(t.Context(), "a/model.sig"); f != nil || err != nil {
		t.Errorf("a folder that may not be listed: %v, %v", f, err)
	}
	s.change(func() { s.before = nil })
	refused(http.StatusInternalServerError, "InternalError")
	if f, err := list.Beside(t.Context(), "a/model.sig"); f != nil || err == nil {
		t.Errorf("a store that can't say: %v, %v", f, err)
	}
}

// TestRefusals: a store that lies, refuses or sends us elsewhere gets nothing and is not believed.
func TestRefusals(t *testing.T) {
	s := &store{secret: "SK", pageOf: 10, objects: map[string][]byte{"m.pt": bytes.Repeat([]byte("x"), 5000)}}
	c := open(t, s, Settings{Key: "AK", Secret: "wrong"})
	if _, err := resolve(t, c, "s3://models/m.pt"); err == nil || !strings.Contains(err.Error(), "does not accept these credentials") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("%v", err)
	}
	c = open(t, s, Settings{Key: "AK", Secret: "SK", Session: "TOKEN"})
	c.set.Session = ""
	list, err := resolve(t, c, "s3://models/m.pt")
	if err != nil {
		t.Fatal(err)
	}
	s.change(func() { s.objects["m.pt"] = bytes.Repeat([]byte("y"), 5000) })
	if kind, _ := remote.KindOf(list.Files[0].Open(t.Context()).Prefetch(t.Context())); kind != remote.Changed {
		t.Errorf("another content than was listed: %d", kind)
	}
	var elsewhere []*http.Request
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { s.change(func() { elsewhere = append(elsewhere, r) }) }))
	defer thief.Close()
	before := func(f func(w http.ResponseWriter, r *http.Request) bool) { s.change(func() { s.before = f }) }
	before(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, strings.Replace(thief.URL, "127.0.0.1", "localhost", 1)+r.URL.Path, http.StatusFound)
		return true
	})
	if _, err := resolve(t, c, "s3://models/m.pt"); err == nil {
		t.Error("believed another host")
	}
	s.mu.Lock()
	for _, r := range elsewhere {
		if r.Header.Get("Authorization") != "" || r.Header.Get("X-Amz-Date") != "" {
			t.Error("signed for another host")
		}
	}
	if len(elsewhere) == 0 {
		t.Error("the redirect was not followed: nothing was shown")
	}
	s.mu.Unlock()
	for name, body := range map[string]string{
		"climbs":      "<ListBucketResult><Contents><Key>m.pt/../../x</Key></Contents></ListBucketResult>",
		"no end":      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken></NextContinuationToken></ListBucketResult>",
		"no XML":      "{}",
		"negative":    "<ListBucketResult><Contents><Key>m.pt</Key><Size>-1</Size></Contents></ListBucketResult>",
		"entities":    `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><ListBucketResult><Contents><Key>&a;</Key></Contents></ListBucketResult>`,
		"nothing":     "<ListBucketResult></ListBucketResult>",
		"other names": "<ListBucketResult><Contents><Key>elsewhere</Key></Contents></ListBucketResult>",
		"too long":    strings.Repeat(" ", maxXML+1),
	} {
		before(func(w http.ResponseWriter, _ *http.Request) bool { _, _ = w.Write([]byte(body)); return true })
		if list, err := resolve(t, c, "s3://models/m.pt"); err == nil {
			t.Errorf("%s: %+v", name, list)
		}
	}
	c.set.Offline = true
	s.change(func() { s.seen = nil })
	if _, err := resolve(t, c, "s3://models/m.pt"); err == nil {
		t.Error("asked though offline")
	}
	s.change(func() {
		if len(s.seen) > 0 {
			t.Errorf("offline: %d requests", len(s.seen))
		}
	})
}

func TestFromEnv(t *testing.T) {
	dir := t.TempDir()
	credentials, config := filepath.Join(dir, "credentials"), filepath.Join(dir, "config")
	for path, text := range map[string]string{
		credentials: "[default]\naws_access_key_id = A\naws_secret_access_key=B\n[work]\naws_access_key_id=W\naws_secret_access_key=X\naws_session_token=T\n",
		config:      "[default]\nregion = eu-west-1\n[profile work]\nregion=eu-north-1\nendpoint_url=https://s3.example.org\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]string{"AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": config}
	env := func(more ...string) Settings {
		all := maps.Clone(files)
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return FromEnv(func(name string) string { return all[name] })
	}
	for _, c := range []struct{ got, want Settings }{
		{env(), Settings{Region: "eu-west-1", Key: "A", Secret: "B"}},
		{env("AWS_PROFILE", "work"), Settings{Endpoint: "https://s3.example.org", Region: "eu-north-1", Key: "W", Secret: "X", Session: "T"}},
		{env("AWS_ACCESS_KEY_ID", "K", "AWS_SECRET_ACCESS_KEY", "S", "AWS_REGION", "us-west-2"), Settings{Region: "us-west-2", Key: "K", Secret: "S"}},
		{env("AWS_PROFILE", "none", "AWS_ENDPOINT_URL", "http://127.0.0.1:9"), Settings{Endpoint: "http://127.0.0.1:9", Region: "us-east-1"}},
	} {
		if c.got != c.want {
			t.Errorf("%+v, want %+v", c.got, c.want)
		}
	}
	for name, c := range map[string]struct {
		set  Settings
		want string
	}{
		"models":    {Settings{Region: "eu-west-1"}, "https://models.s3.eu-west-1.amazonaws.com"},
		"a.b":       {Settings{Region: "eu-west-1"}, "https://s3.eu-west-1.amazonaws.com/a.b"},
		"elsewhere": {Settings{Region: "x", Endpoint: "https://s3.example.org/base"}, "https://s3.example.org/base/elsewhere"},
		"clear":     {Settings{Region: "x", Endpoint: "http://s3.example.org"}, ""},
		"region":    {Settings{Region: "x.evil.org/"}, ""},
	} {
		u, err := c.set.bucket(name)
		if got := fmt.Sprint(u); c.want == "" != (err != nil) || err == nil && got != c.want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

var _ remote.Resolver = (*Client)(nil)
