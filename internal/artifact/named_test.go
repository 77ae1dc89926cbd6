package artifact

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// TestNamed: names that libraries have for models of their own, where an earlier download of them lies.
func TestNamed(t *testing.T) {
	home := t.TempDir()
	write := func(path string) {
		t.Helper()
		full := filepath.Join(home, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		text := "x"
		if filepath.Base(full) == "settings.json" {
			text = `{"weights_dir": "` + filepath.ToSlash(filepath.Join(home, "weights")) + `"}`
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{
		"cache/torch/hub/pytorch_vision_main/hubconf.py", "cache/torch/hub/pytorch_vision_main/model.pt", "cache/torch/hub/a_b_feature_x/hubconf.py", "cache/torch/hub/o_n_master/w.pth",
		"cache/whisper/base.pt", "cache/whisper/large-v3.pt", "config/Ultralytics/settings.json", "weights/yolo11n.pt", "weights/yolov5su.pt", "weights/sam2.1_b.pt", "work/yolov8n.pt", "weights/yolov8n.pt",
		"work/yolov5s-seg.pt", "work/yolov5n.pt", "work/m/yolov5m6.pt", "work/m/yolov5m6u.pt", "weights/mine.pt",
	} {
		write(f)
	}
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	t.Setenv("YOLO_CONFIG_DIR", filepath.Join(home, "config"))
	t.Setenv("TORCH_HOME", "")
	for _, c := range []struct {
		loader string
		kind   ref.Kind
		value  string
		want   string // "" for nothing here
	}{
		{"torch.hub.load", ref.Hub, "pytorch/vision", "cache/torch/hub/pytorch_vision_main/hubconf.py"},
		{"torch.hub.load", ref.Hub, "o/n", "cache/torch/hub/o_n_master/w.pth"},
		{"torch.hub.load", ref.Path, "a/b:feature/x", "cache/torch/hub/a_b_feature_x/hubconf.py"},
		{"torch.hub.load", ref.URL, "https://github.com/o/n", "cache/torch/hub/o_n_master/w.pth"},
		{"torch.hub.load", ref.URL, "https://github.com/a/b/tree/feature/x", "cache/torch/hub/a_b_feature_x/hubconf.py"},
		{"torch.hub.load", ref.URL, "https://example.org/o/n", ""},
		{"torch.hub.load", ref.Hub, "x/y", ""},
		{"whisper.load_model", ref.Path, "base", "cache/whisper/base.pt"},
		{"whisper.load_model", ref.Path, "large", "cache/whisper/large-v3.pt"},
		{"whisper.load_model", ref.Path, "tiny", ""},
		{"whisper.load_model", ref.Path, "../torch/x", ""},
		{"ultralytics.YOLO", ref.Path, "yolo11n.pt", "weights/yolo11n.pt"},
		{"ultralytics.YOLO", ref.Path, "yolo11n", "weights/yolo11n.pt"},
		{"ultralytics.YOLO", ref.Path, "yolov5s.pt", "weights/yolov5su.pt"},
		{"ultralytics.SAM", ref.Path, "sam2.1_b.pt", "weights/sam2.1_b.pt"},
		{"ultralytics.SAM", ref.Path, "sam2.1_b", "weights/sam2.1_b.pt"},
		{"ultralytics.YOLO", ref.Path, "yolov8n.pt", "work/yolov8n.pt"},
		{"ultralytics.YOLO", ref.Path, "yolo26n.pt", ""},
		{"ultralytics.YOLO", ref.Path, "best.pt", ""},
		{"ultralytics.YOLO", ref.Path, "mine.pt", "weights/mine.pt"},
		{"ultralytics.YOLO", ref.Path, "yolov5s-seg.pt", "work/yolov5s-seg.pt"},
		{"ultralytics.YOLO", ref.Path, "m/yolov5m6.pt", "work/m/yolov5m6u.pt"},
		{"ultralytics.YOLO", ref.Path, "yolov5n.pt", "work/yolov5n.pt"},
		{"torch.load", ref.Path, "yolo11n.pt", ""},
	} {
		res := Resolve(ref.Ref{Kind: c.kind, Value: c.value}, Base{WorkDir: filepath.Join(home, "work"), Loader: c.loader, HubCache: filepath.Join(home, "none")})
		got := ""
		if len(res.Targets) > 0 {
			rel, err := filepath.Rel(home, res.Targets[0].Path)
			if err != nil {
				t.Fatal(err)
			}
			got = filepath.ToSlash(rel)
		}
		if got != c.want || got == "" && res.Why == "" {
			t.Errorf("%s %s: %q (%s), want %q", c.loader, c.value, got, res.Why, c.want)
		}
	}
}
