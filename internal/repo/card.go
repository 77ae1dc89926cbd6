package repo

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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
	// comment: HTML's, and what its parser takes for one.
	comment   = pattern.Lazy(`(?s)<!--(.*?)(?:-->|\z)|<!\[CDATA\[(.*?)(?:\]\]>|\z)|<\?(.*?)(?:\?>|\z)|<!([A-Za-z][^>]*)(?:>|\z)`)
	reference = pattern.Lazy(`(?m)^\s{0,3}\[[^\]\n]*\]:\s*(?:#|<>|<#>)\s*[("'](.*)[)"']\s*$`)
	// invisible elements, by the attributes and styles in use for it.
	invisible = pattern.Lazy(`(?is)<(\w+)\b[^>]*(?:\shidden\b|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*[01](?:\D|\.\d)|opacity\s*:\s*0(?:[;"'\s]|\.0)|` +
		`color\s*[:=]\s*["']?(?:white|transparent|#fff(?:fff)?\b|(?:rgba|hsla)\([^)]*,\s*0?\.?0+\))|(?:max-)?height\s*:\s*0|(?:left|top|text-indent)\s*:\s*-\d{3,}|clip\s*:\s*rect\(0|clip-path\s*:)[^>]*>|<(template|noscript)\b[^>]*>`)
	// attribute texts are shown to few: alternatives, titles, data, the value of a field that is hidden.
	attribute = pattern.Lazy(`(?is)\s(?:alt|title|aria-[\w-]+|data-[\w-]+|content|value|placeholder)\s*=\s*(?:"([^"]*)"|'([^']*)')|!\[([^\]]+)\]\(`)
	// code or a comment, whichever opens first: a fence inside a comment is not shown.
	code = pattern.Lazy("(?ms)<!--.*?(?:-->|\\z)|^(?:```|~~~).*?(?:^(?:```|~~~)\\s*$|\\z)|`[^`\n]+`")
	// front matter is YAML that the hub takes off; its comments are for nobody.
	front = pattern.Lazy(`(?s)\A\x{feff}?---\r?\n(.*?)\n---\s*?(?:\n|\z)`)
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
	add := func(how string, at int, s string) { out = append(out, passage{how, at, plain(s)}) }
	for _, m := range comment().FindAllStringSubmatchIndex(shown, -1) {
		add("an HTML comment", m[0], group(shown, m))
	}
	for _, m := range reference().FindAllStringSubmatchIndex(shown, -1) {
		add("a link reference", m[0], group(shown, m))
	}
	for _, m := range invisible().FindAllStringSubmatchIndex(shown, -1) {
		if name := group(shown, m); !void[strings.ToLower(name)] && shown[m[1]-2] != '/' {
			add("an invisible element", m[0], element(shown[m[1]:], name))
		}
	}
	for _, m := range attribute().FindAllStringSubmatchIndex(shown, -1) {
		add("an attribute", m[0], group(shown, m))
	}
	if m := front().FindStringSubmatchIndex(text); m != nil {
		for line := range strings.Lines(text[m[2]:m[3]]) {
			if note, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok {
				add("a comment in the front matter", m[2], note)
			}
		}
	}
	return append(out, smuggled(text)...)
}

// void elements have no content.
var void = set("area base br col embed hr img input link meta source track wbr")

// group is the first group of a match that took part.
func group(s string, m []int) string {
	for i := 2; i+1 < len(m); i += 2 {
		if m[i] >= 0 {
			return s[m[i]:m[i+1]]
		}
	}
	return ""
}

// element is what stands in an element whose start tag has just been read, up to its end tag.
func element(s, name string) string {
	depth, low := 1, strings.ToLower(s)
	name = strings.ToLower(name)
	for at := 0; ; {
		i := strings.IndexByte(low[at:], '<')
		if i < 0 {
			return s
		}
		switch rest := low[at+i+1:]; {
		case strings.HasPrefix(rest, "/"+name):
			if depth--; depth == 0 {
				return s[:at+i]
			}
		case strings.HasPrefix(rest, name):
			depth++
		}
		at += i + 1
	}
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

// lookalikes are letters of other scripts in place of Latin ones.
const lookalikes = "аaеeоoрpсcуyхxіiјjѕsԁdһhԛqԝwνvοoρpαaιiκkτtυuηnΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXАAВBЕEКKМMНHОOРPСCТTХX"

// spelled is a word with blanks between its letters.
var spelled = pattern.Lazy(`\b(?:[A-Za-z] ){3,}[A-Za-z]\b`)

// plain makes the text of a passage what it reads as: without zero-width characters, with Latin letters for those
// that look like them, with words that were spelled out put together, and with what base64 in it says.
func plain(s string) string {
	other := []rune(lookalikes)
	s = strings.Map(func(r rune) rune {
		if r > 0x7f {
			for i := 0; i+1 < len(other); i += 2 {
				if other[i] == r {
					return other[i+1]
				}
			}
		}
		return r
	}, clean(s))
	s = spelled().ReplaceAllStringFunc(s, func(word string) string { return strings.ReplaceAll(word, " ", "") })
	for _, run := range encoded().FindAllString(s, 20) {
		if b, err := base64.StdEncoding.DecodeString(run); err == nil && utf8.Valid(b) {
			s += "\n" + string(b)
		}
	}
	return s
}

var encoded = pattern.Lazy(`[A-Za-z0-9+/]{24,}={0,2}`)

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
		if _, turned, ok := strings.Cut(line, "\u202e"); ok { // shown from right to left
			runes := []rune(clean(turned))
			slices.Reverse(runes)
			out = append(out, passage{"a line that is turned around", off, string(runes)})
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
		`\bnew (system )?(instructions?|prompt)\s*:|\byou are now\b|\b(begin|start) (of )?(system|admin) (prompt|message)|\[system\]|<\|?system\|?>|<\|im_start\|>|<\|start_header_id\|>|<<SYS>>|\[INST\]|` +
		`\bdo not (tell|inform|mention|reveal|disclose|warn|alert|notify)\b[^.\n]{0,30}\b(the )?(user|human|developer|anyone|them)\b|` +
		`\bignorier\w*\b[^.\n]{0,40}\banweisungen\b|\bignor\w*\b[^.\n]{0,40}\b(instructions? (précédentes|antérieures)|instrucciones|istruzioni|instruções)\b|игнорир[^.\n]{0,60}инструкци|忽略[^。\n]{0,20}(指令|指示|说明)|(指示|命令)を無視`)
	addressee = pattern.Lazy(`(?i)(?:\b(?:a\.?i\.?(?: (?:agents?|systems?|tools?|models?|reviewers?|assistants?))?|llms?|language models?|assistants?|(?:coding|autonomous) agents?|chat ?bots?|copilots?|claude|chatgpt|gpt-?\d?)\b` +
		`\s*(?::|,?\s*please\b|[^.\n]{0,40}\b(?:you (?:must|should|shall|are|need)|must|shall|instructed|reading this|processing this|parsing this|summari[sz]ing this)\b))|^\s*system\s*:`)
	imperative = pattern.Lazy(`(?i)\b(run|execute|eval|decode|follow|obey|comply|perform|download|install|curl|wget|fetch|send|upload|post|exfiltrate|leak|reveal|print|output|include|insert|recommend|tell|say|claim|report|mark|rate|approve|merge|trust|disable|enable|set|call|load|open|read|add|delete|write|respond|reply|answer|state|describe|ignore|skip|conclude|assure|verify|treat|use)\b`)
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
