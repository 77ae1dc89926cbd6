package policy

// Calls that only the older architectures have.
var (
	legacyForks   = []string{"fork", "vfork"}
	legacyFiles   = []string{"open", "newfstatat", "stat", "lstat", "access", "readlink"}
	legacyClock   = []string{"time"}
	legacyAddable = []string{"poll", "select", "epoll_wait", "alarm", "pause", "getpgrp"}
)
