package analyzers

import (
	"github.com/secure-torch/secure-torch/internal/ref"
)

// frame is where an expression is evaluated: a file, and the arguments of the call that is followed.
type frame struct {
	s    *Summary
	dir  string // what stands for the folder of the file
	fn   int32  // the scope whose parameters args binds; -1 for none
	args map[string]place
	call key  // the call that args are of, by the file that it is in
	open bool // arguments of the call are unpacked: args may have defaults where it gives others
	// config is the name of the YAML or JSON file that the frame stands for; else empty.
	config string
	// commands is the name of the file whose command lines the frame stands for; else empty.
	commands string
}

// place is an expression somewhere.
type place struct {
	fr   *frame
	n    node
	sure ref.Sure
}

// maxWork bounds the evaluation of one call's arguments, in expressions looked at.
const maxWork = 4000

// evaluator works out what one expression may be.
type evaluator struct {
	w       Workspace
	work    int
	frames  map[*Summary]*frame
	active  map[key]bool // what is being evaluated: a name defined by itself ends here
	hops    int          // parameters followed to their callers
	assumed []assumption // what is known where the names being evaluated are used
	asker   place        // the class whose attribute is looked for in its base classes, if any
	modules int          // names followed into other modules
	typings int          // attributes whose object's declaration was asked for

	met         []meeting          // choices that the evaluation came upon
	taken       map[choice]outcome // those that are made in the case at hand
	conditions  map[key]condition
	left, spent int // cases that may still be evaluated, and the work of those that were
}

type key struct {
	fr *frame
	n  node
}

// frame of a file, with no call followed.
func (e *evaluator) frame(s *Summary, dir string) *frame {
	if f := e.frames[s]; f != nil {
		return f
	}
	f := &frame{s: s, dir: dir, fn: -1}
	e.frames[s] = f
	return f
}

// enter guards one step of an evaluation. It says false, and why, when the step may not be made.
func (e *evaluator) enter(fr *frame, n node) (string, bool) {
	e.work++
	switch {
	case n < 0:
		return "there is no such argument", false
	case e.work > maxWork || len(e.active) > maxDepth*4:
		return "it is computed in too many steps", false
	case e.active[key{fr, n}]:
		return "it depends on itself", false
	}
	e.active[key{fr, n}] = true
	return "", true
}

func (e *evaluator) leave(fr *frame, n node) { delete(e.active, key{fr, n}) }

// summary is the file of a place; nil for no place.
func (p place) summary() *Summary {
	if p.fr == nil {
		return nil
	}
	return p.fr.s
}
