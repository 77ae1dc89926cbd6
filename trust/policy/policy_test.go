package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// seed is the policy of the project's plan, in the syntax of Rego v0.
const seed = `package secure_torch.policy

deny[msg] {
    ds := input.aiProfile.trainingDatasets[_]
    startswith(ds.license, "GPL")
    input.environment == "production"
    msg := sprintf("GPL dataset %v blocked in production", [ds.name])
}
`

// patience is what a busy machine may need; whether a policy ends is not for a test of its outcome to tell.
const patience = time.Minute

func decide(t testing.TB, input string, modules ...string) evidence.Decision {
	t.Helper()
	q := &evidence.PolicyQuestion{Timeout: patience, Now: time.Unix(1_000_000, 0), Inputs: []json.RawMessage{json.RawMessage(input)}}
	for i, text := range modules {
		q.Modules = append(q.Modules, evidence.Module{Name: fmt.Sprintf("p%d.rego", i), Text: text})
	}
	a := (Engine{}).Answer(t.Context(), q)
	if a.Error != "" {
		return evidence.Decision{Error: a.Error}
	}
	return a.Decisions[0]
}

func TestDecide(t *testing.T) {
	const gpl = `{"environment":"production","aiProfile":{"trainingDatasets":[{"name":"The Stack","license":"GPL-3.0"}]}}`
	deny := func(rule string, msgs ...string) []evidence.Message {
		var out []evidence.Message
		for _, m := range msgs {
			out = append(out, evidence.Message{Rule: rule, Msg: m})
		}
		return out
	}
	p := func(body string) string { return "package secure_torch.policy\n" + body }
	for _, c := range []struct {
		name, input string
		policy      string
		want        evidence.Decision
	}{
		{"the seed's", gpl, seed, evidence.Decision{Deny: deny("deny", "GPL dataset The Stack blocked in production")}},
		{"the seed's, nothing there", `{}`, seed, evidence.Decision{Allowed: true}},
		{"v1", gpl, p(`deny contains "no" if input.environment == "production"`), evidence.Decision{Deny: deny("deny", "no")}},
		{"future keywords", gpl, p("import future.keywords\ndeny contains \"no\" if input.environment == \"production\""), evidence.Decision{Deny: deny("deny", "no")}},
		{"objects", `{}`, p(`deny contains {"msg": "no", "code": "c", "severity": "high", "details": {"x": 1}} if true`), evidence.Decision{Deny: []evidence.Message{{Rule: "deny", Msg: "no", Code: "c", Severity: "high"}}}},
		{"violation", `{}`, p(`violation contains {"msg": "no"} if true`), evidence.Decision{Deny: deny("violation", "no")}},
		{"suffix", `{}`, p(`deny_a contains "no" if true`), evidence.Decision{Deny: deny("deny_a", "no")}},
		{"warn", `{}`, p(`warn contains "careful" if true`), evidence.Decision{Allowed: true, Warn: deny("warn", "careful")}},
		{"boolean", `{}`, p(`deny if true`), evidence.Decision{Deny: deny("deny", "deny is true")}},
		{"boolean that is false", `{}`, p("default deny := false"), evidence.Decision{Allowed: true}},
		{"allow", `{"ok":true}`, p("default allow := false\nallow if input.ok"), evidence.Decision{Allowed: true}},
		{"not allowed", `{}`, p("default allow := false\nallow if input.ok"), evidence.Decision{Deny: deny("allow", "not allowed: no rule allows it")}},
		{"allow is undefined", `{}`, p("allow if input.ok"), evidence.Decision{Deny: deny("allow", "not allowed: no rule allows it")}},
		{"exception", `{}`, p("deny_a contains \"no\" if true\nexception contains rules if { rules := [\"a\"] }"), evidence.Decision{Allowed: true, Exempted: deny("deny_a", "no")}},
		{"exception for another rule", `{}`, p("deny_a contains \"no\" if true\nexception contains rules if { rules := [\"b\"] }"), evidence.Decision{Deny: deny("deny_a", "no")}},
		{"order", `{}`, p(`deny contains x if some x in ["b", "a"]`), evidence.Decision{Deny: deny("deny", "a", "b")}},
		{"time stands still", `{}`, p(`deny contains sprintf("%v", [time.now_ns()]) if true`), evidence.Decision{Deny: deny("deny", "1000000000000000")}},
	} {
		if diff := cmp.Diff(c.want, decide(t, c.input, c.policy)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	if d := decide(t, gpl, seed, p(`deny contains "v1" if true`)); len(d.Deny) != 2 || d.Error != "" {
		t.Errorf("both syntaxes: %+v", d)
	}
}

// TestFailsClosed: whatever goes wrong, nothing is allowed, and the reason is told.
func TestFailsClosed(t *testing.T) {
	p := func(body string) string { return "package secure_torch.policy\n" + body }
	for name, c := range map[string]struct{ policy, want string }{
		"no policy":            {"", "empty"},
		"another package":      {"package main\ndeny contains \"x\" if true", "deny is in the package main"},
		"no rule":              {p("x := 1"), "no rule decides anything"},
		"syntax":               {p("deny contains"), "as Rego v1"},
		"http":                 {p(`deny contains "x" if http.send({"method": "get", "url": "http://localhost"}).status_code == 200`), "undefined function http.send"},
		"environment":          {p(`deny contains "x" if opa.runtime().env.HOME`), "undefined function opa.runtime"},
		"randomness":           {p(`deny contains "x" if rand.intn("a", 2) == 1`), "undefined function rand.intn"},
		"lookup":               {p(`deny contains "x" if net.lookup_ip_addr("localhost")`), "undefined function net.lookup_ip_addr"},
		"remote schema":        {p(`deny contains "x" if json.match_schema({}, {"$ref": "http://localhost/x"})[0]`), "undefined function json.match_schema"},
		"conversion":           {p(`deny contains "x" if to_number("abc") == 1`), "to_number"},
		"conflict":             {p("v := 1 if true\nv := 2 if true\ndeny contains \"x\" if v == 3"), "conflict"},
		"number as a message":  {p("deny contains 1 if true"), "a text or an object with msg"},
		"object without msg":   {p(`deny contains {"message": "x"} if true`), "without the text msg"},
		"an object":            {p(`deny := {"a": 1}`), "a set of messages is wanted"},
		"exception of numbers": {p("deny contains \"x\" if true\nexception contains 1 if true"), "not a rule's name"},
		"null":                 {p("deny := null"), "deny is null"},
		"a number":             {p("deny := 1"), "deny is a number"},
		"a function":           {p("deny contains \"x\" if false\ndeny_x(y) := true"), "deny_x is a function"},
		"recursion":            {p("deny contains x if { some x in deny }"), "recursive"},
	} {
		d := decide(t, `{}`, c.policy)
		if d.Allowed || !strings.Contains(d.Error, c.want) {
			t.Errorf("%s: %+v", name, d)
		}
	}
	good, helper := p("import data.lib\ndeny contains \"x\" if lib.allow"), "package lib\ndefault allow := false"
	if d := decide(t, `{}`, good, helper); !d.Allowed {
		t.Errorf("a helper: %+v", d)
	}
	if d := decide(t, `{}`, good, helper, "package main\ndeny_x contains \"x\" if true"); d.Allowed || !strings.Contains(d.Error, "deny_x is in the package main") {
		t.Errorf("a policy in another package beside good ones: %+v", d)
	}
	twice := &evidence.PolicyQuestion{Modules: []evidence.Module{{Name: "p.rego", Text: good}, {Name: "p.rego", Text: p("x := 1")}}, Inputs: []json.RawMessage{json.RawMessage(`{}`)}}
	if a := (Engine{}).Answer(t.Context(), twice); !strings.Contains(a.Error, "two policies of that name") {
		t.Errorf("two modules of one name: %+v", a)
	}
	if d := decide(t, `{"a":`, p(`warn contains "x" if true`)); d.Allowed || d.Error == "" {
		t.Errorf("an input that is no JSON: %+v", d)
	}
}

// bombs are policies that take their time.
var bombs = map[string]string{
	"loop":     "n := numbers.range(1, 100000)\ndeny contains \"x\" if { some a in n; some b in n; a * b == -1 }",
	"search":   "a := \"xxxxxxxx\"\nb := concat(\"\", [x | some i in numbers.range(1, 4096); x := a])\nc := concat(\"\", [x | some i in numbers.range(1, 4096); x := b])\ndeny contains \"x\" if { some i in numbers.range(1, 100000); contains(c, sprintf(\"y%d\", [i])) }",
	"doubling": doubling(32),
	"product":  "n := numbers.range(1, 3000)\ndeny contains \"x\" if count({[a, b, c] | some a in n; some b in n; some c in n}) == 0",
	"strings":  "deny contains \"x\" if { some i in numbers.range(1, 1000000); startswith(sprintf(\"%d\", [i]), \"z\") }",
}

// doubling makes a text twice as long in each of n rules.
func doubling(n int) string {
	text := "s0 := \"xxxxxxxx\"\n"
	for i := range n {
		text += fmt.Sprintf("s%d := concat(\"\", [s%d, s%d])\n", i+1, i, i)
	}
	return text + fmt.Sprintf("deny contains \"x\" if contains(s%d, \"y\")", n)
}

// TestBudget: a policy that does not end denies, when it has used up what it may.
func TestBudget(t *testing.T) {
	for name, body := range bombs {
		if name == "doubling" {
			continue // its memory is for the worker's limits to bound: internal/provenance
		}
		var used time.Duration
		e := Engine{Used: func() (time.Duration, bool) { used += 40 * time.Millisecond; return used, true }}
		a := e.Answer(t.Context(), &evidence.PolicyQuestion{
			Modules: []evidence.Module{{Name: "p", Text: "package secure_torch.policy\n" + body}}, Inputs: []json.RawMessage{json.RawMessage(`{}`)},
		})
		if a.Error != "" || a.Decisions[0].Allowed || !strings.Contains(a.Decisions[0].Error, "took longer") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestBusyMachine: a policy that gets no processor for a while is not denied, however long it takes; one whose use
// can't be told any more is.
func TestBusyMachine(t *testing.T) {
	const slow = "package secure_torch.policy\ndeny contains \"x\" if { some i in numbers.range(1, 300000); i == 300000 }"
	q := evidence.PolicyQuestion{Timeout: time.Nanosecond, Modules: []evidence.Module{{Name: "p", Text: slow}}, Inputs: []json.RawMessage{json.RawMessage(`{}`)}}
	idle := Engine{Used: func() (time.Duration, bool) { return 0, true }}
	if a := idle.Answer(t.Context(), &q); a.Error != "" || len(a.Decisions[0].Deny) != 1 {
		t.Errorf("without a processor: %+v", a)
	}
	told := false
	lost := Engine{Used: func() (time.Duration, bool) { defer func() { told = true }(); return 0, !told }}
	q.Modules[0].Text = "package secure_torch.policy\n" + bombs["loop"]
	if a := lost.Answer(t.Context(), &q); a.Error != "" || a.Decisions[0].Error == "" {
		t.Errorf("nobody knows: %+v", a)
	}
	none := Engine{Used: func() (time.Duration, bool) { return 0, false }}
	if a := none.Answer(t.Context(), &q); a.Error != "" || a.Decisions[0].Error == "" {
		t.Errorf("by the wall: %+v", a)
	}
}

// TestBounds: a policy that quotes a model's author cannot flood the report.
func TestBounds(t *testing.T) {
	d := decide(t, `{"x":"`+strings.Repeat("y", 5_000)+`"}`, "package secure_torch.policy\ndeny contains sprintf(\"%d %s\", [n, input.x]) if some n in numbers.range(1, 1000)")
	if d.Error != "" || len(d.Deny) != maxMessages || len(d.Deny[0].Msg) > 1100 || !strings.HasPrefix(d.Deny[maxMessages-1].Msg, "and 901 more") {
		t.Errorf("%d messages, %s", len(d.Deny), d.Error)
	}
}

// TestLibrary runs the ready policies' tests: all pass, and each policy has some.
func TestLibrary(t *testing.T) {
	modules, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]int{}
	results, err := (Engine{}).Test(t.Context(), &evidence.PolicyQuestion{Modules: modules, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		tested[strings.TrimSuffix(r.Module, "_test")]++
		if !r.Passed {
			t.Errorf("%s: %s failed %s", r.Module, r.Name, r.Error)
		}
	}
	policies := 0
	for _, m := range modules {
		if IsTest(m.Name) {
			continue
		}
		policies++
		if tested[m.Name] < 3 {
			t.Errorf("%s has %d tests", m.Name, tested[m.Name])
		}
		if _, err := (Engine{}).Compile(t.Context(), &evidence.PolicyQuestion{Modules: []evidence.Module{m}}); err != nil {
			t.Errorf("%s alone: %v", m.Name, err)
		}
	}
	if policies < 8 {
		t.Errorf("%d policies", policies)
	}
}

func TestTests(t *testing.T) {
	a := (Engine{}).Answer(t.Context(), &evidence.PolicyQuestion{Test: true, Timeout: patience, Modules: []evidence.Module{
		{Name: "a.rego", Text: seed},
		{Name: "b.rego", Text: "package secure_torch.policy\ntest_good { count(deny) == 0 with input as {} }\ntest_bad { count(deny) == 1 with input as {} }\ntodo_test_x { false }"},
	}})
	want := []evidence.TestResult{{Module: "b.rego", Name: "test_good", Passed: true}, {Module: "b.rego", Name: "test_bad"}}
	if diff := cmp.Diff(want, a.Tests); diff != "" || a.Error != "" {
		t.Error(a.Error, diff)
	}
}

func FuzzDecide(f *testing.F) {
	f.Add(seed, `{"environment":"production"}`)
	f.Fuzz(func(t *testing.T, policy, input string) {
		if d := decide(t, input, policy, "package secure_torch.policy\ndeny contains \"always\" if true"); d.Allowed {
			t.Errorf("%+v", d)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	p, err := (Engine{}).Compile(b.Context(), &evidence.PolicyQuestion{Modules: []evidence.Module{{Name: "seed.rego", Text: seed}}})
	if err != nil {
		b.Fatal(err)
	}
	input, err := ast.ValueFromReader(strings.NewReader(`{"environment": "production", "aiProfile": {"trainingDatasets": [{"name": "The Stack", "license": "GPL-3.0"}]}}`))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if d := p.Decide(b.Context(), input); len(d.Deny) != 1 {
			b.Fatal(d)
		}
	}
}
