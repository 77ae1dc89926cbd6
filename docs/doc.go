// Package docs has tests alone: every command and block of code on a page is run, or checked where it is no program.
// `make test-docs` runs them.
package docs

//go:generate go run ./gen .
