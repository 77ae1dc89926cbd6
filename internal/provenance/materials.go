package provenance

import (
	"fmt"
	"path/filepath"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// materials finds the model's bill of materials: the one that lies beside it, else one in its own metadata, else, where
// somebody decides by it, a model card or what single values of the metadata say. One beside it that does not name
// this very file gives way to one inside.
func (s *subject) materials(a *engine.Artifact) {
	card := filepath.Base(s.sbom) == cardName
	if s.sbom != "" && !card {
		out := s.beside()
		if out.Bound || s.c.set.SBOM != "" || !s.embedded(a) {
			s.tell(a, out)
		}
		return
	}
	if s.embedded(a) {
		return
	}
	if card {
		if out := s.beside(); out.State == evidence.Valid || !s.values(a) {
			s.tell(a, out)
		}
		return
	}
	if !s.values(a) {
		a.SBOM = &evidence.SBOM{State: evidence.StateNone}
	}
}

// beside is the document that lies beside the file.
func (s *subject) beside() *evidence.SBOM {
	out, err := s.document()
	if err != nil {
		out = &evidence.SBOM{State: evidence.Invalid, Message: err.Error()}
	}
	out.Document = base(s.sbom)
	return out
}

// tell adds what is known to the artifact, and accuses.
func (s *subject) tell(a *engine.Artifact, out *evidence.SBOM) {
	a.SBOM = out
	switch {
	case out.State == evidence.Invalid && out.Document != cardName:
		finding(a, modelscan.Finding{Rule: rule.SbomUnreadable, Subject: out.Document, Message: out.Document + ": " + out.Message})
	case out.State == evidence.Valid:
		s.vulnerabilities(a, out)
	}
}

// embedded reads the first bill of materials in the file's metadata; false where there is none.
func (s *subject) embedded(a *engine.Artifact) bool {
	for _, d := range a.Report.Documents {
		if !modelscan.IsBill(d.Text) {
			continue
		}
		out, err := s.ask(evidence.SBOMQuestion{Name: modelscan.Text(d.Name), Text: []byte(d.Text)})
		if err != nil {
			out = &evidence.SBOM{State: evidence.Invalid, Message: err.Error()}
		}
		out.Embedded, out.Document, out.Digests = true, fmt.Sprintf("metadata %q", modelscan.Text(d.Name)), nil
		s.tell(a, out)
		return true
	}
	return false
}

// values reads what single values of the file's metadata say, where a policy decides by them; false where there are none.
func (s *subject) values(a *engine.Artifact) bool {
	if !s.c.set.decides() {
		return false
	}
	q := evidence.SBOMQuestion{Name: "metadata"}
	for _, d := range a.Report.Documents {
		if !modelscan.IsBill(d.Text) {
			q.Metadata = append(q.Metadata, evidence.Value{Name: d.Name, Text: d.Text})
		}
	}
	if len(q.Metadata) == 0 {
		return false
	}
	out, err := s.ask(q)
	if err != nil {
		out = &evidence.SBOM{State: evidence.Invalid, Message: err.Error()}
	}
	out.Embedded, out.Document = true, "metadata"
	s.tell(a, out)
	return true
}

// ask has a document read once for all the files that have the same. The answer is the caller's own.
func (s *subject) ask(q evidence.SBOMQuestion) (*evidence.SBOM, error) {
	parts := []string{string(q.Text)}
	for _, v := range q.Metadata {
		parts = append(parts, v.Name, v.Text)
	}
	k := key(parts...)
	s.c.mu.Lock()
	known := s.c.sboms[k]
	s.c.mu.Unlock()
	if known == nil {
		var err error
		if known, err = askSBOM(s.ctx, s.c.asks, q); err != nil {
			return nil, err
		}
		s.c.mu.Lock()
		s.c.sboms[k] = known
		s.c.mu.Unlock()
	}
	out := *known
	return &out, nil
}

// document has the SBOM beside the file read, and binds it to this one.
func (s *subject) document() (*evidence.SBOM, error) {
	within := s.around()
	if s.c.set.SBOM != "" {
		within = nil // the user named it, wherever it lies
	}
	read := s.read
	if s.c.set.SBOM != "" {
		read = func(path string, most int64, within ...string) ([]byte, error) {
			return readFile(path, most, within...)
		}
	}
	text, err := read(s.sbom, maxSBOM, within...)
	if err != nil {
		return nil, err
	}
	out, err := s.ask(evidence.SBOMQuestion{Name: base(s.sbom), Text: text})
	if err != nil {
		return nil, err
	}
	if len(out.Digests) > 0 {
		sum, err := s.sum()
		if err != nil {
			return nil, err
		}
		out.Bound = names(out.Digests, sum)
	}
	out.Digests = nil
	return out, nil
}
