package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/artifact/remote"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// ableScanner is a scanner that can trust, convert and ask a hub. What it did is in did.
type ableScanner struct {
	*fakeScanner
	signature *evidence.Signature
	sbom      *evidence.SBOM
	policy    *evidence.Decision
	fail      error // of everything
	hub       *HubReport

	mu  sync.Mutex
	did []string
}

func (s *ableScanner) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did = append(s.did, what)
}

func (s *ableScanner) done() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.did, "; ")
}

func (s *ableScanner) ScanTarget(ctx context.Context, t artifact.Target) *engine.Artifact {
	a := s.fakeScanner.ScanTarget(ctx, t)
	a.Signature, a.SBOM, a.Policy = s.signature, s.sbom, s.policy
	a.Report.Formats = []string{"torch", "pickle"}
	a.Report.Facts = []modelscan.Fact{{Kind: modelscan.TensorFact, Name: "w", Size: 4}}
	return a
}

func (s *ableScanner) Choices(a *engine.Artifact) []TrustChoice {
	if a.Signature.State != evidence.Valid {
		return nil
	}
	return []TrustChoice{{"Only this model", "path:" + a.Path}, {"All in its folder", "path:" + filepath.Dir(a.Path) + "/*"}}
}

func (s *ableScanner) Trust(a *engine.Artifact, match string) error {
	s.note("trust " + a.Signature.Signer + " for " + filepath.Base(match))
	return s.fail
}

func (s *ableScanner) Convert(_ context.Context, t artifact.Target, to string) error {
	s.note("convert " + filepath.Base(t.Path) + " to " + filepath.Base(to))
	return s.fail
}

func (s *ableScanner) ScanHub(_ context.Context, r ref.Ref, o ref.Options) (*HubReport, error) {
	s.note("hub " + r.Value + " " + o.Class)
	return s.hub, s.fail
}

func able(t *testing.T, files map[string]string) (*editor, *ableScanner, func(string) string) {
	able := &ableScanner{}
	e, _, uriOf := realWith(t, files, func(sc *fakeScanner) Scanner { able.fakeScanner = sc; return able })
	return e, able, uriOf
}

const goodLoads = "import torch\nx = torch.load(\"good.pt\")\n"

// Who signed a model is said over the call, and at the user's word goes into his own policy.
func TestSigner(t *testing.T) {
	e, s, uriOf := able(t, map[string]string{"good.pt": "x"})
	s.signature = &evidence.Signature{
		State: evidence.Valid, Signer: "ml@org.test", Issuer: "https://accounts.org.test", Bundle: "good.pt.sigstore.json",
		SignedAt: new(time.Date(2026, 3, 19, 17, 26, 0, 0, time.UTC)), Log: "https://log.org.test", LogIndex: new(int64(79571823)),
	}
	answer := "All in its folder"
	e.answer = func(m message) any {
		if m.Method == "window/showMessageRequest" {
			return obj{"title": answer}
		}
		return nil
	}
	e.initialize(full("utf-16"))
	a := uriOf("a.py")
	e.open(a, 1, goodLoads)
	var lenses []struct{ Command struct{ Title string } }
	e.until("a lens", func() bool {
		e.call("textDocument/codeLens", obj{"textDocument": obj{"uri": a}}, &lenses)
		return len(lenses) == 1 && strings.Contains(lenses[0].Command.Title, "signed")
	})
	if want := "✓ good.pt · safe · signed by ml@org.test, not in your trust policy"; lenses[0].Command.Title != want {
		t.Errorf("lens %q", lenses[0].Command.Title)
	}
	var hover struct{ Contents struct{ Value string } }
	e.call("textDocument/hover", at(a, 1, 6), &hover)
	const said = "signature: good, by ` ml@org.test `, whom your trust policy does not name, vouched for by https://accounts.org.test, " +
		"on 2026-03-19 17:26 UTC, log entry 79571823 of https://log.org.test (good.pt.sigstore.json)"
	if !strings.Contains(strings.ReplaceAll(hover.Contents.Value, "\\", ""), said) {
		t.Errorf("hover %s", hover.Contents.Value)
	}
	var actions []action
	e.call("textDocument/codeAction", on(a, rng{pos{1, 5}, pos{1, 5}}), &actions)
	trust := find(t, actions, "Trust this publisher (ml@org.test)")
	e.call("workspace/executeCommand", obj{"command": trust.Command.Command, "arguments": trust.Command.Arguments}, nil)
	if s.done() != "trust ml@org.test for *" {
		t.Errorf("did %q", s.done())
	}
	e.mu.Lock()
	answer = "Nothing that was offered"
	e.mu.Unlock()
	e.call("workspace/executeCommand", obj{"command": trust.Command.Command, "arguments": trust.Command.Arguments}, nil)
	path := trust.Command.Arguments[0]
	if m := e.reply(e.request("workspace/executeCommand", obj{"command": trust.Command.Command, "arguments": []any{path, "path:/**"}})); m.Error == nil {
		t.Error("a pattern that was not offered was trusted")
	}
	if s.done() != "trust ml@org.test for *" {
		t.Errorf("did %q", s.done())
	}
}

