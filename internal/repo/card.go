package repo

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// card is a model card or another text in Markdown. People see it rendered, assistants read its source:
// what stands where only the latter look and gives orders is an attack on them.
var card = &modelscan.Format{Name: "model-card", Inert: true, Scan: func(_ context.Context, p *modelscan.Pass) error {
	text, err := p.Bytes(0, p.Size, maxText)
	if err != nil {
		return err
	}
	for _, h := range hidden(string(text)) {
		if order := orders(h.text); order != "" {
			report(p, modelscan.Finding{Rule: rule.CardHiddenInstructions, Offset: int64(h.off), Subject: h.how, Message: fmt.Sprintf("%s hides an instruction to assistants: %q", h.how, order)})
			return nil
		}
	}
	return nil
}}

// passage is text that a rendered page does not show.
type passage struct {
	how  string
	off  int
	text string
}

var (
	comment   = pattern.Lazy(`(?s)<!--(.*?)(?:-->|$)`)
	reference = pattern.Lazy(`(?m)^\s{0,3}\[[^\]\n]*\]:\s*(?:#|<>|<#>)\s*[("'](.*)[)"']\s*$`)
	// invisible elements, by the attributes and styles in use for it.
	invisible = pattern.Lazy(`(?is)<(\w+)\b[^>]*(?:\shidden\b|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?:[;"'\s]|\.0)|` +
		`color\s*:\s*(?:white|transparent|#fff(?:fff)?\b)|(?:max-)?height\s*:\s*0|(?:left|top|text-indent)\s*:\s*-\d{3,})[^>]*>(.*?)</`)
	// code or a comment, whichever opens first: a fence inside a comment is not shown.
	code = pattern.Lazy("(?ms)<!--.*?(?:-->|\\z)|^(?:```|~~~).*?(?:^(?:```|~~~)\\s*$|\\z)|`[^`\n]+`")
)

// hidden collects every passage that is invisible. Examples in code are shown, and so are not.
func hidden(text string) []passage {
	var out []passage
	shown := code().ReplaceAllStringFunc(text, func(part string) string {
		if strings.HasPrefix(part, "<!--") {
			return part
		}
		return strings.Repeat(" ", len(part))
	})
	for _, m := range comment().FindAllStringSubmatchIndex(shown, -1) {
		out = append(out, passage{"an HTML comment", m[0], clean(shown[m[2]:m[3]])})
	}
	for _, m := range reference().FindAllStringSubmatchIndex(shown, -1) {
		out = append(out, passage{"a link reference", m[0], clean(shown[m[2]:m[3]])})
	}
	for _, m := range invisible().FindAllStringSubmatchIndex(shown, -1) {
		out = append(out, passage{"an invisible element", m[0], clean(shown[m[4]:m[5]])})
	}
	return append(out, smuggled(text)...)
}

// clean drops zero-width characters, so that they don't break words.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if zeroWidth(r) {
			return -1
		}
		return r
	}, s)
}

func zeroWidth(r rune) bool {
	return r == 0xad || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x2069 || r == 0xfeff || r == 0x180e ||
		r >= 0xfe00 && r <= 0xfe0f || r >= 0xe0000 && r <= 0xe0fff
}

// smuggled reads what invisible characters say: tag characters and variation selectors are letters in
// disguise, zero-width ones are bits, or cut up words of a line so that nobody searches them.
func smuggled(text string) []passage {
	letters, at := fromTags(text)
	out := []passage{{"a run of invisible characters", at, letters}}
	bits, at := zeroWidthBits(text)
	for _, s := range fromBits(bits) {
		out = append(out, passage{"a run of zero-width characters", at, s})
	}
	off := 0
	for line := range strings.Lines(text) {
		if c := clean(line); cutUp(line) {
			out = append(out, passage{"a line cut up by zero-width characters", off, c})
		}
		off += len(line)
	}
	return out
}

// fromTags reads tag characters and variation selectors as letters, and tells where the first stands.
func fromTags(text string) (letters string, first int) {
	var b strings.Builder
	for off, r := range text {
		if b.Len() == 0 {
			first = off
		}
		switch {
		case r >= 0xe0020 && r <= 0xe007e:
			b.WriteRune(r - 0xe0000)
		case r >= 0xe0100 && r <= 0xe01ef: // bytes 16 to 255
			b.WriteByte(byte(r - 0xe0100 + 16))
		}
	}
	if b.Len() == 0 {
		first = 0
	}
	return b.String(), first
}

