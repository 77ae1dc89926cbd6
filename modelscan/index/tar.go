package index

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/tar"
)

// tarFile is what torch.save wrote before 0.1.10 (torch.serialization._legacy_load, legacy_load).
type tarFile struct {
	s       *storages
	ctx     context.Context
	members map[string]tar.Member
	made    map[string]Ref // storages and tensors, by key
}

// tar reads a tar of "storages", "tensors" and "pickle".
func (b *builder) tar(ctx context.Context, src modelscan.Source, at origin) (Ref, error) {
	list, err := tar.Members(ctx, src, b.limits)
	if err != nil {
		return 0, err
	}
	if !at.known {
		return 0, fmt.Errorf("compressed tar: %w", ErrUnsupported)
	}
	t := &tarFile{s: newStorages(b.machine(src, at)), ctx: ctx, members: map[string]tar.Member{}, made: map[string]Ref{}}
	for _, m := range list {
		if _, twice := t.members[m.Name]; twice {
			return 0, fmt.Errorf("member %q is there more than once: loaders disagree", m.Name)
		}
		t.members[m.Name] = m
	}
	for _, name := range []string{"storages", "tensors", "pickle"} {
		if _, ok := t.members[name]; !ok {
			return 0, fmt.Errorf("tar that is no torch checkpoint: %w", ErrUnsupported)
		}
	}
	if err := t.storages(b, src, at); err != nil {
		return 0, fmt.Errorf("storages: %w", err)
	}
	if err := t.tensors(b, src, at); err != nil {
		return 0, fmt.Errorf("tensors: %w", err)
	}
	m, _ := t.open(b, src, at, "pickle")
	m.persist = t.object
	root, _, err := m.load(ctx, 0)
	return root, err
}

func (t *tarFile) open(b *builder, src modelscan.Source, at origin, name string) (*machine, modelscan.Source) {
	m := t.members[name]
	part, place := section(src, at, name, m.Off, m.Size)
	return b.machine(part, place), part
}

// storages: a count, then for each a pickle (key, location, class), the number of elements and the
// elements; then a pickle of (key, root, offset, elements) of views.
func (t *tarFile) storages(b *builder, src modelscan.Source, at origin) error {
	m, part := t.open(b, src, at, "storages")
	count, off, err := m.load(t.ctx, 0)
	if err != nil {
		return err
	}
	n, ok := b.g.int64(count)
	for range n {
		var item Ref
		if item, off, err = m.load(t.ctx, off); err != nil {
			return err
		}
		if off, err = t.storage(m, part, item, off); err != nil {
			return err
		}
	}
	views, _, err := m.load(t.ctx, off)
	if err != nil || !ok {
		return fmt.Errorf("count or views: %w", err)
	}
	for _, items := range b.g.fillings(views) {
		for _, view := range items {
			if err := t.view(m, Ref(view)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tarFile) storage(m *machine, part modelscan.Source, item Ref, off int64) (int64, error) {
	items, _ := m.g.tuple(item)
	if len(items) != 3 {
		return 0, fmt.Errorf("a storage has %d parts", len(items))
	}
	key, ok1 := m.key(Ref(items[0]))
	device, ok2 := m.g.text(Ref(items[1]))
	dtype, ok3 := m.storageType(Ref(items[2]))
	head, err := part.Bytes(off, 8, 8)
	if err != nil || !ok1 || !ok2 || !ok3 {
		return 0, fmt.Errorf("storage %q is not as torch writes it: %w", key, err)
	}
	nbytes, err := byteLength(int64(binary.LittleEndian.Uint64(head)), dtype)
	if err != nil {
		return 0, err
	}
	if off += 8; nbytes > part.Size-off {
		return 0, fmt.Errorf("storage %q needs %d bytes, %d are left", key, nbytes, part.Size-off)
	}
	row := t.s.add(key, storage{
		text: m.at.text, off: m.at.base + off, stored: nbytes, nbytes: nbytes, dtype: m.g.intern(dtype), device: m.g.intern(device), root: -1,
	})
	t.made[key] = m.g.add(kStorage, row)
	return off + nbytes, nil
}

func (t *tarFile) view(m *machine, view Ref) error {
	items, _ := m.g.tuple(view)
	if len(items) != 4 {
		return fmt.Errorf("a view has %d parts", len(items))
	}
	key, _ := m.key(Ref(items[0]))
	root, _ := m.key(Ref(items[1]))
	offset, ok1 := m.g.int64(Ref(items[2]))
	numel, ok2 := m.g.int64(Ref(items[3]))
	whole, ok3 := t.s.rows[root]
	if !ok1 || !ok2 || !ok3 {
		return fmt.Errorf("view %q is not as torch writes it", key)
	}
	row, err := m.g.part(whole, offset, numel)
	t.s.rows[key] = row
	t.made[key] = m.g.add(kStorage, row)
	return err
}

// tensors: a count, then for each a pickle (key, storage, class), dimensions, sizes, strides and offset.
func (t *tarFile) tensors(b *builder, src modelscan.Source, at origin) error {
	m, part := t.open(b, src, at, "tensors")
	count, off, err := m.load(t.ctx, 0)
	if err != nil {
		return err
	}
	n, _ := b.g.int64(count)
	for range n {
		var item Ref
		if item, off, err = m.load(t.ctx, off); err != nil {
			return err
		}
		if off, err = t.tensor(m, part, item, off); err != nil {
			return err
		}
	}
	return nil
}

func (t *tarFile) tensor(m *machine, part modelscan.Source, item Ref, off int64) (int64, error) {
	items, _ := m.g.tuple(item)
	if len(items) != 3 {
		return 0, fmt.Errorf("a tensor has %d parts", len(items))
	}
	key, _ := m.key(Ref(items[0]))
	from, _ := m.key(Ref(items[1]))
	st, ok := t.made[from]
	head, err := part.Bytes(off, 8, 8) // 32 bits of dimensions, 32 that count for nothing
	if err != nil || !ok {
		return 0, fmt.Errorf("tensor %q has no storage %q: %w", key, from, err)
	}
	ndim := int64(binary.LittleEndian.Uint32(head))
	body, err := part.Bytes(off+8, 16*ndim+8, 16*maxDims+8)
	if err != nil {
		return 0, err
	}
	word := func(i int64) Ref { return m.g.integer(int64(binary.LittleEndian.Uint64(body[8*i:]))) }
	var sizes, strides []Ref
	for i := range ndim {
		sizes, strides = append(sizes, word(i)), append(strides, word(ndim+i))
	}
	args := []uint32{uint32(st), uint32(word(2 * ndim)), uint32(m.g.addRefs(kTuple, sizes)), uint32(m.g.addRefs(kTuple, strides))}
	r, made, err := rebuildTensor(m, args)
	if err != nil || !made {
		return 0, fmt.Errorf("tensor %q: %w", key, err)
	}
	t.made[key] = r
	return off + 8 + 16*ndim + 8, nil
}

// object answers a persistent id: the key of a tensor or storage, or a module's class with its source.
func (t *tarFile) object(id Ref) (Ref, error) {
	if items, ok := t.s.m.g.tuple(id); ok && len(items) > 0 {
		return Ref(items[0]), nil
	}
	key, _ := t.s.m.key(id)
	r, ok := t.made[key]
	if !ok {
		return 0, fmt.Errorf("persistent id %q is no tensor and no storage of the file", key)
	}
	return r, nil
}

// key is a number, or its text.
func (m *machine) key(r Ref) (string, bool) {
	if n, ok := m.g.int64(r); ok {
		return strconv.FormatInt(n, 10), true
	}
	return m.g.text(r)
}
