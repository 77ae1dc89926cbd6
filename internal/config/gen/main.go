// Command gen writes the JSON schema of the config to the file it is given. Run by go generate.
package main

import (
	"log"
	"os"

	"github.com/secure-torch/secure-torch/internal/config"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: gen FILE")
	}
	schema, err := config.Schema()
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], schema, 0o644); err != nil {
		log.Fatal(err)
	}
}
