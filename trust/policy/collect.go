package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// kindOf divides a rule's name as conftest does: deny_licence is of the kind deny and exempted as licence.
func kindOf(name string) (kind, suffix string) {
	for _, kind := range []string{"deny", "violation", "warn"} {
		if name == kind {
			return kind, ""
		}
		if suffix, ok := strings.CutPrefix(name, kind+"_"); ok {
			return kind, suffix
		}
	}
	if name == "allow" || name == "exception" {
		return name, ""
	}
	return "", ""
}

// collect reads what the rules came to. Rules that are undefined say nothing, but for allow, which has to be true.
func collect(d *evidence.Decision, result map[string]any, rules map[string]bool) error {
	exempt, err := exceptions(result["exception"])
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		kind, suffix := kindOf(name)
		value, defined := result[name]
		switch {
		case kind == "allow":
			if allowed, _ := value.(bool); !allowed {
				d.Deny = append(d.Deny, evidence.Message{Rule: name, Msg: "not allowed: no rule allows it"})
			}
			continue
		case kind == "", kind == "exception", !defined:
			continue
		}
		messages, err := messages(name, value)
		if err != nil {
			return err
		}
		switch {
		case kind == "warn":
			d.Warn = append(d.Warn, messages...)
		case exempt[suffix]:
			d.Exempted = append(d.Exempted, messages...)
		default:
			d.Deny = append(d.Deny, messages...)
		}
	}
	d.Deny, d.Warn, d.Exempted = few(d.Deny), few(d.Warn), few(d.Exempted)
	return nil
}

func few(list []evidence.Message) []evidence.Message {
	if len(list) <= maxMessages {
		return list
	}
	more := evidence.Message{Rule: list[maxMessages].Rule, Msg: fmt.Sprintf("and %d more", len(list)-maxMessages+1)}
	return append(list[:maxMessages-1:maxMessages-1], more)
}

// exceptions are the names of rules that are exempted: the set holds lists of names, as in conftest, or names.
func exceptions(value any) (map[string]bool, error) {
	out := map[string]bool{}
	list, ok := value.([]any)
	if value != nil && !ok {
		return nil, fmt.Errorf("exception is %s, not a set of lists of rule names", typeOf(value))
	}
	for _, item := range list {
		names, ok := item.([]any)
		if !ok {
			names = []any{item}
		}
		for _, n := range names {
			name, ok := n.(string)
			if !ok {
				return nil, fmt.Errorf("exception holds %s, not a rule's name", typeOf(n))
			}
			out[name] = true
		}
	}
	return out, nil
}

// messages reads a rule's value: a set of texts or of objects with msg, or true.
func messages(rule string, value any) ([]evidence.Message, error) {
	switch v := value.(type) {
	case bool:
		if v {
			return []evidence.Message{{Rule: rule, Msg: rule + " is true"}}, nil
		}
		return nil, nil
	case string:
		return []evidence.Message{{Rule: rule, Msg: cut(v)}}, nil
	case []any:
		var out []evidence.Message
		for _, item := range v {
			m, err := message(rule, item)
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
		slices.SortStableFunc(out, func(a, b evidence.Message) int { return cmp.Compare(a.Msg, b.Msg) })
		return out, nil
	}
	return nil, fmt.Errorf("%s is %s: a set of messages is wanted", rule, typeOf(value))
}

func message(rule string, item any) (evidence.Message, error) {
	switch v := item.(type) {
	case string:
		return evidence.Message{Rule: rule, Msg: cut(v)}, nil
	case map[string]any:
		msg, ok := v["msg"].(string)
		if !ok {
			return evidence.Message{}, fmt.Errorf("%s holds an object without the text msg", rule)
		}
		m := evidence.Message{Rule: rule, Msg: cut(msg)}
		m.Code, m.Severity = text(v["code"]), text(v["severity"])
		return m, nil
	}
	return evidence.Message{}, fmt.Errorf("%s holds %s: a text or an object with msg is wanted", rule, typeOf(item))
}

// typeOf names a value's type as Rego does.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a text"
	case []any:
		return "an array or a set"
	}
	return "an object"
}

// text is a value that a policy gives beside a message.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return cut(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// cut bounds a message; a policy may quote what a model's author wrote.
func cut(s string) string {
	const most = 1000
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
