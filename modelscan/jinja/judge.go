// Package jinja judges chat templates: Jinja sources that a model brings along and that its loader
// renders. Rendering without a sandbox (llama-cpp-python before 0.2.72, CVE-2024-34359; a plain
// jinja2.Environment) lets a template walk from any object to the interpreter's internals.
//
// A template is lexed and parsed, never rendered. Constant expressions are folded, because a name
// like __globals__ is easily built from pieces.
package jinja

import (
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// Issue is something a template does that no chat template needs.
type Issue struct {
	Rule    rule.ID
	Off     int // in the template, in bytes
	Subject string
	Message string
}

// MaxSize of a template that Judge reads to its end, in bytes.
const MaxSize = 4 << 20

const (
	maxIssues = 20
	maxFolds  = 1 << 20
)

// Judge returns what is wrong with a template, and whether all of it was looked at.
func Judge(template string) (issues []Issue, complete bool) {
	j := &judge{constants: map[string]value{}, computed: map[string]bool{}, told: map[string]bool{}}
	complete = len(template) <= MaxSize
	segments := split(template[:min(len(template), MaxSize)])
	parsed := make([][]*expr, len(segments))
	for i, s := range segments {
		if s.tag == 0 {
			continue
		}
		if len(s.tokens) > maxTokens {
			complete = false
			continue
		}
		p := &parser{tokens: s.tokens}
		parsed[i] = p.list("")
		complete = complete && !p.deep
	}
	for range 3 { // constants of constants
		j.bind(segments, parsed)
	}
	for i, list := range parsed {
		j.segment(segments[i], list)
	}
	return j.issues, complete && j.folds <= maxFolds
}

// segment judges a run of text, an expression or a statement.
func (j *judge) segment(s segment, list []*expr) {
	word := ""
	if s.tag == 0 {
		j.markup(s.data)
	} else if s.tag == '%' && len(list) > 0 {
		word = list[0].text
	}
	if otherTemplates[word] {
		j.tell(rule.TemplateDynamicNames, list[0], word, "reads another template")
	}
	for _, e := range list {
		j.walk(e, e.op == opName && (word == "if" || word == "elif")) // which only asks whether it is there
	}
}

type judge struct {
	constants map[string]value
	computed  map[string]bool // variables that hold what was read or filtered
	issues    []Issue
	told      map[string]bool
	folds     int
}

// bind remembers the constants that statements assign: {% set a = … %}, {% with %}, macro defaults,
// {% for a in [ … ] %} with one item, and the text of {% set a %}…{% endset %} and macros.
func (j *judge) bind(segments []segment, parsed [][]*expr) {
	for i, list := range parsed {
		if segments[i].tag != '%' || len(list) < 2 {
			continue
		}
		for _, e := range list[1:] {
			if e.op == opKeyword {
				j.assign(list[0].text, e.text, e.args[0])
			}
		}
		target := list[1]
		if target.op == opCall {
			target = target.args[0]
		}
		if closing := "end" + list[0].text; target.op == opName && (closing == "endset" || closing == "endmacro") {
			if s, ok := j.block(segments[i+1:], parsed[i+1:], closing); ok {
				j.constants[target.text] = value{s: s}
			}
		}
	}
}

// assign: a statement gives a variable a value.
func (j *judge) assign(statement, variable string, e *expr) {
	if v, ok := j.fold(e); ok {
		j.constants[variable] = v
	}
	if statement == "set" && (e.op == opIndex || e.op == opFilter || e.op == opAttr) {
		j.computed[variable] = true
	}
	j.bindKeywords(variable, e)
}

// bindKeywords: {% set ns = namespace(a='…') %} makes ns.a.
func (j *judge) bindKeywords(variable string, e *expr) {
	if e.op != opCall {
		return
	}
	for _, a := range e.args[1:] {
		if a.op == opKeyword {
			if v, ok := j.fold(a.args[0]); ok {
				j.constants[variable+"."+a.text] = v
			}
		}
	}
}

// block renders the constant text up to the closing tag.
func (j *judge) block(segments []segment, parsed [][]*expr, closing string) (string, bool) {
	var b strings.Builder
	for i, s := range segments {
		switch {
		case isTag(s, closing):
			return strings.TrimSpace(b.String()), true
		case s.tag == 0:
			b.WriteString(s.data)
		case s.tag == '{' && len(parsed[i]) == 1:
			v, ok := j.fold(parsed[i][0])
			if !ok {
				return "", false
			}
			b.WriteString(v.s)
		default:
			return "", false
		}
		if b.Len() > maxFolded {
			return "", false
		}
	}
	return "", false
}

// dunder is a name Python reserves for itself. Reaching for any of them is outside what Jinja's own
// sandbox allows (jinja2.sandbox.is_internal_attribute refuses every name with two underscores).
var dunder = pattern.Lazy(`^__\w+__$`)

// special are the reserved names that sandbox escapes go through. A string that says one of them is
// no longer text, whereas "__end__" may be a token of the model.
var special = pattern.Lazy(`^__(class|bases?|mro|subclasses|init|globals|builtins?|import|dict|getattr(ibute)?|getitem|setattr|reduce(_ex)?|code|closure|func|self|module|loader|spec|call|new|wrapped|traceback|context|objclass|subclasshook|init_subclass|class_getitem|defaults|kwdefaults|enter|exit|del|name|qualname|file)__$`)

// internals are attributes of frames, code, generators and classes that jinja2.sandbox refuses too.
var internals = wordSet(`mro func_globals func_code func_closure gi_frame gi_code gi_yieldfrom cr_frame cr_code cr_await cr_origin
	ag_frame ag_code ag_await tb_frame f_globals f_locals f_builtins f_back f_code co_code co_consts im_func im_self im_class
	_TemplateReference__context`)

// gadgets are functions and methods that start processes or import modules.
var gadgets = wordSet(`popen popen2 popen3 Popen system check_output check_call getoutput getstatusoutput import_module __import__ load_module
	execl execlp execv execve execvp spawnl spawnv spawnlp posix_spawn eval exec`)

// functions that Jinja and chat template renderers offer to be called. As values they are only good
// for reaching the module they come from.
var functions = wordSet(`lipsum cycler joiner namespace dict range raise_exception strftime_now url_for get_flashed_messages`)

// otherTemplates are statements that read one.
var otherTemplates = wordSet(`include import extends from`)

// formatEscape is a str.format field that walks into a private attribute.
var formatEscape = pattern.Lazy(`\{[^{}]*[.\[]_{1,2}[a-z]`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

// planted is markup or a command line that a poisoned template puts into a conversation.
var planted = pattern.Lazy(`(?i)<script[\s>]|<iframe[\s>]|\b(?:curl|wget)\b[^|\n]{1,400}\|\s*(?:ba|z)?sh\b`)

// markup judges text that the template emits.
func (j *judge) markup(s string) {
	if m := planted().FindStringIndex(s); m != nil {
		what := s[m[0]:min(m[0]+60, len(s))]
		j.tell(rule.MetadataCode, &expr{}, what, fmt.Sprintf("adds %q to the conversation", what))
	}
}

func (j *judge) tell(id rule.ID, e *expr, subject, message string) {
	if key := string(id) + subject; !j.told[key] && len(j.issues) < maxIssues {
		j.told[key] = true
		j.issues = append(j.issues, Issue{Rule: id, Off: e.off, Subject: subject, Message: "the chat template " + message})
	}
}

func (j *judge) escape(e *expr, attribute string) {
	j.tell(rule.TemplateSandboxEscape, e, attribute, fmt.Sprintf("reaches for %s, from which the interpreter's internals can be walked", attribute))
}
