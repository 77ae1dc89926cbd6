package wasm

// HostWith is Host with a configuration that may hold more than there should be.
var HostWith = host
