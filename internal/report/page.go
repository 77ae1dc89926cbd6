package report

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"

	"golang.org/x/net/html"
)

// The page is a tree that is rendered, not a template: a template calls methods by their names, which has the linker
// keep every exported method of the whole program (7 MB, measured).

type attrs []html.Attribute

func attr(key, value string) html.Attribute { return html.Attribute{Key: key, Val: value} }

func class(name string) attrs { return attrs{attr("class", name)} }

func element(name string, with attrs, inside ...*html.Node) *html.Node {
	n := &html.Node{Type: html.ElementNode, Data: name, Attr: with}
	for _, c := range inside {
		if c != nil {
			n.AppendChild(c)
		}
	}
	return n
}

func text(s string) *html.Node { return &html.Node{Type: html.TextNode, Data: s} }

// said is an element that holds nothing but text.
func said(name, s string) *html.Node { return element(name, nil, text(s)) }

func document(run *Run, artifacts []pageArtifact) *html.Node {
	headline := verdictText(run)
	counts := element("p", nil, text(countLine(run)))
	if weak := weakness(run); weak != "" {
		counts.AppendChild(text(" "))
		counts.AppendChild(said("strong", "Warning: "+weak+"."))
	}
	main := element("main", nil)
	few := len(run.Results) <= 3 // all of them are shown open
	for _, a := range artifacts {
		main.AppendChild(section(a, few))
	}
	root := &html.Node{Type: html.DocumentNode}
	root.AppendChild(&html.Node{Type: html.DoctypeNode, Data: "html"})
	root.AppendChild(element("html", attrs{attr("lang", "en")},
		head(headline),
		element("body", nil,
			element("header", class(run.Verdict().String()), said("h1", headline), counts),
			main,
			said("footer", fmt.Sprintf("secure-torch %s. Nothing of the models was run. No part of this page is loaded from anywhere.", run.Version)),
		)))
	return root
}

func head(headline string) *html.Node {
	sum := sha256.Sum256([]byte(styleText))
	policy := fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'", base64.StdEncoding.EncodeToString(sum[:]))
	return element("head", nil,
		element("meta", attrs{attr("charset", "utf-8")}),
		element("meta", attrs{attr("http-equiv", "Content-Security-Policy"), attr("content", policy)}),
		element("meta", attrs{attr("name", "viewport"), attr("content", "width=device-width, initial-scale=1")}),
		element("meta", attrs{attr("name", "referrer"), attr("content", "no-referrer")}),
		said("title", "secure-torch: "+headline),
		said("style", styleText),
	)
}

// section is what the page tells of one file; of one of which nothing needs to be seen, folded away unless there are few.
func section(a pageArtifact, few bool) *html.Node {
	title := element("h2", nil, element("span", class("badge "+a.Verdict), text(a.Verdict)), text(" "+a.Path))
	s := element("section", nil)
	into := s
	if a.Quiet() {
		into = element("details", nil, element("summary", nil, title))
		if few {
			into.Attr = attrs{attr("open", "")}
		}
		s.AppendChild(into)
	} else {
		into.AppendChild(title)
	}
	into.AppendChild(properties(a))
	if a.Failure != "" {
		into.AppendChild(element("p", class("finding high"), said("strong", "Could not be scanned:"), text(" "+a.Failure)))
	}
	for _, f := range a.Findings {
		into.AppendChild(article(f))
	}
	if len(a.Notes) > 0 {
		notes := element("ul", class("muted"))
		for _, n := range a.Notes {
			notes.AppendChild(said("li", n))
		}
		into.AppendChild(notes)
	}
	if a.Map != nil {
		into.AppendChild(figure(a.Map))
	}
	return s
}

func properties(a pageArtifact) *html.Node {
	total := strconv.Itoa(a.Score.Total)
	list := element("dl", nil)
	add := func(name string, value ...*html.Node) {
		list.AppendChild(said("dt", name))
		list.AppendChild(element("dd", nil, value...))
	}
	add("threat score",
		element("meter", attrs{attr("min", "0"), attr("max", "100"), attr("low", "16"), attr("high", "36"), attr("optimum", "0"), attr("value", total)}, text(total)),
		text(" "), said("strong", a.ScoreLine))
	add("formats", text(a.Formats))
	add("size", text(a.Size))
	if a.Digest != "" {
		add("digest", said("code", a.Digest))
	}
	add("sandbox", text(a.Sandbox))
	return list
}

func article(f pageFinding) *html.Node {
	title := element("h3", nil, text(f.Severity+" "+f.Name+" "), element("a", attrs{attr("href", f.URI)}, text(f.Rule)))
	if f.CWE != "" {
		title.AppendChild(text(" (" + f.CWE + ")"))
	}
	a := element("article", class("finding "+f.Severity), title, element("p", nil, said("code", f.Place)), said("p", f.Message))
	if f.Reason != "" {
		a.AppendChild(element("p", class("muted"), text("Suppressed: "+f.Reason)))
	}
	return a
}

// figure draws the tensors by size.
func figure(m *pageMap) *html.Node {
	svg := element("svg", attrs{attr("viewBox", fmt.Sprintf("0 0 %d %d", m.Width, m.Height)), attr("role", "img"), attr("aria-label", "Tensors by size")})
	for _, c := range m.Cells {
		g := element("g", nil, said("title", c.Title),
			element("rect", attrs{attr("class", "t"+strconv.Itoa(c.Class)), attr("x", c.X), attr("y", c.Y), attr("width", c.W), attr("height", c.H)}))
		if c.Label != "" {
			g.AppendChild(element("text", attrs{attr("x", c.TextX), attr("y", c.TextY)}, text(c.Label)))
		}
		svg.AppendChild(g)
	}
	return element("figure", nil, svg, said("figcaption", m.Caption))
}
