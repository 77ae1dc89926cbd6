package pickle

// checks decide, by its arguments, about a call of an allowed name; the value is what it evaluates to.
var checks = map[string]func(m *machine, op *Op, id int) value{}
