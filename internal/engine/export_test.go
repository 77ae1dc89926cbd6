package engine

// KeepAtOnce has reports kept on files that changed just now.
func (e *Engine) KeepAtOnce() { e.settled = 0 }
