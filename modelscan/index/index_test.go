package index

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
)

func indexOf(t testing.TB, data string) (*Index, error) {
	t.Helper()
	src := modelscan.Source{Name: "test", R: strings.NewReader(data), Size: int64(len(data))}
	x, err := Build(t.Context(), src, modelscan.DefaultLimits())
	if err == nil {
		if _, err := x.WriteTo(new(bytes.Buffer)); err != nil {
			t.Fatal(err)
		}
	}
	return x, err
}

// kinds of the nodes that are written, after None.
func kinds(x *Index) []kind {
	var out []kind
	for _, k := range x.enc.out.kinds[1:] {
		out = append(out, kind(k))
	}
	return out
}

func TestPlainData(t *testing.T) {
	for _, c := range []struct {
		name, pickle string
		want         []kind
	}{
		{"none", "N.", nil},
		{"python 2 booleans", "(I01\nI00\nt.", []kind{kTrue, kFalse, kTuple}},
		{"list filled after it is made", "\x80\x02]q\x00(K\x01K\x02e.", []kind{kList, kInt, kInt, kExtend}},
		{"a list in itself", "\x80\x02]q\x00h\x00a.", []kind{kList, kExtend}},
		{"what POP dropped is not written", "\x80\x02X\x01\x00\x00\x00a0K\x01.", []kind{kInt}},
		{"text at protocol 0", "V\\u00e9\n.", []kind{kStr}},
		{"surrogate at protocol 0", "V\\ud800\n.", []kind{kSurrogate}},
		{"bytes as Python 3 writes them at protocol 2", "\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x06\x00\x00\x00latin1\x86R.", []kind{kBytes}},
		{"set of Python 2", "c__builtin__\nset\n((lp0\ntR.", []kind{kStr, kList, kCall}},
		{"unknown class", "\x80\x02cm\nC\n)\x81}b.", []kind{kStr, kStr, kGlobal, kTuple, kStr, kOpaque, kDict, kState}},
		{"a call is never more than a node", "cposix\nsystem\n(S'echo'\ntR.", []kind{kStr, kStr, kGlobal, kStr, kTuple, kStr, kOpaque}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, err := indexOf(t, c.pickle)
			if err != nil {
				t.Fatal(err)
			}
			got := kinds(x)
			if len(got) != len(c.want) {
				t.Fatalf("kinds %v, want %v", got, c.want)
			}
			seen := map[kind]int{}
			for i := range got {
				seen[got[i]]++
				seen[c.want[i]]--
			}
			for k, n := range seen {
				if n != 0 {
					t.Errorf("kinds %v, want %v (%d)", got, c.want, k)
				}
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct{ name, pickle, want string }{
		{"a persistent id where nobody knows one", "\x80\x02K\x01Q.", "persistent id"},
		{"extension codes", "\x80\x02\x82\x01.", "EXT1"},
		{"SETITEM on a list", "\x80\x02]K\x01K\x02s.", "takes no items"},
		{"an empty stack", "\x80\x02R.", "more from the stack"},
		{"a mark is a floor", "\x80\x02K\x01(\x85.", "more from the stack"},
		{"no STOP", "\x80\x02K\x01", "STOP"},
		{"a memo that was never set", "\x80\x02h\x07.", "memo 7"},
		{"bytes after the pickle", "\x80\x02N.N.", "after the pickle"},
		{"no known format", "\x00\x00\x00\x1cftyp", "not supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := indexOf(t, c.pickle); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
		})
	}
}

// Forty doublings are 2^40 objects for whoever walks them, and 41 nodes here.
func TestBillionLaughs(t *testing.T) {
	x, err := indexOf(t, "\x80\x02]"+strings.Repeat("2\x86", 40)+".")
	if err != nil || len(kinds(x)) != 41 {
		t.Fatalf("%d nodes, %v", len(kinds(x)), err)
	}
}

// A chain of a million lists is no deep recursion anywhere.
func TestDeepNesting(t *testing.T) {
	if _, err := indexOf(t, "\x80\x02"+strings.Repeat("]", 1_000_000)+strings.Repeat("a", 999_999)+"."); err != nil {
		t.Fatal(err)
	}
}

func TestLimit(t *testing.T) {
	src := "\x80\x02(" + strings.Repeat("]q\x00", 100_000) + "t."
	b := &builder{g: newGraph(1 << 16), limits: new(modelscan.DefaultLimits()), steps: steps(), calls: map[string]bool{}}
	_, err := b.any(context.Background(), modelscan.Source{R: strings.NewReader(src), Size: int64(len(src))}, origin{text: -1, known: true})
	if !errors.Is(err, modelscan.ErrLimit) {
		t.Fatalf("error %v, want a limit", err)
	}
}

func TestInside(t *testing.T) {
	for _, c := range []struct {
		offset         int64
		sizes, strides []int64
		numel          int64
		ok             bool
	}{
		{0, []int64{2, 3}, []int64{3, 1}, 6, true},
		{1, []int64{2, 3}, []int64{3, 1}, 6, false},
		{0, []int64{1 << 40}, []int64{0}, 1, true}, // expanded
		{0, nil, nil, 1, true},
		{0, nil, nil, 0, false},
		{9, []int64{0, 5}, []int64{5, 1}, 0, true},
		{-1, []int64{1}, []int64{1}, 9, false},
		{0, []int64{2}, []int64{-1}, 9, false},
		{0, []int64{-1}, []int64{1}, 9, false},
		{0, []int64{math.MaxInt64, math.MaxInt64}, []int64{math.MaxInt64, 1}, math.MaxInt64, false},
		{math.MaxInt64, []int64{2}, []int64{1}, math.MaxInt64, false},
	} {
		if err := inside(c.offset, c.sizes, c.strides, c.numel); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func FuzzBuild(f *testing.F) {
	for _, seed := range []string{
		"N.", "\x80\x02]q\x00(K\x01K\x02e.", "c__builtin__\nset\n((lp0\ntR.", "(dp0\nS'a'\np1\nI1\ns.", "\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.",
		"\x93NUMPY\x01\x00\x14\x00{'descr': '<f4', }\n\x00\x00\x80\x3f",
		"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01NtQK\x00K\x01\x85K\x01\x85\x89Nctorch._utils\n_rebuild_tensor\n0t.\x80\x02].",
		"PK\x03\x04", "\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00f8K\x00K\x01\x87R(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb.",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Build(t.Context(), modelscan.Source{Name: "fuzz", R: bytes.NewReader(data), Size: int64(len(data))}, modelscan.DefaultLimits())
		if err != nil {
			return
		}
		var out bytes.Buffer
		if _, err := x.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		for _, s := range x.enc.storages { // what is handed over lies inside the file
			st := x.enc.g.storages[s]
			if st.root < 0 && st.text < 0 && (st.off < 0 || st.off+st.stored > int64(len(data))) {
				t.Fatalf("storage %+v outside %d bytes", st, len(data))
			}
		}
	})
}

// A row of numbers that share bytes takes whole bytes; no other layout of them is believed.
func TestPackedRows(t *testing.T) {
	for _, c := range []struct {
		sizes, strides []int64
		per, last      int64 // the last byte that is read, -1: not contiguous
	}{
		{[]int64{2, 6}, []int64{6, 1}, 2, 5},
		{[]int64{3, 5}, []int64{5, 1}, 2, 8},
		{[]int64{3, 5}, []int64{5, 1}, 4, 5},
		{[]int64{1, 1}, []int64{7, 1}, 2, 0},
		{[]int64{3, 5}, []int64{1, 3}, 2, -1},
		{[]int64{2, math.MaxInt64}, []int64{math.MaxInt64, 1}, 2, -1},
	} {
		if !contiguous(c.sizes, c.strides) {
			if c.last >= 0 {
				t.Errorf("%v %v is not contiguous", c.sizes, c.strides)
			}
			continue
		}
		sizes, strides := packedRows(c.sizes, c.per)
		if err := inside(0, sizes, strides, c.last+1); err != nil {
			t.Errorf("%v: %v", c.sizes, err)
		}
		if err := inside(0, sizes, strides, c.last); err == nil {
			t.Errorf("%v fits into %d bytes", c.sizes, c.last)
		}
	}
}