// Words for every state of a signature.
func TestSignatureWords(t *testing.T) {
	for state, want := range map[evidence.State][2]string{
		evidence.StateNone:  {"", "none"},
		evidence.Trusted:    {"signed by org/repo", "good, by"},
		evidence.Valid:      {"signed by org/repo, not in your trust policy", "does not name"},
		evidence.Invalid:    {"signature does not hold", "**does not hold**"},
		evidence.Unverified: {"signature not verified", "not verified"},
	} {
		a := &engine.Artifact{Report: &modelscan.Report{}, Signature: &evidence.Signature{State: state, Signer: "https://github.com/org/repo/x", Repository: "https://github.com/org/repo"}}
		if got := signedBy(a); got != want[0] {
			t.Errorf("%s: %q", state, got)
		}
		if got := signature(a.Signature); !strings.Contains(got, want[1]) {
			t.Errorf("%s: %q", state, got)
		}
	}
}

// What an SBOM and a policy say of a model stands in the hover, with the words of others made harmless.
func TestProvenanceInHover(t *testing.T) {
	for name, c := range map[string]struct {
		sbom   *evidence.SBOM
		policy *evidence.Decision
		want   []string
		not    []string
	}{
		"bound and allowed": {
			&evidence.SBOM{Present: true, Document: "good.spdx.json", Format: "SPDX-2.3", Bound: true, Profile: evidence.AIProfile{Licenses: []string{"Apache-2.0", "MIT"}}},
			&evidence.Decision{Allowed: true},
			[]string{"\n- SBOM: good.spdx.json (SPDX-2.3), licence Apache-2.0, MIT\n", "\n- policy: allowed\n"}, []string{"digest", "denied"},
		},
		"about another file, and denied": {
			&evidence.SBOM{Present: true, Document: "good.cdx.json", Format: "CycloneDX-1.6", Profile: evidence.AIProfile{KnownVulnerabilities: make([]evidence.Vulnerability, 2)}},
			&evidence.Decision{Deny: []evidence.Message{{Msg: "no licence"}, {Msg: "<b>trained</b> on \u202esecrets"}}, Warn: []evidence.Message{{Msg: "old"}}, Exempted: []evidence.Message{{Msg: "unsigned"}}},
			[]string{"which does not name this file's digest, 2 known vulnerabilities", "policy: **denied**; no licence; <b>trained", "\n- policy warns: old", "\n- policy lets pass, by an exception: unsigned"},
			[]string{"\u202e", "<b>", "allowed"},
		},
		"in the file, and a broken policy": {
			&evidence.SBOM{Present: true, Document: "good.gguf", Format: "simple", Embedded: true},
			&evidence.Decision{Error: "line 3: undefined"},
			[]string{"which the model file itself holds", "policy: **denied**; it could not be evaluated: line 3: undefined"}, nil,
		},
		"not understood": {
			&evidence.SBOM{State: evidence.Invalid, Message: "no JSON"}, nil,
			[]string{"SBOM: **not understood**: no JSON"}, []string{"policy"},
		},
		"none": {&evidence.SBOM{State: evidence.StateNone}, nil, []string{"signature: not checked"}, []string{"SBOM", "policy"}},
	} {
		t.Run(name, func(t *testing.T) {
			e, s, uriOf := able(t, map[string]string{"good.pt": "x"})
			s.sbom, s.policy = c.sbom, c.policy
			e.initialize(full("utf-16"))
			a := uriOf("a.py")
			e.open(a, 1, goodLoads)
			var hover struct{ Contents struct{ Value string } }
			e.until("the scan", func() bool {
				e.call("textDocument/hover", at(a, 1, 6), &hover)
				return strings.Contains(hover.Contents.Value, "good.pt")
			})
			text := strings.ReplaceAll(hover.Contents.Value, "\\", "") // as it is shown
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in %q", want, hover.Contents.Value)
				}
			}
			for _, not := range c.not {
				if strings.Contains(hover.Contents.Value, not) {
					t.Errorf("%q in %q", not, hover.Contents.Value)
				}
			}
		})
	}
}

