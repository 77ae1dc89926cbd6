package index

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/secure-torch/secure-torch/modelscan"
)

// storage is one run of numbers: a row of the storage table.
type storage struct {
	text   int64 // the string that holds the bytes, -1 for the file
	off    int64 // of its first byte, there
	stored int64 // bytes there; more than nbytes only for a compressed record
	nbytes int64 // bytes of numbers
	flags  int64 // storageDeflated, storageSwapped
	dtype  Ref   // kStr
	device Ref   // kStr: "cpu", "cuda:0"
	root   int64 // the storage this one is a part of, -1 if it is whole
	offset int64 // bytes, in the root
}

const (
	storageDeflated = 1 << iota // the bytes are compressed (RFC 1951)
	storageSwapped              // the bytes are big-endian
)

// tensor is a view of a storage: a row of the tensor table.
type tensor struct {
	storage int64
	offset  int64 // elements
	dtype   Ref   // kStr
	flags   int64
	dims    int64 // where its sizes, then its strides, begin in dims
	ndim    int64
}

const (
	tensorRequiresGrad = 1 << iota
	tensorConj
	tensorNeg
)

// itemSizes in bytes, by torch's name of the dtype.
var itemSizes = map[string]int64{
	"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1, "bool": 1,
	"uint16": 2, "uint32": 4, "uint64": 8, "complex32": 4, "complex64": 8, "complex128": 16,
	"float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1, "float4_e2m1fn_x2": 1,
	"bcomplex32": 4, "bits8": 1, "bits16": 2, "bits1x8": 1, "bits2x4": 1, "bits4x2": 1,
	"qint8": 1, "quint8": 1, "qint32": 4, "quint4x2": 1, "quint2x4": 1,
}

// packed dtypes have several numbers in a byte, and start every row with a new one.
var packed = map[string]int64{"quint4x2": 2, "quint2x4": 4}

// storageTypes are the classes that torch's pickles name storages by.
var storageTypes = map[string]string{
	"DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16", "LongStorage": "int64",
	"IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
	"ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128", "QInt8Storage": "qint8", "QUInt8Storage": "quint8",
	"QInt32Storage": "qint32", "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4", "UntypedStorage": "uint8", "_UntypedStorage": "uint8",
}

// storageType of a global. torch takes such a class from any module (its find_class looks at the name).
func (m *machine) storageType(r Ref) (string, bool) {
	if m.g.kind(r) != kGlobal {
		return "", false
	}
	dtype, ok := storageTypes[string(m.g.bytes(Ref(m.g.run(r)[1])))]
	return dtype, ok
}

// byteLength of n elements, refused where it overflows.
func byteLength(n int64, dtype string) (int64, error) {
	size, ok := itemSizes[dtype]
	if !ok {
		return 0, fmt.Errorf("dtype %q is not supported", dtype)
	}
	if n < 0 || n > math.MaxInt64/size {
		return 0, fmt.Errorf("storage of %d elements", n)
	}
	return n * size, nil
}

// rebuildTensor is torch._utils._rebuild_tensor and _rebuild_tensor_v2: (storage, offset, size, stride[,
// requires_grad, backward_hooks[, metadata]]).
func rebuildTensor(m *machine, args []uint32) (Ref, bool, error) {
	t := tensor{}
	if len(args) >= 6 {
		if ok := m.tensorFlags(&t, args[4:]); !ok {
			return 0, false, nil
		}
	}
	return m.tensorOf(t, args, "")
}

// rebuildTensorV3 has the dtype beside an untyped storage: (storage, offset, size, stride, requires_grad,
// backward_hooks, dtype[, metadata]).
func rebuildTensorV3(m *machine, args []uint32) (Ref, bool, error) {
	t := tensor{}
	dtype, known := torchDType(m.g.globalName(Ref(args[6])))
	flags := append([]uint32{args[4], args[5]}, args[7:]...)
	if !known || !m.tensorFlags(&t, flags) {
		return 0, false, nil
	}
	return m.tensorOf(t, args, dtype)
}

func torchDType(global string) (string, bool) {
	const prefix = "torch."
	if len(global) <= len(prefix) || global[:len(prefix)] != prefix {
		return "", false
	}
	_, ok := itemSizes[global[len(prefix):]]
	return global[len(prefix):], ok
}

