// Command assemble makes the model files of recipes: assemble FOLDER RECIPE... For the sample project
// and for trying a case out by hand.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/secure-torch/secure-torch/internal/modeltest"
	"github.com/secure-torch/secure-torch/internal/modeltest/pickleasm"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: assemble FOLDER RECIPE...")
	}
	for _, recipe := range os.Args[2:] {
		if err := assemble(os.Args[1], recipe); err != nil {
			log.Fatalf("%s: %v", recipe, err)
		}
	}
}

func assemble(folder, recipe string) error {
	text, err := os.ReadFile(recipe)
	if err != nil {
		return err
	}
	r, err := modeltest.Parse(text, pickleasm.Assemble)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, f := range r.Files {
		if err := os.WriteFile(filepath.Join(folder, f.Name), f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
