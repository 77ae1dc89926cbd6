package onnx

import (
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// maxDepth of graphs inside nodes of graphs: protobuf's parsers stop at 100 nested messages, three a graph.
const maxDepth = 40

// maxText of a name or value that is read.
const maxText = 64 << 10

// knownDomains have operators that come with a runtime: the standard's own, ONNX Runtime's, and
// Microsoft's onnxruntime-extensions. Any other needs a library that the model's user must load.
var knownDomains = map[string]bool{
	"": true, "ai.onnx": true, "ai.onnx.ml": true, "ai.onnx.training": true, "ai.onnx.preview": true, "ai.onnx.preview.training": true,
	"com.microsoft": true, "com.microsoft.nchwc": true, "com.microsoft.experimental": true, "com.microsoft.dml": true,
	"com.microsoft.extensions": true, "com.ms.internal.nhwc": true, "org.pytorch.aten": true, "ai.onnx.contrib": true,
}

// pythonOps call Python: ONNX Runtime's language interop (PyOp), onnxruntime-extensions (PyCustomOp)
// and ONNX Runtime training (PythonOp, PythonOpGrad).
var pythonOps = map[string]bool{"PyOp": true, "PyCustomOp": true, "PythonOp": true, "PythonOpGrad": true}

// fileOps are operators of torch that reach files.
var fileOps = pattern.Lazy(`^(?:aten::)?(?:save|load|from_file|read_file|write_file|_load_from_file)$`)

// declare remembers a function the model brings along: its domain needs no library.
func (s *scanner) declare(m wire.Message) error {
	var name, domain string
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.Is(1):
			name = f.Body.Text(maxText)
		case f.Is(10):
			domain = f.Body.Text(maxText)
		}
		return nil
	})
	s.functions[domain+"."+name] = true
	return err
}

func (s *scanner) function(f wire.Field) error {
	switch {
	case f.Is(7):
		return s.node(f.Body)
	case f.Is(11):
		return s.attribute(f.Body, nil)
	case f.Is(9):
		return whole(f.Body, opsetPart)
	case f.Is(12):
		return whole(f.Body, valuePart)
	case f.Is(14):
		return s.metadata(f.Body)
	}
	return nil
}

func (s *scanner) graph(m wire.Message) error {
	if s.depth++; s.depth > maxDepth {
		return fmt.Errorf("graphs nested deeper than %d at %#x: %w", maxDepth, m.Off, modelscan.ErrLimit)
	}
	defer func(outer *scope) { s.depth, s.scope = s.depth-1, outer }(s.scope)
	if !s.apart {
		if err := s.enter(m); err != nil {
			return err
		}
	}
	return m.Each(func(f wire.Field) error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		switch {
		case f.Is(1):
			return s.node(f.Body)
		case f.Is(5):
			return s.tensor(f.Body)
		case f.Is(10):
			s.text(f)
		case f.Is(15):
			return s.sparse(f.Body)
		case f.Is(16):
			return s.metadata(f.Body)
		}
		return s.other(f)
	})
}

func (s *scanner) sparse(m wire.Message) error {
	return m.Each(func(f wire.Field) error {
		if f.Is(1) || f.Is(2) { // values, indices
			return s.tensor(f.Body)
		}
		return nil
	})
}

func (s *scanner) node(m wire.Message) error {
	var op, domain string
	texts := map[string]string{}
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.Is(1):
			s.reads(f.Off, "a node reads", f.Body.Text(maxText))
		case f.Is(4):
			op = f.Body.Text(maxText)
		case f.Is(7):
			domain = f.Body.Text(maxText)
		case f.Is(5):
			return s.attribute(f.Body, texts)
		case f.Is(9):
			return s.metadata(f.Body)
		}
		return nil
	})
	s.operator(m.Off, op, domain, texts)
	return err
}

