package analyzers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Notebook is the Python in a Jupyter notebook, its code cells one after the other.
type Notebook struct {
	Source []byte
	// Written is the same as it is written, with its magics: each byte stands where it does in Source.
	Written []byte
	Starts  []int // of each code cell in Source
	Cells   []int // which cell of the notebook each one is, from 1
}

// ReadNotebook takes the code cells out of an .ipynb file. A notebook in another language has none.
func ReadNotebook(file []byte) (*Notebook, error) {
	var doc struct {
		Cells []struct {
			Kind   string          `json:"cell_type"`
			Source json.RawMessage `json:"source"`
		} `json:"cells"`
		Worksheets []json.RawMessage `json:"worksheets"`
		Metadata   struct {
			Language struct {
				Name string `json:"name"`
			} `json:"language_info"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")), &doc); err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	if len(doc.Worksheets) > 0 {
		return nil, errors.New("notebook: format 3 is not supported yet: open it in Jupyter and save it again")
	}
	nb := &Notebook{}
	if lang := doc.Metadata.Language.Name; lang != "" && !strings.EqualFold(lang, "python") && !strings.EqualFold(lang, "ipython") {
		return nb, nil
	}
	for i, c := range doc.Cells {
		if c.Kind != "code" {
			continue
		}
		text, err := cellSource(c.Source)
		if err != nil {
			return nil, fmt.Errorf("notebook: cell %d: %w", i+1, err)
		}
		nb.Add(i+1, []byte(text))
	}
	return nb, nil
}

// Add appends a code cell.
func (nb *Notebook) Add(cell int, text []byte) {
	nb.Starts, nb.Cells = append(nb.Starts, len(nb.Source)), append(nb.Cells, cell)
	nb.Source, nb.Written = append(nb.Source, Magics(text)...), append(nb.Written, text...)
	if len(text) == 0 || text[len(text)-1] != '\n' {
		nb.Source, nb.Written = append(nb.Source, '\n'), append(nb.Written, '\n')
	}
}

// cellSource is a cell's text, which is a string or a list of lines.
func cellSource(raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var lines []string
	if err := json.Unmarshal(raw, &lines); err != nil {
		return "", err
	}
	return strings.Join(lines, ""), nil
}
