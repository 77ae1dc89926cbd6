// Package pmml looks at models written in XML: PMML and OpenVINO's topology. No entity is ever resolved
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
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Format is PMML.
var Format = &modelscan.Format{Name: "pmml", Sniff: sniffRoot("PMML"), Scan: func(ctx context.Context, p *modelscan.Pass) error {
	_, err := Walk(ctx, p, "PMML", func(xml.StartElement, int64) {})
	return err
}}

func sniffRoot(root string) func(modelscan.Probe) modelscan.Confidence {
	return func(p modelscan.Probe) modelscan.Confidence {
		head := bytes.TrimLeft(decode(p.Head[:len(p.Head)&^1]), " \t\r\n")
		if !bytes.HasPrefix(head, []byte("<")) {
			return modelscan.No
		}
		if bytes.Contains(head, []byte("<"+root)) || bytes.Contains(head, []byte(":"+root)) {
			return modelscan.Yes
		}
		return modelscan.Maybe // the root may stand behind a long comment
	}
}

// decode turns UTF-16, told by its byte order mark or by "<" in two bytes, into UTF-8.
func decode(b []byte) []byte {
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
var external = regexp.MustCompile(`(?i)<!ENTITY|\b(SYSTEM|PUBLIC)\s+["']`)

var errOtherRoot = errors.New("another kind of XML")

// Walk reads the document's tokens, reports what would make a parser read other documents, and calls
// visit for each element. It returns the name of the root element.
func Walk(ctx context.Context, p *modelscan.Pass, root string, visit func(xml.StartElement, int64)) (string, error) {
	text, err := p.Bytes(0, p.Size, p.Limits.MaxBuffer)
	if err != nil {
		return "", err
	}
	dec := xml.NewDecoder(bytes.NewReader(decode(text)))
	dec.Strict = false
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // names are ASCII
	var found string
	var prolog []modelscan.Finding
	for {
		off := dec.InputOffset()
		token, err := dec.RawToken()
		switch {
		case errors.Is(err, io.EOF) && found != "":
			return found, nil
		case err != nil:
			return found, fmt.Errorf("XML at %#x: %w", off, err)
		case ctx.Err() != nil:
			return found, ctx.Err()
		}
		switch t := token.(type) {
		case xml.Directive:
			if m := external.FindIndex(append([]byte("<!"), t...)); m != nil {
				prolog = append(prolog, finding(p, off, "DOCTYPE", "the document type makes a parser read other documents: <!"+string(t)))
			}
		case xml.StartElement:
			if found == "" {
				if found = t.Name.Local; found != root {
					return found, errOtherRoot
				}
			}
			if t.Name.Local == "include" && strings.Contains(string(text[:min(len(text), 1<<16)]), "http://www.w3.org/2001/XInclude") {
				prolog = append(prolog, finding(p, off, "XInclude", "the document includes another one"))
			}
			visit(t, off)
		}
		if found != "" {
			for _, f := range prolog {
				p.Emit.Finding(f)
			}
			prolog = nil
		}
	}
}

func finding(p *modelscan.Pass, off int64, subject, message string) modelscan.Finding {
	const show = 200
	return modelscan.Finding{Rule: rule.XmlExternalEntity, Path: p.Name, Offset: off, Subject: subject, Message: message[:min(len(message), show)]}
}
