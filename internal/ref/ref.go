// Package ref holds Ref, what a call in Python source names as the thing to load.
package ref

// Kind of a Ref. The zero Kind is invalid.
type Kind uint8

// Kinds of Ref.
const (
	Path   Kind = iota + 1 // a file or folder: Value as written, joined and cleaned with "/"; relative to the source's folder or the working directory
	Glob                   // a partial path: Value is a pattern in path.Match syntax, with a literal part in it
	Hub                    // a repository on a model hub, with an optional file in it
	URL                    // any other URL
	MLflow                 // a model in an MLflow store: "models:/name/3", "runs:/id/path"
	Ollama                 // a model in Ollama's store: "name:tag"
	S3                     // an object in a bucket, or the objects below it: "s3://bucket/key"
)

var kindNames = [...]string{"invalid", "path", "glob", "hub", "url", "mlflow", "ollama", "s3"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[0]
}

// Sure says how far a Ref can be relied upon. The zero value is the least.
type Sure uint8

// How sure a Ref is, least first.
const (
	Guess   Sure = iota // one of several, or through something that may be overridden at run time
	Default             // the default of a parameter or an option
	Exact               // the only value the expression can have
)

var sureNames = [...]string{"guess", "default", "exact"}

func (s Sure) String() string {
	if int(s) < len(sureNames) {
		return sureNames[s]
	}
	return sureNames[0]
}

// Ref is one thing that a call may load.
type Ref struct {
	Kind Kind
	// Value is the path, the pattern, the hub repository id ("org/name"), the URL or the store's own name.
	Value string
	// Type of a hub repository: Models, Datasets or Spaces.
	Type string
	// File is the file inside a hub repository; empty when the loader chooses.
	File string
	// Revision is the branch, tag or commit asked of the hub; empty when none is given.
	Revision string
	// RelativeToSource is true for a path built from __file__; else relative paths are the process's.
	RelativeToSource bool
	Sure             Sure
}
