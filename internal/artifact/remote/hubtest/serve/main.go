// Command serve is a hub on this machine whose one repository, org/model, is a folder: to try things by hand.
package main

import (
	"fmt"
	"os"
	"os/signal"

	"github.com/secure-torch/secure-torch/internal/artifact/remote/hubtest"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: serve FOLDER")
	}
	repo, err := hubtest.Folder("org/model", args[0])
	if err != nil {
		return err
	}
	h := hubtest.New(repo)
	defer h.Close()
	fmt.Printf("HF_ENDPOINT=%s secure-torch scan hf:org/model\n", h.URL)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
	return nil
}