// tensorFlags reads requires_grad, backward_hooks and the metadata that torch 2.0 added: without its conj
// and neg the numbers would silently be wrong.
func (m *machine) tensorFlags(t *tensor, args []uint32) bool {
	grad, ok := m.g.bool(Ref(args[0]))
	if !ok || m.g.last[Ref(args[1])] != 0 { // hooks are never saved: torch writes an empty dict
		return false
	}
	if grad {
		t.flags |= tensorRequiresGrad
	}
	if len(args) < 3 || Ref(args[2]) == 0 {
		return true
	}
	if m.g.kind(Ref(args[2])) != kDict {
		return false
	}
	for _, items := range m.g.fillings(Ref(args[2])) {
		for i := 0; i+1 < len(items); i += 2 {
			key, _ := m.g.text(Ref(items[i]))
			on, isBool := m.g.bool(Ref(items[i+1]))
			flag := map[string]int64{"conj": tensorConj, "neg": tensorNeg}[key]
			if flag == 0 || !isBool {
				return false
			}
			if on {
				t.flags |= flag
			}
		}
	}
	return true
}

// tensorOf checks that the view lies inside its storage and adds the row.
func (m *machine) tensorOf(t tensor, args []uint32, dtype string) (Ref, bool, error) {
	row, offset, sizes, strides, ok := m.viewArgs(args)
	if !ok {
		return 0, false, nil
	}
	s := m.g.storages[row]
	t.storage, t.offset, t.dtype, t.ndim = row, offset, s.dtype, int64(len(sizes))
	if dtype != "" {
		t.dtype = m.g.intern(dtype)
	}
	size := itemSizes[string(m.g.bytes(t.dtype))]
	if err := inside(offset, sizes, strides, s.nbytes/size); err != nil {
		return 0, false, err
	}
	t.dims = int64(len(m.g.dims))
	m.g.dims = append(append(m.g.dims, sizes...), strides...)
	m.g.tensors = append(m.g.tensors, t)
	return m.g.add(kTensor, int64(len(m.g.tensors)-1)), true, nil
}

// viewArgs reads (storage, offset, size, stride).
func (m *machine) viewArgs(args []uint32) (row, offset int64, sizes, strides []int64, ok bool) {
	if m.g.kind(Ref(args[0])) != kStorage {
		return
	}
	row = m.g.vals[Ref(args[0])]
	offset, ok1 := m.g.int64(Ref(args[1]))
	sizes, ok2 := m.ints(Ref(args[2]))
	strides, ok3 := m.ints(Ref(args[3]))
	ok = ok1 && ok2 && ok3 && len(sizes) == len(strides) && len(sizes) <= maxDims
	return
}

// maxDims is torch's own bound on a tensor's dimensions.
const maxDims = 64

// ints of a tuple, or of torch.Size(tuple).
func (m *machine) ints(r Ref) ([]int64, bool) {
	if m.g.kind(r) == kCall {
		run := m.g.run(r)
		if len(run) != 2 || string(m.g.bytes(Ref(run[0]))) != "torch.Size" {
			return nil, false
		}
		r = Ref(run[1])
	}
	items, ok := m.g.tuple(r)
	if !ok {
		return nil, false
	}
	out := make([]int64, len(items))
	for i, item := range items {
		if out[i], ok = m.g.int64(Ref(item)); !ok {
			return nil, false
		}
	}
	return out, true
}

// inside refuses a view that reaches outside the numel elements of its storage. torch 1.13's
// weights_only loader reads out of bounds here (the class of CVE-2026-24747).
func inside(offset int64, sizes, strides []int64, numel int64) error {
	if offset < 0 {
		return fmt.Errorf("tensor at negative offset %d", offset)
	}
	last, empty := uint64(offset), false
	for i, n := range sizes {
		if n < 0 || strides[i] < 0 {
			return fmt.Errorf("tensor with size %d, stride %d", n, strides[i])
		}
		if n == 0 {
			empty = true
			continue
		}
		hi, span := bits.Mul64(uint64(n-1), uint64(strides[i]))
		sum, carry := bits.Add64(last, span, 0)
		if hi != 0 || carry != 0 || sum > math.MaxInt64 {
			return fmt.Errorf("tensor of size %v, stride %v: %w", sizes, strides, modelscan.ErrLimit)
		}
		last = sum
	}
	if !empty && last >= uint64(numel) {
		return fmt.Errorf("tensor reaches element %d of a storage of %d", last, numel)
	}
	return nil
}

