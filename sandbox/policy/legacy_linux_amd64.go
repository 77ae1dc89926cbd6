package policy

// Calls that only the older architectures have.
var (
	legacyOwners  = []string{"chmod", "chown", "lchown", "utime", "utimes", "futimesat"}
	legacyForks   = []string{"fork", "vfork"}
	legacyFiles   = []string{"open", "newfstatat", "stat", "lstat", "access", "readlink"}
	legacyClock   = []string{"time"}
	legacyAddable = []string{"poll", "select", "epoll_wait", "alarm", "pause", "getpgrp"}
)
