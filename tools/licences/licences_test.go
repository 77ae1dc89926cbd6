package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const mit = `Copyright (c) 2020 somebody

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`

// What a component's folder says decides; what it leaves open, or what is not allowed, is an error.
func TestLicences(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string // the licences, or what the error says
	}{
		"known":       {map[string]string{"LICENSE": mit}, "MIT"},
		"none":        {map[string]string{"README": "no licence"}, "no licence that is known"},
		"unknown":     {map[string]string{"LICENSE": "All rights reserved. Ask first."}, "is no licence"},
		"not allowed": {map[string]string{"COPYING": "SPDX-License-Identifier: GPL-3.0-only\n"}, "GPL-3.0"},
		"one of two":  {map[string]string{"LICENSE": mit, "COPYING": "SPDX-License-Identifier: AGPL-3.0-only\n"}, "AGPL-3.0"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := component{Name: "x"}
			said := ""
			if err := got.read(dir); err != nil {
				said = err.Error()
			} else {
				said = strings.Join(got.Licences, ",")
			}
			if !strings.Contains(said, c.want) {
				t.Errorf("%q, want %q", said, c.want)
			}
		})
	}
}

// A program's bill of materials names its modules, and twice the same.
func TestSBOM(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-C", "../..", "-o", program, "./internal/rule/gen").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Chdir("..")
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := sbom(program, "1.2.3", out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("not the same twice")
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(&first, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if got := bom.Metadata.Component; got.Version != "1.2.3" || got.Hashes == nil {
		t.Errorf("%+v", got)
	}
	for _, c := range *bom.Components {
		if c.Name == "std" {
			return
		}
	}
	t.Errorf("%+v", *bom.Components)
}
