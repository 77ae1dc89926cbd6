// Command licences says under which terms everything is that is in secure-torch. Run in tools:
//
//	licences notice            NOTICE: every component of a release, its licence, and the texts
//	licences sbom PROGRAM      what is in one built program, as CycloneDX
//
// It fails on a licence that docs/adr/0007 does not allow, and where it can't tell which one it is.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("licences: ")
	if err := run(os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(args []string, out io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "notice":
		return notice("..", out)
	case len(args) == 2 && args[0] == "sbom":
		return sbom(args[1], os.Getenv("VERSION"), out)
	}
	return fmt.Errorf("usage: licences notice | licences sbom PROGRAM")
}
