package pyparse

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// code is the same C code as WebAssembly: see wasm/build.sh.
//
//go:embed wasm/python.wasm
var code []byte

// Confined is the C code as WebAssembly: whatever a source makes of it, it can spoil its own memory only.
var Confined = newGrammar(confinedParse, confinedSymbol, confinedField)

// maxPages bounds the memory of the grammar, in pages of 64 KiB. One that took more than keptBytes is started anew: its
// memory never shrinks.
const (
	maxPages  = 1 << 13
	keptBytes = 32 << 20
)

// machine runs the grammar, for one caller at a time. After a trap it is started anew.
type machine struct {
	mu       sync.Mutex
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	instance api.Module // nil: not started
}

var theMachine = sync.OnceValues(func() (*machine, error) {
	ctx := context.Background()
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(maxPages)
	m := &machine{runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, m.runtime); err != nil {
		return nil, err
	}
	var err error
	m.compiled, err = m.runtime.CompileModule(ctx, code)
	return m, err
})

// with runs f on the grammar. It returns false when the grammar could not be started, or f failed.
func with(f func(g *guest) error) bool {
	m, err := theMachine()
	if err != nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// The grammar keeps the time by itself. To have wazero keep it too would make it ten times slower.
	ctx := context.Background()
	err = m.run(ctx, f)
	if m.instance != nil && (err != nil || m.instance.Memory().Size() > keptBytes) {
		_ = m.instance.Close(ctx)
		m.instance = nil
	}
	return err == nil
}

// run runs f on the grammar, which is started if need be.
func (m *machine) run(ctx context.Context, f func(g *guest) error) (err error) {
	if m.instance == nil {
		m.instance, err = m.runtime.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName("").WithSysNanotime().WithStartFunctions("_initialize"))
		if err != nil {
			m.instance = nil
			return err
		}
		if _, err := m.instance.ExportedFunction("st_setup").Call(ctx); err != nil {
			return err
		}
	}
	return f(&guest{ctx, m.instance})
}

// guest is a started grammar.
type guest struct {
	ctx context.Context
	mod api.Module
}

var errMemory = errors.New("pyparse: the grammar ran out of memory")

// call calls one of the C functions.
func (g *guest) call(name string, args ...uint64) (uint32, error) {
	out, err := g.mod.ExportedFunction(name).Call(g.ctx, args...)
	if err != nil || len(out) == 0 {
		return 0, err
	}
	return uint32(out[0]), nil
}

// put copies bytes into the guest's memory.
func (g *guest) put(data []byte) (uint32, error) {
	at, err := g.call("malloc", uint64(max(len(data), 1)))
	if err == nil && (at == 0 || !g.mod.Memory().Write(at, data)) {
		err = errMemory
	}
	return at, err
}

func confinedParse(src []byte) Tree {
	tree := Tree{Failed: true}
	with(func(g *guest) error {
		text, err := g.put(src)
		if err != nil {
			return err
		}
		result, err := g.put(make([]byte, 12)) // an st_result
		if err != nil {
			return err
		}
		if _, err := g.call("st_parse", uint64(text), uint64(len(src)), timeout, uint64(result)); err != nil {
			return err
		}
		if tree, err = g.tree(result); err != nil {
			return err
		}
		for _, f := range []struct {
			name string
			at   uint32
		}{{"st_free", result}, {"free", result}, {"free", text}} {
			if err == nil {
				_, err = g.call(f.name, uint64(f.at))
			}
		}
		return err
	})
	return tree
}

// tree reads an st_result.
func (g *guest) tree(at uint32) (Tree, error) {
	head, ok := g.mod.Memory().Read(at, 12)
	if !ok {
		return Tree{Failed: true}, errMemory
	}
	word := binary.LittleEndian.Uint32
	if word(head[8:]) != 0 {
		return Tree{Failed: true}, nil
	}
	count := word(head[4:])
	raw, ok := g.mod.Memory().Read(word(head), count*16)
	if !ok || count > 1<<27 {
		return Tree{Failed: true}, errMemory
	}
	nodes := make([]Node, count)
	for i := range nodes {
		n := raw[16*i : 16*i+16]
		nodes[i] = Node{Start: word(n), End: word(n[4:]), Next: word(n[8:]), Kind: Kind(binary.LittleEndian.Uint16(n[12:])), Field: Field(n[14]), Flags: n[15]}
	}
	return Tree{Nodes: nodes}, nil
}

func confinedSymbol(name string) uint32 { return confinedLookup("st_symbol", name) }
func confinedField(name string) uint32  { return confinedLookup("st_field", name) }

func confinedLookup(function, name string) (id uint32) {
	with(func(g *guest) error {
		at, err := g.put([]byte(name))
		if err != nil {
			return err
		}
		if id, err = g.call(function, uint64(at), uint64(len(name))); err != nil {
			return err
		}
		_, err = g.call("free", uint64(at))
		return err
	})
	return id
}
