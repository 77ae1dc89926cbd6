package pickle

// memo maps indexes to values. CPython's is an array as large as the greatest index; here an index
// far beyond the others goes to a map, so that one LONG_BINPUT 0xffffffff costs one entry.
type memo struct {
	dense  arena[value]
	sparse map[int64]value
	count  int64 // entries; MEMOIZE stores at this index
	top    int64 // greatest index that was stored
}

// sparseCost is the memory of one map entry, in bytes, roughly.
const sparseCost = 40

func (m *memo) get(i int64) (value, bool) {
	if i >= 0 && i < int64(m.dense.n) {
		v := *m.dense.at(int(i))
		return v, v.kind() != kMissing
	}
	v, ok := m.sparse[i]
	return v, ok
}

func (m *memo) put(i int64, v value) {
	m.top = max(m.top, i)
	switch {
	case i < int64(m.dense.n):
		p := m.dense.at(int(i))
		if p.kind() == kMissing {
			m.count++
		}
		*p = v
	case i <= int64(m.dense.n)+256:
		for int64(m.dense.n) < i {
			m.dense.push(m.take(int64(m.dense.n)))
		}
		m.dense.push(v)
		if m.take(i).kind() == kMissing {
			m.count++
		}
	default:
		if m.sparse == nil {
			m.sparse = map[int64]value{}
		}
		if _, ok := m.sparse[i]; !ok {
			m.count++
		}
		m.sparse[i] = v
	}
}

// take removes an entry from the map.
func (m *memo) take(i int64) value {
	v, ok := m.sparse[i]
	if !ok {
		return mk(kMissing, 0)
	}
	delete(m.sparse, i)
	return v
}

func (m *memo) bytes() int64 { return int64(m.dense.cap())*8 + int64(len(m.sparse))*sparseCost }
