package evidence

// Listing is what lies in a model's folder, or the one file that is the model.
type Listing struct {
	// Single is set where the model is one file and not a folder.
	Single bool `json:"single,omitempty"`
	// Partial is set where the entries are some of the folder's: what is missing is then not told.
	Partial bool    `json:"partial,omitempty"`
	Entries []Entry `json:"entries"`
}

// Entry is one file, or whatever stands in its place.
type Entry struct {
	Name string `json:"n"` // slash-separated, from the model's folder on
	Size int64  `json:"s"`
	// Digests in lower-case hexadecimal: one of the whole file, or one for each shard in order. None where the
	// file was not hashed, which no signature is satisfied by.
	Digests []string  `json:"d,omitempty"`
	Type    EntryType `json:"t,omitempty"`
}

// EntryType tells what an entry is. The zero type is a regular file.
type EntryType uint8

// Types of entry.
const (
	Regular EntryType = iota
	Link              // a symbolic link that leads out of where it may lead, or to a folder
	Inner             // a symbolic link to a regular file inside the model's folder
	Other             // a FIFO, a socket, a device
)

// Plan says how the files of a signed model are to be hashed, as the signer did.
type Plan struct {
	Hash      string   `json:"hash"`                 // sha256, blake2b or blake3
	ShardSize int64    `json:"shard_size,omitempty"` // bytes; 0 for whole files
	Ignore    []string `json:"ignore,omitempty"`     // paths left out, with what is below them
	Links     bool     `json:"links,omitempty"`      // links are followed
}