// A safe pickle is converted beside itself; an unsafe one is not.
func TestConvertAction(t *testing.T) {
	e, s, uriOf := able(t, map[string]string{"good.pt": "x", "evil.pt": "x"})
	s.set("evil.pt", evilCall)
	e.initialize(full("utf-16"))
	a, b := uriOf("a.py"), uriOf("b.py")
	e.open(a, 1, goodLoads)
	e.open(b, 1, loads)
	e.latest(b, 1, coded("ST201"))
	var actions []action
	e.call("textDocument/codeAction", on(b, rng{pos{1, 5}, pos{1, 5}}), &actions)
	for _, a := range actions {
		if strings.Contains(a.Title, ".safetensors") {
			t.Errorf("offered for an unsafe model: %q", a.Title)
		}
	}
	e.until("the action", func() bool {
		e.call("textDocument/codeAction", on(a, rng{pos{1, 5}, pos{1, 5}}), &actions)
		for _, a := range actions {
			if strings.Contains(a.Title, "Convert good.pt to good.safetensors") {
				return true
			}
		}
		return false
	})
	convert := find(t, actions, "Convert good.pt")
	var wrote struct{ Path string }
	e.call("workspace/executeCommand", obj{"command": convert.Command.Command, "arguments": convert.Command.Arguments}, &wrote)
	if s.done() != "convert good.pt to good.safetensors" || filepath.Base(wrote.Path) != "good.safetensors" {
		t.Errorf("did %q, answered %+v", s.done(), wrote)
	}
	s.fail = errors.New("good.safetensors exists")
	if m := e.reply(e.request("workspace/executeCommand", obj{"command": convert.Command.Command, "arguments": convert.Command.Arguments})); m.Error == nil || !strings.Contains(m.Error.Message, "exists") {
		t.Errorf("%+v", m)
	}
	evil := strings.TrimPrefix(uriOf("evil.pt"), "file://")
	if m := e.reply(e.request("workspace/executeCommand", obj{"command": "secure-torch.convert", "arguments": []any{evil}})); m.Error == nil {
		t.Error("an unsafe model was converted")
	}
}

const hubLoads = "from transformers import AutoModel\nm = AutoModel.from_pretrained(\"org/model\")\n"

// Hubs are asked only where the user wants that, and what they have is told as if it were here.
func TestHubOnDemand(t *testing.T) {
	for name, c := range map[string]struct {
		config  string
		trusted bool
		asked   bool
	}{
		"on demand": {"hub = \"on-demand\"\n", true, true},
		"off":       {"", true, false},
		"offline":   {"hub = \"on-demand\"\noffline = true\n", true, false},
		"untrusted": {"hub = \"on-demand\"\n", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HF_HOME", t.TempDir())
			e, s, uriOf := able(t, map[string]string{"secure-torch.toml": c.config})
			s.hub = &HubReport{Commit: "0123456789abcdef", Files: []*engine.Artifact{{
				Path: "hf:org/model@0123456/pytorch_model.bin", Origin: &engine.Origin{Status: remote.Status{Level: "unsafe"}},
				Report: &modelscan.Report{Findings: []modelscan.Finding{{Rule: rule.PickleOsSystem, Offset: -1, Message: evilCall}}},
			}}}
			e.options = obj{"trusted": c.trusted}
			e.initialize(full("utf-16"))
			a := uriOf("a.py")
			e.open(a, 1, hubLoads)
			e.latest(a, 1, coded("ST110"))
			if s.done() != "" {
				t.Fatalf("asked before the user wanted it: %s", s.done())
			}
			var actions []action
			e.call("textDocument/codeAction", on(a, rng{pos{1, 10}, pos{1, 10}}), &actions)
			offered := 0
			for _, a := range actions {
				if a.Command.Command == "secure-torch.scanHub" {
					offered++
				}
			}
			e.call("textDocument/hover", at(a, 1, 10), nil)
			if !c.asked {
				if offered > 0 || s.done() != "" {
					t.Errorf("%d actions, did %q", offered, s.done())
				}
				return
			}
			got := e.latest(a, 1, coded("ST201"))
			if offered != 1 || !strings.Contains(messageOf(got, "ST201"), "hf:org/model@0123456/pytorch_model.bin") {
				t.Errorf("%d actions, %+v", offered, got)
			}
			var lenses []struct{ Command struct{ Title string } }
			e.call("textDocument/codeLens", obj{"textDocument": obj{"uri": a}}, &lenses)
			if len(lenses) != 1 || lenses[0].Command.Title != "✗ org/model@0123456 · unsafe · hub says: unsafe" {
				t.Errorf("lenses %+v", lenses)
			}
			scan := find(t, actions, "Scan org/model on the hub")
			s.fail = errors.New("no route")
			e.call("workspace/executeCommand", obj{"command": scan.Command.Command, "arguments": scan.Command.Arguments}, nil)
			if s.done() != "hub org/model AutoModel; hub org/model AutoModel" {
				t.Errorf("did %q", s.done())
			}
			e.latest(a, 1, none("ST201"))
		})
	}
}

