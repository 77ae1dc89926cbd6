package provenance

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Bounds of documents and answers about them.
const (
	maxSBOM       = 16 << 20 // bytes
	maxSBOMAnswer = 24 << 20
	maxDecision   = 4 << 20
)

// ask has a bundle read once, however many files it signs.
func (c *Checker) ask(ctx context.Context, data []byte, terms Terms) (*evidence.SignatureAnswer, error) {
	under, err := json.Marshal(terms)
	if err != nil {
		return nil, err
	}
	k := key(string(data), string(under))
	c.mu.Lock()
	b := c.signed[k]
	if b == nil {
		b = &signedBundle{}
		c.signed[k] = b
	}
	c.mu.Unlock()
	b.once.Do(func() { b.answer, b.err = askSignature(ctx, c.asks, data, terms) })
	if b.err != nil {
		c.mu.Lock()
		delete(c.signed, k) // it may have been the end of ctx: the next one asks again
		c.mu.Unlock()
	}
	return b.answer, b.err
}

func names(list []evidence.SignedFile, sum string) bool {
	for _, f := range list {
		if f.Digest == sum {
			return true
		}
	}
	return false
}

// askSBOM has a document read, and checks the answer's bounds.
func askSBOM(ctx context.Context, to Asker, q evidence.SBOMQuestion) (*evidence.SBOM, error) {
	out, err := ask[evidence.SBOM](ctx, to, evidence.AskSBOM, q, maxSBOMAnswer)
	if err != nil {
		return nil, err
	}
	if out.State != evidence.Valid && out.State != evidence.Invalid || out.Present != (out.State == evidence.Valid) || out.Bound || out.Embedded {
		return nil, fmt.Errorf("the trust worker's answer: state %q", out.State)
	}
	for _, t := range []string{out.Message, out.Format, out.Profile.Name, out.Profile.ModelType} {
		if len(t) > maxText || !utf8.ValidString(t) {
			return nil, fmt.Errorf("the trust worker's answer: a text of %d bytes", len(t))
		}
	}
	return out, nil
}

// ReadSBOM has the document at path read: for `secure-torch sbom`.
func ReadSBOM(ctx context.Context, to Asker, path string) (*evidence.SBOM, error) {
	text, err := readFile(path, maxSBOM)
	if err != nil {
		return nil, err
	}
	out, err := askSBOM(ctx, to, evidence.SBOMQuestion{Name: base(path), Text: text})
	if err == nil {
		out.Document = base(path)
	}
	return out, err
}

// harmless are the states with which CycloneDX and SPDX say that a vulnerability is none here.
var harmless = map[string]bool{"resolved": true, "resolved_with_pedigree": true, "false_positive": true, "not_affected": true}

// maxVulnerabilities of one SBOM become findings.
const maxVulnerabilities = 20

func (s *subject) vulnerabilities(a *engine.Artifact, out *evidence.SBOM) {
	told := 0
	for _, v := range out.Profile.KnownVulnerabilities {
		if harmless[v.State] || told == maxVulnerabilities {
			continue
		}
		told++
		finding(a, modelscan.Finding{Rule: rule.KnownVulnerability, Subject: v.ID, Message: fmt.Sprintf("%s names the known vulnerability %s", out.Document, v.ID)})
	}
}

// ReadPolicies reads policy files, and the .rego files of folders.
func ReadPolicies(paths []string) ([]evidence.Module, error) {
	var modules []evidence.Module
	for _, path := range paths {
		err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || p != path && filepath.Ext(p) != ".rego" {
				return err
			}
			text, err := readFile(p, 1<<20)
			if err != nil {
				return err
			}
			modules = append(modules, evidence.Module{Name: filepath.ToSlash(p), Text: string(text)})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return modules, nil
}
