package index

import "fmt"

// storages of one torch file while it is read.
type storages struct {
	m     *machine
	rows  map[string]int64 // by key
	views map[string]int64 // legacy: by view key
	flags int64            // of all of them
	// locate, if set, says where the bytes of a new storage are.
	locate func(key string, s *storage) error
}

func newStorages(m *machine) *storages {
	return &storages{m: m, rows: map[string]int64{}, views: map[string]int64{}}
}

// zipID answers ('storage', class, key, device, elements) (torch.serialization._load).
func (s *storages) zipID(id Ref) (Ref, error) {
	items, _ := s.m.g.tuple(id)
	if len(items) != 5 {
		return 0, fmt.Errorf("persistent id of %d parts", len(items))
	}
	row, err := s.row(items)
	return s.m.g.add(kStorage, row), err
}

// legacyID answers ('storage', class, key, device, elements, None | (view key, offset, elements)) and
// ('module', class, source file, source) (torch.serialization._legacy_load).
func (s *storages) legacyID(id Ref) (Ref, error) {
	g := s.m.g
	items, _ := g.tuple(id)
	if len(items) > 1 {
		if kind, _ := g.text(Ref(items[0])); kind == "module" {
			return Ref(items[1]), nil
		}
	}
	if len(items) != 5 && len(items) != 6 {
		return 0, fmt.Errorf("persistent id of %d parts", len(items))
	}
	row, err := s.row(items[:5])
	if err != nil {
		return 0, err
	}
	if len(items) == 6 && Ref(items[5]) != 0 {
		if row, err = s.view(row, Ref(items[5])); err != nil {
			return 0, err
		}
	}
	return g.add(kStorage, row), nil
}

// row of the storage that a persistent id names. The first id with a key decides what it is.
func (s *storages) row(items []uint32) (int64, error) {
	g := s.m.g
	kind, _ := g.text(Ref(items[0]))
	dtype, ok1 := s.m.storageType(Ref(items[1]))
	key, ok2 := g.text(Ref(items[2]))
	device, ok3 := g.text(Ref(items[3]))
	numel, ok4 := g.int64(Ref(items[4]))
	if kind != "storage" || !ok1 || !ok2 || !ok3 || !ok4 {
		return 0, fmt.Errorf("persistent id is no storage of torch's")
	}
	if row, ok := s.rows[key]; ok {
		return row, nil
	}
	nbytes, err := byteLength(numel, dtype)
	if err != nil {
		return 0, err
	}
	st := storage{text: -1, off: -1, nbytes: nbytes, flags: s.flags, dtype: g.intern(dtype), device: g.intern(device), root: -1}
	if s.locate != nil {
		if err := s.locate(key, &st); err != nil {
			return 0, fmt.Errorf("storage %q: %w", key, err)
		}
	}
	return s.add(key, st), nil
}

func (s *storages) add(key string, st storage) int64 {
	g := s.m.g
	g.storages = append(g.storages, st)
	s.rows[key] = int64(len(g.storages) - 1)
	return s.rows[key]
}

// view is a part of a storage, by (key, offset, elements).
func (s *storages) view(root int64, meta Ref) (int64, error) {
	g := s.m.g
	items, _ := g.tuple(meta)
	if len(items) != 3 {
		return 0, fmt.Errorf("view of a storage has %d parts", len(items))
	}
	key, ok1 := g.text(Ref(items[0]))
	offset, ok2 := g.int64(Ref(items[1]))
	numel, ok3 := g.int64(Ref(items[2]))
	if !ok1 || !ok2 || !ok3 {
		return 0, fmt.Errorf("view of a storage is not as torch writes it")
	}
	if row, ok := s.views[key]; ok {
		return row, nil
	}
	row, err := g.part(root, offset, numel)
	s.views[key] = row
	return row, err
}

// part adds the row for numel elements of a storage from offset on.
func (g *graph) part(root, offset, numel int64) (int64, error) {
	whole := g.storages[root]
	size := itemSizes[string(g.bytes(whole.dtype))]
	if n := whole.nbytes / size; offset < 0 || numel < 0 || offset > n || numel > n-offset {
		return 0, fmt.Errorf("view of elements %d to %d of a storage of %d", offset, offset+numel, n)
	}
	g.storages = append(g.storages, storage{
		text: -1, nbytes: numel * size, dtype: whole.dtype, device: whole.device, root: root, offset: offset * size,
	})
	return int64(len(g.storages) - 1), nil
}
