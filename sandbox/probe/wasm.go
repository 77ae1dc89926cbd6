package probe

// WasmNames are the probes that a worker inside of a WebAssembly module makes: each calls the host (WASI
// snapshot preview 1) for what the module must not have, on every descriptor up to wasmDescriptors where it
// takes one.
func WasmNames() []string {
	return []string{
		"open a file", "create a file", "stat a file", "list a folder", "make a folder", "remove a file", "rename a file", "link a file", "read a link",
		"a folder handed in", "a descriptor that is open", "accept a connection", "receive", "send", "a process's signal", "an environment",
	}
}
