// Package twin holds the executable of the scan role that was built before this program and is part of
// it: the same worker without what only the other commands need (signatures, policies, Python's grammar),
// whose initialisation would cost every worker several times what its own does. See docs/adr/0005.
package twin
