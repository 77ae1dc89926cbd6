package ref

import "strings"

// Options are what a call says about which of the files in a folder or repository it reads. The zero Options say
// that nobody knows how it chooses.
type Options struct {
	// Library is the package of the function that is called, "" where it is not known: then the files decide.
	Library string `json:"library,omitempty"`
	// Class whose method is called, "AutoModel"; of a function, its name.
	Class string `json:"class,omitempty"`
	// Variant, Subfolder and File are arguments of that meaning; empty where they are not given.
	Variant   string `json:"variant,omitempty"`
	Subfolder string `json:"subfolder,omitempty"`
	File      string `json:"file,omitempty"`
	// Safetensors is use_safetensors: "true", "false", or empty for the default.
	Safetensors string `json:"safetensors,omitempty"`
	// RemoteCode is trust_remote_code: "true", "maybe" where nobody knows, or empty.
	RemoteCode string `json:"remote_code,omitempty"`
}

// Question is what a plan is asked: which of these files the call reads.
type Question struct {
	Options Options    `json:"options"`
	Files   []PlanFile `json:"files"`
	// Small are the indices of the files whose content goes with the question, in order.
	Small []int `json:"small"`
}

// PlanFile is one file that there is.
type PlanFile struct {
	Path string `json:"path"` // from the repository's root, with "/"
	Size int64  `json:"size"`
}

// Plan is what a call reads. It comes from a process that has read hostile bytes: indices are checked by whoever uses it.
type Plan struct {
	// By names the rules that were followed, with the version they were read in: "transformers 5.24".
	By string `json:"by"`
	// Weights are read; Others would be, under other arguments or with another file missing. Indices into Question.Files.
	Weights []int `json:"weights"`
	Others  []int `json:"others"`
	// Elsewhere are repositories, or folders, that are read too.
	Elsewhere []string `json:"elsewhere,omitempty"`
	// Missing are files that are named and not there.
	Missing []string `json:"missing,omitempty"`
	// Notes are what else decides.
	Notes []string `json:"notes,omitempty"`
}

// Weightless tells whether a class of that name reads settings and vocabularies, and no weights.
func Weightless(class string) bool {
	for _, ending := range []string{"Tokenizer", "TokenizerFast", "Config", "Processor", "ProcessorFast", "FeatureExtractor", "Scheduler"} {
		if strings.HasSuffix(class, ending) {
			return true
		}
	}
	return false
}