// zeroWidthBits reads zero-width characters as bits, and tells where the first stands that is no joiner.
func zeroWidthBits(text string) (bits string, first int) {
	var b strings.Builder
	first = -1
	for off, r := range text {
		switch r {
		case 0x200b, 0x2060:
			b.WriteByte('0')
		case 0x200c:
			b.WriteByte('1')
		case 0x200d:
			b.WriteByte('1')
			continue
		case 0xfeff:
			if off > 0 { // else a byte order mark
				b.WriteByte('1')
			}
			continue
		default:
			continue
		}
		if first < 0 {
			first = off
		}
	}
	return b.String(), max(first, 0)
}

// cutUp tells whether a line has zero-width characters where no script needs them: more than one, after
// a letter, digit, space or stop of ASCII. (Emoji are joined by them, and some scripts' letters.)
func cutUp(line string) bool {
	n := 0
	last := rune(0)
	for _, r := range line {
		if zeroWidth(r) && r < 0xfe00 && last >= ' ' && last < 0x7f {
			n++
		}
		last = r
	}
	return n > 1
}

// fromBits reads eight bits a character, in both polarities.
func fromBits(bits string) []string {
	var straight, inverted strings.Builder
	for ; len(bits) >= 8; bits = bits[8:] {
		var b byte
		for i := range 8 {
			b = b<<1 | bits[i]&1
		}
		straight.WriteByte(b)
		inverted.WriteByte(^b)
	}
	return []string{straight.String(), inverted.String()}
}

// Orders to assistants. Both lists are about what is said to whom, not about topics: a card may discuss injection.
var (
	override = pattern.Lazy(`(?i)\b(ignore|disregard|forget|override|bypass|discard)\b[^.\n]{0,40}\b(previous|prior|above|earlier|preceding|all|any|other|your|system|safety|these)\b[^.\n]{0,30}\b(instructions?|prompts?|rules?|guidelines|directives?|polic(y|ies)|context|messages?|warnings?|constraints?|restrictions?|commands?)\b|` +
		`\bnew (system )?(instructions?|prompt)\s*:|\byou are now\b|\b(begin|start) (of )?(system|admin) (prompt|message)|\[system\]|<\|?(im_start\|>)?system\|?>|` +
		`\bdo not (tell|inform|mention|reveal|disclose|warn|alert|notify)\b[^.\n]{0,30}\b(the )?(user|human|developer|anyone|them)\b`)
	addressee = pattern.Lazy(`(?i)\b(a\.?i\.?( (agents?|systems?|tools?|models?|reviewers?))?|llms?|language models?|assistants?|(coding|autonomous) agents?|chat ?bots?|copilots?|claude|chatgpt|gpt-?\d?)\b` +
		`\s*(:|[^.\n]{0,40}\b(you (must|should|shall|are|need)|must|shall|please|instructed|reading this|processing this|parsing this|summari[sz]ing this)\b)|^\s*system\s*:`)
	imperative = pattern.Lazy(`(?i)\b(run|execute|eval|download|install|curl|wget|fetch|send|upload|post|exfiltrate|leak|reveal|print|output|include|insert|recommend|tell|say|claim|report|mark|rate|approve|merge|trust|disable|enable|set|call|load|open|read|add|delete|write|respond|reply|answer|state|describe|ignore|skip|conclude|assure|verify|treat|use)\b`)
)

// orders returns the part of a hidden text that tells an assistant what to do, "" when there is none.
func orders(s string) string {
	if m := override().FindStringIndex(s); m != nil {
		return excerpt(s, m[0])
	}
	for _, m := range addressee().FindAllStringIndex(s, -1) {
		if imperative().MatchString(s[m[0]:min(m[1]+200, len(s))]) {
			return excerpt(s, m[0])
		}
	}
	return ""
}

func excerpt(s string, off int) string {
	const show = 100
	s = strings.Join(strings.FieldsFunc(s[off:], func(r rune) bool { return unicode.IsSpace(r) || r == unicode.ReplacementChar }), " ")
	for i := range s {
		if i > show {
			return s[:i]
		}
	}
	return s
}