// rebuildQuantized checks the view; the parameters are checked where the tensor is made.
func rebuildQuantized(m *machine, args []uint32) (Ref, bool, error) {
	row, offset, sizes, strides, ok := m.viewArgs(args)
	if !ok {
		return 0, false, nil
	}
	s := m.g.storages[row]
	dtype := m.g.bytes(s.dtype)
	if per := packed[string(dtype)]; per > 0 {
		if offset != 0 || !contiguous(sizes, strides) {
			return 0, false, nil // torch makes no views of them
		}
		sizes, strides = packedRows(sizes, per)
	}
	if err := inside(offset, sizes, strides, s.nbytes/itemSizes[string(dtype)]); err != nil {
		return 0, false, err
	}
	return m.plainCall("torch._utils._rebuild_qtensor", args), true, nil
}

func contiguous(sizes, strides []int64) bool {
	next := int64(1)
	for i := len(sizes) - 1; i >= 0; i-- {
		if sizes[i] != 1 && strides[i] != next || sizes[i] < 0 || sizes[i] > 0 && next > math.MaxInt64/sizes[i] {
			return false
		}
		next *= max(sizes[i], 1)
	}
	return true
}

// packedRows is a contiguous tensor's sizes and strides in bytes, when a byte holds per numbers of its last dimension.
func packedRows(sizes []int64, per int64) (rows, strides []int64) {
	rows, strides = slices.Clone(sizes), make([]int64, len(sizes))
	next := int64(1)
	for i := len(rows) - 1; i >= 0; i-- {
		if i == len(rows)-1 {
			rows[i] = rows[i]/per + min(rows[i]%per, 1)
		}
		strides[i] = next
		next *= max(rows[i], 1)
	}
	return rows, strides
}

// rebuildFromType is torch._tensor._rebuild_from_type_v2(function, class, arguments, state): a tensor with
// attributes. Of classes only Tensor itself and the jagged nested tensor are rebuilt.
func rebuildFromType(m *machine, args []uint32) (Ref, bool, error) {
	if len(args) != 4 {
		return 0, false, nil
	}
	class, function := m.g.globalName(Ref(args[1])), m.g.globalName(Ref(args[0]))
	plain := class == "torch._tensor.Tensor" || class == "torch.Tensor"
	if _, isTuple := m.g.tuple(Ref(args[2])); !isTuple || !plain && class != njtClass || (function == njtFunction) != (class == njtClass) {
		return 0, false, nil
	}
	r, err := m.call("reduce", Ref(args[0]), Ref(args[2]))
	if err != nil || m.g.kind(r) == kOpaque {
		return 0, false, err
	}
	m.g.fill(kState, r, []Ref{Ref(args[3])})
	return r, true, nil
}

// loadFromBytes is torch.storage._load_from_bytes(bytes): a torch file inside a plain pickle, how
// pickle.dumps writes a tensor's storage.
func loadFromBytes(m *machine, args []uint32) (Ref, bool, error) {
	if len(args) != 1 {
		return 0, false, nil
	}
	var src modelscan.Source
	var at origin
	switch r := m.rawBytes(Ref(args[0])); m.g.kind(r) {
	case kBytes:
		b := m.g.bytes(r)
		src = m.src.Member("_load_from_bytes", bytes.NewReader(b), int64(len(b)))
		at = origin{known: true, text: m.g.vals[r]}
	case kFileBytes:
		off, n := m.g.spans[2*m.g.vals[r]], m.g.spans[2*m.g.vals[r]+1]
		src, at = section(m.src, m.at, "_load_from_bytes", off-m.at.base, n)
	default:
		return 0, false, nil
	}
	r, err := m.b.any(m.ctx, src, at)
	return r, err == nil, err
}
