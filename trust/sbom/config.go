package sbom

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// hyperparameters of a transformers config.json that describe a model.
var hyperparameters = []string{
	"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size", "vocab_size",
	"max_position_embeddings", "torch_dtype", "dtype", "num_experts", "num_local_experts", "rope_theta", "hidden_act",
}

// readConfig reads the config.json of a model repository: type, architecture and sizes.
func readConfig(text []byte) (*evidence.SBOM, error) {
	var c map[string]jsontext.Value
	if err := decode(text, &c); err != nil {
		return nil, err
	}
	p := evidence.AIProfile{Hyperparameters: map[string]string{}}
	p.ModelType = scalar(c["model_type"])
	var architectures []string
	if json.Unmarshal(c["architectures"], &architectures) == nil {
		p.Architecture = strings.Join(architectures, ", ")
	}
	for _, name := range hyperparameters {
		if value := scalar(c[name]); value != "" {
			p.Hyperparameters[name] = value
		}
	}
	return &evidence.SBOM{Format: "config", Profile: p}, nil
}

// scalar is a text or a number as text; empty for anything else.
func scalar(v jsontext.Value) string {
	var text string
	if len(v) > 0 && v[0] == '"' && json.Unmarshal(v, &text) == nil {
		return text
	}
	if len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') {
		return string(v)
	}
	return ""
}