func messageOf(all []shownDiag, code string) string {
	for _, d := range all {
		if d.Code == code {
			return d.Message
		}
	}
	return ""
}

// A comment that silences nothing is unnecessary code, to those who can show that.
func TestTags(t *testing.T) {
	e, _, uriOf := real(t, nil)
	var tags []int
	caps := full("utf-16")
	caps["textDocument"].(obj)["publishDiagnostics"].(obj)["tagSupport"] = obj{"valueSet": []int{1}}
	caps["textDocument"].(obj)["diagnostic"] = obj{}
	caps["workspace"].(obj)["diagnostics"] = obj{"refreshSupport": true}
	e.initialize(caps)
	a := uriOf("a.py")
	e.open(a, 1, "import torch, tensorflow as tf\nx = 1  # secure-torch: ignore[ST101] why not\ntf.keras.models.load_model(\"m.h5\")\n")
	var report struct {
		Items []struct {
			Code string
			Tags []int
		}
	}
	e.call("textDocument/diagnostic", obj{"textDocument": obj{"uri": a}}, &report)
	for _, d := range report.Items {
		if d.Code == "ST192" {
			tags = append(tags, d.Tags...)
		} else if len(d.Tags) > 0 { // the client knows no other
			t.Errorf("%+v", d)
		}
	}
	if len(tags) != 1 || tags[0] != 1 {
		t.Errorf("tags %v in %+v", tags, report)
	}
}

// source.fixAll takes the safe fixes and no others, and only for who asks for it.
func TestFixAll(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HF_HOME", home)
	t.Setenv("HF_HUB_CACHE", "")
	commit := strings.Repeat("0123456789", 4)
	repo := filepath.Join(home, "hub", "models--org--model")
	for name, text := range map[string]string{"refs/main": commit, "snapshots/" + commit + "/config.json": "{}"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(repo, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(repo, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, _, uriOf := real(t, nil)
	e.options = obj{"trusted": true}
	e.initialize(with(obj{"textDocument": obj{"codeAction": obj{"dataSupport": true, "resolveSupport": obj{"properties": []string{"edit"}}}}}))
	a := uriOf("a.py")
	const text = "import torch\nfrom transformers import AutoModel\na = AutoModel.from_pretrained(\"org/model\")\nb = AutoModel.from_pretrained(\"org/model\")\ntorch.load(p)\n"
	e.open(a, 1, text)
	asked := func(kinds ...string) (out []action) {
		p := on(a, rng{pos{0, 0}, pos{9, 0}})
		p["context"] = obj{"diagnostics": []any{}, "only": kinds}
		e.call("textDocument/codeAction", p, &out)
		return out
	}
	for _, a := range asked("quickfix") {
		if a.Kind != "quickfix" {
			t.Errorf("asked for quick fixes: %s %q", a.Kind, a.Title)
		}
	}
	if got := asked("refactor"); len(got) > 0 {
		t.Errorf("asked for others: %+v", got)
	}
	safe := 0
	for _, a := range asked("quickfix") {
		if a.IsPreferred {
			safe++
		}
	}
	for _, kind := range []string{"source", "source.fixAll", "source.fixAll.secureTorch"} {
		all := asked(kind)
		if len(all) != 1 || all[0].Kind != "source.fixAll.secureTorch" || len(all[0].Data) == 0 || safe == 0 {
			t.Fatalf("%s: %+v, %d safe fixes", kind, all, safe)
		}
		var resolved action
		e.call("codeAction/resolve", obj{"title": all[0].Title, "kind": all[0].Kind, "data": json.RawMessage(all[0].Data)}, &resolved)
		if resolved.Edit == nil || len(resolved.Edit.DocumentChanges[0].Edits) != 2 || resolved.Edit.DocumentChanges[0].Edits[0].NewText != `, revision="`+commit+`"` {
			t.Errorf("%s: %+v", kind, resolved.Edit)
		}
	}
	e.change(a, 2, obj{"text": text + "\n"})
	stale := asked("source.fixAll")
	e.change(a, 3, obj{"text": "x = 1\n"})
	if m := e.reply(e.request("codeAction/resolve", obj{"title": stale[0].Title, "kind": stale[0].Kind, "data": json.RawMessage(stale[0].Data)})); m.Error == nil || m.Error.Code != -32801 {
		t.Errorf("resolved for another version: %+v", m)
	}
}
