package index

// constructor is a callable that is known to make plain data.
type constructor struct {
	min, max int // number of arguments
	// make builds a typed node; false: the arguments are not as the library writes them. Nil: a kCall.
	make func(m *machine, args []uint32) (Ref, bool, error)
}

// constructors are all callables that are ever rebuilt, by exact name. Every other stays opaque.
// python/secure_torch/_rebuild.py carries out the plain ones; a test compares the two lists.
var constructors = map[string]constructor{
	"array._array_reconstructor": {4, 4, nil},
	"array.array":                {1, 2, nil},
	"builtins.bytearray":         {0, 2, nil},
	"builtins.bytes":             {0, 1, nil},
	"builtins.complex":           {1, 2, nil},
	"builtins.frozenset":         {0, 1, nil},
	"builtins.range":             {1, 3, nil},
	"builtins.set":               {0, 1, nil},
	"builtins.slice":             {3, 3, nil},
	"builtins.type":              {1, 1, nil},
	"_codecs.encode":             {2, 2, codecsEncode},
	"collections.Counter":        {0, 1, nil},
	"collections.OrderedDict":    {0, 1, nil},
	"collections.defaultdict":    {0, 2, nil},
	"collections.deque":          {0, 2, nil},
	"datetime.date":              {1, 1, nil},
	"datetime.datetime":          {1, 2, nil},
	"datetime.time":              {1, 2, nil},
	"datetime.timedelta":         {3, 3, nil},
	"datetime.timezone":          {1, 2, nil},
	"decimal.Decimal":            {1, 1, nil},
	"fractions.Fraction":         {1, 2, nil},
	"pathlib.PosixPath":          {0, 1 << 10, nil},
	"pathlib.PurePosixPath":      {0, 1 << 10, nil},
	"pathlib.PureWindowsPath":    {0, 1 << 10, nil},
	"pathlib.WindowsPath":        {0, 1 << 10, nil},
	"types.SimpleNamespace":      {0, 0, nil},

	"numpy.core.multiarray._reconstruct": {3, 3, nil},
	"numpy.core.multiarray.scalar":       {1, 2, numpyScalar},
	"numpy.core.numeric._frombuffer":     {4, 4, nil},
	"numpy.dtype":                        {1, 3, nil},

	"torch.Size":                      {1, 1, nil},
	"torch.device":                    {1, 2, nil},
	"torch.serialization._get_layout": {1, 1, nil},
	"torch._utils._rebuild_device_tensor_from_numpy":      {4, 4, nil},
	"torch._utils._rebuild_device_tensor_from_cpu_tensor": {4, 4, nil},
	"torch._utils._rebuild_meta_tensor_no_storage":        {4, 4, nil},
	"torch._utils._rebuild_nested_tensor":                 {4, 4, nil},
	"torch._utils._rebuild_parameter":                     {3, 3, nil},
	"torch._utils._rebuild_parameter_with_state":          {4, 4, nil},
	"torch._utils._rebuild_qtensor":                       {7, 7, rebuildQuantized},
	"torch._utils._rebuild_sparse_csr_tensor":             {2, 2, nil},
	"torch._utils._rebuild_sparse_tensor":                 {2, 2, nil},
	"torch._utils._rebuild_tensor":                        {4, 4, rebuildTensor},
	"torch._utils._rebuild_tensor_v2":                     {6, 7, rebuildTensor},
	"torch._utils._rebuild_tensor_v3":                     {7, 8, rebuildTensorV3},
	"torch._utils._rebuild_xla_tensor":                    {4, 4, nil},
	njtFunction:                                           {1, 1, nil},
}

// How a jagged nested tensor is written: its class, and the function that makes one of a dict.
const (
	njtClass    = "torch.nested._internal.nested_tensor.NestedTensor"
	njtFunction = "torch.nested._internal.nested_tensor._rebuild_njt"
)

// codecsEncode is how Python 3 writes bytes at protocol 2: _codecs.encode(text, "latin1").
func codecsEncode(m *machine, args []uint32) (Ref, bool, error) {
	text, name := Ref(args[0]), Ref(args[1])
	encoding, ok := m.g.text(name)
	if _, isText := m.g.text(text); !ok || !isText || encoding != "latin1" && encoding != "latin-1" {
		return 0, false, nil
	}
	b, ok := latin1(m.g.bytes(text))
	if !ok {
		return 0, false, nil
	}
	return m.g.str(kBytes, b), true, nil
}

// numpyScalar is numpy.core.multiarray.scalar(dtype, bytes); Python 2 wrote the bytes as a string.
func numpyScalar(m *machine, args []uint32) (Ref, bool, error) {
	list := refs(args)
	if len(list) == 2 {
		list[1] = m.rawBytes(list[1])
	}
	return m.g.addRefs(kCall, []Ref{m.g.intern("numpy.core.multiarray.scalar")}, list...), true, nil
}

// rawBytes is the bytes node for what a Python 2 string opcode wrote, anything else unchanged.
func (m *machine) rawBytes(r Ref) Ref {
	if m.g.kind(r) == kRawStr {
		return m.g.add(kBytes, m.g.vals[r])
	}
	return r
}

// numpyState is what BUILD does to a numpy dtype or array: a new node that has the state in it.
func (m *machine) numpyState(target, state Ref) (Ref, bool) {
	target = m.g.resolve(target)
	run := m.g.run(target)
	name := string(m.g.bytes(Ref(run[0])))
	switch name {
	case "numpy.dtype":
		if len(run) > 4 {
			return 0, false
		}
		list := append([]Ref{m.g.intern("numpy.dtype+state"), state}, refs(run[1:])...)
		return m.g.addRefs(kCall, list), true
	case "numpy.core.multiarray._reconstruct":
		items, ok := m.g.tuple(state)
		if !ok || len(items) != 5 {
			return 0, false
		}
		list := append([]Ref{m.g.intern("numpy.ndarray+state"), Ref(run[1])}, refs(items)...)
		list[6] = m.rawBytes(list[6])
		return m.g.addRefs(kCall, list), true
	}
	return 0, false
}
