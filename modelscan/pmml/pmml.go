// Package pmml looks at PMML, and walks the XML of other models. No entity is ever resolved
// and nothing is ever fetched; a document that asks for it is the finding.
package pmml

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// Format is PMML.
var Format = &modelscan.Format{Name: "pmml", Sniff: sniffRoot("PMML"), Scan: func(ctx context.Context, p *modelscan.Pass) error {
	_, err := Walk(ctx, p, "PMML", func(xml.StartElement, int64) {})
	return err
}}

func sniffRoot(root string) func(modelscan.Probe) modelscan.Confidence {
	return func(p modelscan.Probe) modelscan.Confidence {
		head := bytes.TrimLeft(Decode(p.Head[:len(p.Head)&^1]), " \t\r\n")
		if !bytes.HasPrefix(head, []byte("<")) {
			return modelscan.No
		}
		if bytes.Contains(head, []byte("<"+root)) || bytes.Contains(head, []byte(":"+root)) {
			return modelscan.Yes
		}
		return modelscan.Maybe // the root may stand behind a long comment
	}
}

// Decode turns UTF-16, told by its byte order mark or by "<" in two bytes, into UTF-8.
func Decode(b []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("<\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte("\xfe\xff")), bytes.HasPrefix(b, []byte("\x00<")):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return bytes.TrimPrefix([]byte(string(utf16.Decode(units))), []byte("\xef\xbb\xbf"))
}

// external is what makes a parser open another document: a general or parameter entity, or a DTD kept elsewhere.
var external = pattern.Lazy(`(?i)<!ENTITY|\b(SYSTEM|PUBLIC)\s+["']`)

var errOtherRoot = errors.New("another kind of XML")

// Walk reads the document's tokens, reports what would make a parser read other documents, and calls
// visit for each element. It returns the name of the root element.
func Walk(ctx context.Context, p *modelscan.Pass, root string, visit func(xml.StartElement, int64)) (string, error) {
	text, err := p.Bytes(0, p.Size, p.Limits.MaxBuffer)
	if err != nil {
		return "", err
	}
	dec := xml.NewDecoder(bytes.NewReader(Decode(text)))
	dec.Strict = false
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // names are ASCII
	w := walk{p: p, text: text, root: root, visit: visit}
	for {
		off := dec.InputOffset()
		token, err := dec.RawToken()
		switch {
		case errors.Is(err, io.EOF) && w.found != "" && w.depth == 0:
			return w.found, nil
		case errors.Is(err, io.EOF) && w.found != "":
			return w.found, fmt.Errorf("XML at %#x: %d elements are not closed: %w", off, w.depth, io.ErrUnexpectedEOF)
		case err != nil:
			return w.found, fmt.Errorf("XML at %#x: %w", off, err)
		case ctx.Err() != nil:
			return w.found, ctx.Err()
		}
		if err := w.token(token, off); err != nil {
			return w.found, err
		}
	}
}

// walk is one reading of a document.
type walk struct {
	p           *modelscan.Pass
	text        []byte
	root, found string // the root element looked for, and the one there is
	visit       func(xml.StartElement, int64)
	depth       int                 // of open elements
	prolog      []modelscan.Finding // held back until the root shows that the document is meant
}

func (w *walk) token(token xml.Token, off int64) error {
	switch t := token.(type) {
	case xml.Directive:
		if external().Match(append([]byte("<!"), t...)) {
			w.tell(off, "DOCTYPE", "the document type makes a parser read other documents: <!"+string(t))
		}
	case xml.StartElement:
		return w.element(t, off)
	case xml.EndElement:
		w.depth--
	case xml.CharData:
		w.code(off, string(t))
	}
	return nil
}

func (w *walk) element(t xml.StartElement, off int64) error {
	if w.found == "" {
		if w.found = t.Name.Local; w.found != w.root {
			return errOtherRoot
		}
		for _, f := range w.prolog {
			w.p.Emit.Finding(f)
		}
	}
	w.depth++
	if t.Name.Local == "include" && bytes.Contains(w.text[:min(len(w.text), 1<<16)], []byte("http://www.w3.org/2001/XInclude")) {
		w.tell(off, "XInclude", "the document includes another one")
	}
	if t.Name.Local == "script" {
		w.emit(rule.MetadataCode, off, "script", "the document holds a script")
	}
	for _, a := range t.Attr {
		w.code(off, a.Value)
	}
	w.visit(t, off)
	return nil
}

// code judges text and attributes, of which no evaluator runs any.
func (w *walk) code(off int64, text string) {
	if code := codetext.Find(text); code != "" && w.found != "" {
		w.emit(rule.MetadataCode, off, code, "the document holds code: "+code)
	}
}

func (w *walk) emit(id rule.ID, off int64, subject, message string) {
	w.p.Emit.Finding(modelscan.Finding{Rule: id, Path: w.p.Name, Offset: off, Subject: subject, Message: message})
}

func (w *walk) tell(off int64, subject, message string) {
	const show = 200
	f := modelscan.Finding{Rule: rule.XmlExternalEntity, Path: w.p.Name, Offset: off, Subject: subject, Message: message[:min(len(message), show)]}
	if w.found == "" {
		w.prolog = append(w.prolog, f)
		return
	}
	w.p.Emit.Finding(f)
}
