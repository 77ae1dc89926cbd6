//go:generate go run ./gen ../docs

// Package editors holds the settings for editors that have no plugin of their own here, and tests these settings
// in the real ones.
package editors