func (s *scanner) operator(off int64, op, domain string, texts map[string]string) {
	switch {
	case s.functions[domain+"."+op]:
	case pythonOps[op]:
		target := strings.Trim(texts["module"]+"."+texts["class_name"]+texts["func_name"], ".")
		s.finding(rule.OnnxPythonOperator, off, op, fmt.Sprintf("the operator %s calls Python code (%s) when the model runs", op, target))
	case domain == "org.pytorch.aten" && fileOps().MatchString(texts["operator"]):
		s.finding(rule.OnnxPythonOperator, off, op, fmt.Sprintf("the operator %s calls torch's %s, which reads or writes a file", op, texts["operator"]))
	case op == "EPContext" && modelscan.Escapes(texts["ep_cache_context"]) != "" && len(texts["ep_cache_context"]) < 4096:
		why := modelscan.Escapes(texts["ep_cache_context"])
		s.finding(rule.OnnxExternalPath, off, texts["ep_cache_context"], fmt.Sprintf("the compiled context %q %s", texts["ep_cache_context"], why))
	case !KnownOperator(domain, op):
		s.custom(off, op, domain)
	}
}

// custom tells of one operator of every unknown domain, and of every unknown operator in a domain of the standard:
// a library of operators may add to that too.
func (s *scanner) custom(off int64, op, domain string) {
	subject := domain
	message := fmt.Sprintf("the operator %s of domain %q needs a custom operator library", op, domain)
	if knownDomains[domain] {
		subject = strings.TrimPrefix(domain+"."+op, ".")
		message = fmt.Sprintf("the standard has no operator %s: it needs a custom operator library", subject)
	}
	if key := domain + "\x00" + subject; !s.told[key] && len(s.told) < 1000 {
		s.told[key] = true
		s.finding(rule.OnnxCustomOperator, off, subject, message)
	}
}

// attribute looks into one attribute and keeps a string value in texts.
func (s *scanner) attribute(m wire.Message, texts map[string]string) error {
	var name, text string
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.Is(1):
			name = f.Body.Text(maxText)
		case f.Is(4):
			text = f.Body.Text(maxText)
		case f.Is(5), f.Is(10):
			return s.tensor(f.Body)
		case f.Is(6), f.Is(11):
			return s.graph(f.Body)
		case f.Is(22), f.Is(23):
			return s.sparse(f.Body)
		case f.Is(14), f.Is(15):
			return whole(f.Body, anyType)
		}
		return nil
	})
	if texts != nil && len(texts) < 64 && text != "" {
		texts[name] = text
	}
	return err
}

func (s *scanner) metadata(m wire.Message) error {
	key, value, err := entry(m)
	if code := codetext.Find(value); code != "" {
		s.finding(rule.MetadataCode, m.Off, key, fmt.Sprintf("the metadata %q holds code: %s", key, code))
	}
	s.p.Emit.Fact(modelscan.Fact{Kind: modelscan.MetadataFact, Path: s.p.Name, Name: key, Value: value, Offset: m.Off})
	return err
}

// text judges what a person is meant to read.
func (s *scanner) text(f wire.Field) {
	if code := codetext.Find(f.Body.Text(maxText)); code != "" {
		s.finding(rule.MetadataCode, f.Body.Off, "doc_string", "a description holds code: "+code)
	}
}

// entry reads a StringStringEntryProto; as in every protobuf parser the last value counts.
func entry(m wire.Message) (key, value string, err error) {
	err = m.Each(func(f wire.Field) error {
		switch {
		case f.Is(1):
			key = f.Body.Text(maxText)
		case f.Is(2):
			value = f.Body.Text(modelscan.MaxDocument + 1)
		}
		return nil
	})
	return key, value, err
}

func (s *scanner) finding(id rule.ID, off int64, subject, message string) {
	s.p.Emit.Finding(modelscan.Finding{Rule: id, Path: s.p.Name, Offset: off, Subject: subject, Message: message})
}

// CallsPython tells whether an operator calls Python code when the model runs.
func CallsPython(op string) bool { return pythonOps[op] }
