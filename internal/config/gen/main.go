// Command gen writes the JSON schema of the config to the first file it is given, and the editor's settings into
// the second, a VS Code extension's package.json. Run by go generate.
package main

import (
	"log"
	"os"

	"github.com/secure-torch/secure-torch/internal/config"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: gen SCHEMA MANIFEST")
	}
	schema, err := config.Schema()
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], schema, 0o644); err != nil {
		log.Fatal(err)
	}
	manifest, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if manifest, err = config.ReplaceConfiguration(manifest); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[2], manifest, 0o644); err != nil {
		log.Fatal(err)
	}
}
