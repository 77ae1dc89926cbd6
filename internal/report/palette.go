package report

import "github.com/secure-torch/secure-torch/internal/rule"

// Palette colours text for a terminal. The zero Palette leaves it plain.
type Palette struct{ On bool }

func (p Palette) paint(code, text string) string {
	if !p.On {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Bold text.
func (p Palette) Bold(text string) string { return p.paint("1", text) }

// Dim text.
func (p Palette) Dim(text string) string { return p.paint("2", text) }

// Good is for what is in order.
func (p Palette) Good(text string) string { return p.paint("32", text) }

// Severity gives text the colour of a severity.
func (p Palette) Severity(s rule.Severity, text string) string {
	switch s {
	case rule.Critical:
		return p.paint("1;31", text)
	case rule.High:
		return p.paint("31", text)
	case rule.Medium:
		return p.paint("33", text)
	case rule.Low:
		return p.paint("36", text)
	}
	return p.paint("2", text)
}
