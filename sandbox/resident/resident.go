// Package resident gives memory back to the system that a process which sits there for days does not need: the pages
// of its own executable that only its start has used. They stay in the system's cache of files, and come back when
// they are touched.
package resident
