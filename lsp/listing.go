package lsp

import (
	"context"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
)

// Inspector lists the pickles of a model. A Scanner that is one adds listings to reports.
type Inspector interface {
	// InspectTarget returns a listing that comes from hostile bytes: it has to be escaped.
	InspectTarget(ctx context.Context, target artifact.Target, listing engine.Listing) (*engine.Artifact, string)
}

// maxListing bounds each listing of a report, in bytes: a person reads it in an editor.
const maxListing = 256 << 10

// listings are what a model's pickles would run, as a program and as opcodes, in Markdown. It is empty for models
// without pickles.
func (snap *snapshot) listings(ctx context.Context, a *engine.Artifact) string {
	inspector, ok := snap.srv.opts.Scanner.(Inspector)
	target, known := snap.targets[a.Path]
	if !ok || !known || a.Report == nil || !slices.Contains(a.Report.Formats, "pickle") {
		return ""
	}
	var b strings.Builder
	for _, part := range []struct {
		title, language string
		kind            engine.Listing
	}{{"What it would run", "python", engine.Program}, {"Opcodes", "text", engine.Opcodes}} {
		select {
		case snap.srv.reading <- struct{}{}:
		case <-ctx.Done():
			return ""
		}
		_, listing := inspector.InspectTarget(ctx, target, part.kind)
		<-snap.srv.reading
		if listing == "" {
			continue
		}
		b.WriteString("\n## " + part.title + "\n\n" + fenced(part.language, report.Listing(cutLines(listing, maxListing))))
	}
	return b.String()
}

// fenced is a block of code that nothing in the text can end.
func fenced(language, text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + language + "\n" + strings.TrimSuffix(text, "\n") + "\n" + fence + "\n"
}

// cutLines keeps whole lines of at most limit bytes together, and says where there were more.
func cutLines(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := strings.LastIndexByte(text[:limit], '\n') + 1
	return text[:end] + "… cut here: secure-torch inspect shows all of it\n"
}
