package torch

import "testing"

func TestStorage(t *testing.T) {
	for name, want := range map[string]bool{
		"data/0": true, "data/0123456789": true, "constants/3": true, "tensors/7": true, ".data/5.storage": true,
		"": false, "data": false, "data/": false, "data/a": false, "data/1/2": false, "data/1a1": false, "data/1\n": false, "xdata/1": false, "data/1.storage": false,
		".data/5": false, ".data/.storage": false, ".data/x.storage": false, "data.pkl": false, "data/\u0661": false,
	} {
		if storage(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
