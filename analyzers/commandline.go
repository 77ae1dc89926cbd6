package analyzers

import (
	"path"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// commandLine are the values that command lines of the workspace give to an option, under one of its names, of the program that
// the file of a frame is. Whoever runs it may give another.
func (e *evaluator) commandLine(fr *frame, names ...string) []place {
	if e.w == nil || fr.config != "" || fr.commands != "" {
		return nil
	}
	var out []place
	for _, m := range e.w.CommandLines(fr.s) {
		in := e.frame(m.Summary, m.Dir)
		in.commands = path.Base(m.Dir)
		for _, name := range names {
			values := m.Summary.entryAt([]string{name})
			for v := range m.Summary.children(values) {
				out = append(out, place{in, v, ref.Guess})
			}
		}
	}
	return out[:min(len(out), maxAlts)]
}

// orGiven is what is known of an option, or where that is no value what command lines give it.
func (e *evaluator) orGiven(fr *frame, known []place, names ...string) []place {
	if unset(known) {
		if ps := e.commandLine(fr, names...); len(ps) > 0 {
			return ps
		}
	}
	return known
}

// unset says whether none of some expressions is a value: None and the empty text stand for what is yet to be given.
func unset(ps []place) bool {
	return !slices.ContainsFunc(ps, func(p place) bool {
		if p.fr.s.kind(p.n) == pyparse.None {
			return false
		}
		t, ok := p.fr.s.literal(p.n)
		return !ok || t != ""
	})
}

// optionNames are the names that a declaration gives an option on the command line, and the one that the program knows it
// by.
func (s *Summary) optionNames(call node, dest string) []string {
	out := []string{dest}
	for i := range 4 {
		t, ok := s.literal(s.positional(call, i))
		if name := strings.ReplaceAll(strings.TrimLeft(t, "-"), "-", "_"); ok && strings.HasPrefix(t, "-") && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// isCommand says whether the parameters of a function are options of the command line: click's and typer's decorators
// make them so, and fire.Fire(f), typer.run(f), tyro.cli(f).
func (s *Summary) isCommand(fn node, fname string) bool {
	for _, decorator := range []string{"command", "option", "argument", "callback"} {
		if s.decorated(fn, decorator) {
			return true
		}
	}
	for _, runner := range []string{"Fire", "run", "cli", "CLI", "auto_cli"} {
		for _, c := range s.callsOf(runner) {
			arg := s.positional(c, 0)
			if s.code(arg) == fname || runner == "Fire" && (arg < 0 || s.kind(arg) != pyparse.Identifier) && s.scopes[s.scope[fn]].node == 0 {
				return true
			}
		}
	}
	return false
}

// optionOf is an attribute of what a program, by its name, keeps its options in, where nothing else tells it: the default
// in the same file, or what command lines give to the programs that the file or what the object comes from are.
func (e *evaluator) optionOf(fr *frame, object node, objects []place, attr string, unknown bool) []place {
	name := fr.s.code(object)
	if unknown && argumentsName(name) {
		if ps := e.cliDefault(fr, attr); len(ps) > 0 {
			return ps
		}
	}
	if !optionsName(name) {
		return nil
	}
	asked := []*frame{fr}
	for _, o := range objects {
		if !slices.Contains(asked, o.fr) {
			asked = append(asked, o.fr)
		}
	}
	var out []place
	for _, in := range asked {
		out = append(out, e.commandLine(in, attr)...)
	}
	return out
}

// optionsName says whether something of that name may hold the options of a program.
func optionsName(name string) bool {
	if argumentsName(name) {
		return true
	}
	name = strings.ToLower(lastPart(name))
	for _, end := range []string{"args", "arguments", "config", "cfg", "opts", "options", "opt", "params"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
