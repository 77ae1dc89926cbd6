package pickle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// generator writes programs that mostly make sense: what an opcode needs is mostly on the stack.
type generator struct {
	*rand.Rand
	out   []byte
	depth int
	marks []int
	memo  int
}

var generatedNames = [][2]string{{"posix", "system"}, {"builtins", "eval"}, {"collections", "OrderedDict"}, {"a.b", "C"}, {"os", "path.join"}, {"__builtin__", "set"}, {"copy_reg", "_reconstructor"}, {"x", "y.z"}, {"itertools", "izip"}}

func (g *generator) program() []byte {
	g.out, g.depth, g.marks, g.memo = nil, 0, nil, 0
	if g.IntN(4) > 0 {
		g.out = append(g.out, opProto, byte(g.IntN(6)))
	}
	for range 5 + g.IntN(40) {
		if g.IntN(3) > 0 {
			g.whole()
		} else {
			g.op()
		}
		if g.IntN(200) == 0 {
			g.out = append(g.out, byte(g.IntN(256))) // a slip
		}
	}
	return append(g.out, opStop)
}

func (g *generator) text() string {
	return []string{"posix", "system", "os", "a", "", "builtins", "getattr", "ünï"}[g.IntN(8)]
}

// wholes are runs of opcodes that push one value and that CPython accepts whatever stands below.
var wholes = []string{"N", "K\x01", "]", "}", ")", "\x8f", "(dS'k'\nK\x01s", "]K\x01a", "](K\x01K\x02e", "X\x01\x00\x00\x00a", "NN\x86", "(NNt", "C\x01b", "L5L\n", "N0N", "N2\x86"}

// calls are what follows a name that was pushed, and leave one value.
var calls = []string{"", ")R", "(K\x01tR", ")\x81", ")}\x92", ")R}b", ")RNa", ")R(NNu", ")\x81(Ne", "0N", ")R0N"}

// whole writes a value, most often a name and what is done with it.
func (g *generator) whole() {
	name := generatedNames[g.IntN(len(generatedNames))]
	switch g.IntN(5) {
	case 0:
		g.out = append(g.out, wholes[g.IntN(len(wholes))]...)
	case 1:
		g.out = append(g.out, "("+[]string{"N", "", "K\x01N"}[g.IntN(3)]+"i"+name[0]+"\n"+name[1]+"\n"...)
	case 2:
		g.out = append(g.out, "(c"+name[0]+"\n"+name[1]+"\nNo"...)
	case 3:
		g.out = append(g.out, opShortBinUnicode)
		g.counted(1, name[0])
		g.out = append(g.out, opShortBinUnicode)
		g.counted(1, name[1])
		g.out = append(g.out, opStackGlobal)
		g.out = append(g.out, calls[g.IntN(len(calls))]...)
	case 4:
		g.out = append(g.out, "c"+name[0]+"\n"+name[1]+"\n"+calls[g.IntN(len(calls))]...)
	}
	g.depth++
}

// generatedOps are picked from; those that name or call come often.
var generatedOps = []byte{
	opMark, opMark, opPop, opPopMark, opDup, opFloat, opInt, opBinInt, opBinInt1, opLong, opBinInt2, opNone, opPersID, opBinPersID, opReduce,
	opString, opBinString, opShortBinString, opUnicode, opBinUnicode, opBinUnicode, opAppend, opBuild, opGlobal, opDict, opEmptyDict, opAppends, opGet, opBinGet,
	opInst, opLongBinGet, opList, opEmptyList, opObj, opPut, opBinPut, opLongBinPut, opSetItem, opTuple, opTuple, opEmptyTuple, opEmptyTuple, opSetItems, opBinFloat,
	opNewObj, opTuple1, opTuple2, opTuple3, opNewTrue, opNewFalse, opLong1, opLong4, opBinBytes, opShortBinBytes, opShortBinUnicode, opShortBinUnicode, opBinUnicode8, opBinBytes8,
	opEmptySet, opAddItems, opFrozenSet, opNewObjEx, opStackGlobal, opMemoize, opMemoize, opFrame, opByteArray8, opReadOnlyBuffer,
}

func (g *generator) op() {
	code := generatedOps[g.IntN(len(generatedOps))]
	op := Op{Code: code}
	depth, marks := g.depth, append([]int{}, g.marks...)
	if !step(&op, &depth, &marks) && g.IntN(50) > 0 {
		return
	}
	if (code == opGet || code == opBinGet || code == opLongBinGet) && g.memo == 0 {
		return
	}
	if code == opStackGlobal && g.IntN(10) > 0 {
		g.out = append(g.out, opShortBinUnicode)
		g.counted(1, generatedNames[g.IntN(len(generatedNames))][0])
		g.out = append(g.out, opShortBinUnicode)
		g.counted(1, generatedNames[g.IntN(len(generatedNames))][1])
		depth += 2
	}
	g.depth, g.marks = depth, marks
	g.out = append(g.out, code)
	g.argument(code)
}

func (g *generator) counted(width int, text string) {
	g.out = append(g.out, binary.LittleEndian.AppendUint64(nil, uint64(len(text)))[:width]...)
	g.out = append(g.out, text...)
}

func (g *generator) argument(code byte) {
	switch code {
	case opPut, opBinPut, opLongBinPut, opMemoize:
		g.memo++
	}
	switch ops[code].arg {
	case argU1:
		g.out = append(g.out, byte(g.IntN(max(g.memo, 1)+2)))
	case argU2:
		g.out = binary.LittleEndian.AppendUint16(g.out, uint16(g.Uint32()))
	case argI4:
		g.out = binary.LittleEndian.AppendUint32(g.out, g.Uint32())
	case argU4:
		g.out = binary.LittleEndian.AppendUint32(g.out, uint32(g.IntN(max(g.memo, 1)+2)))
	case argU8:
		g.out = binary.LittleEndian.AppendUint64(g.out, uint64(g.IntN(4)))
	case argF8:
		g.out = binary.LittleEndian.AppendUint64(g.out, g.Uint64())
	case argLen1:
		g.counted(1, g.text())
	case argLen4, argLen4s:
		g.counted(4, g.text())
	case argLen8:
		g.counted(8, g.text())
	case argLine:
		g.out = append(g.out, g.line(code)...)
		g.out = append(g.out, '\n')
	case argLines:
		name := generatedNames[g.IntN(len(generatedNames))]
		g.out = append(g.out, name[0]+"\n"+name[1]+"\n"...)
	}
}

func (g *generator) line(code byte) string {
	switch code {
	case opString:
		return []string{"'posix'", `"sys\x74em"`, `'\163ystem'`, "'a\\n'", "'unclosed"}[g.IntN(5)]
	case opUnicode:
		return []string{"posix", `\u0073ystem`, `a\\u0062`, ""}[g.IntN(4)]
	case opFloat:
		return "1.5"
	case opLong:
		return "12L"
	case opPersID:
		return "pid"
	}
	return fmt.Sprint(g.IntN(max(g.memo, 1) + 2))
}

// TestImportsAgainstCPython: whatever CPython's unpickler would import out of a generated program, the
// machine names. SECURE_TORCH_SOAK=1 runs 120,000 programs, otherwise 6,000; the seeds are fixed.
func TestImportsAgainstCPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	count := 6000
	if os.Getenv("SECURE_TORCH_SOAK") != "" {
		count = 120_000
	}
	g := &generator{Rand: rand.New(rand.NewPCG(1, 2))}
	imports, ended := 0, 0
	for done := 0; done < count; done += batchSize { // a process for each batch: a program may make CPython's memo huge
		programs := make([][]byte, min(batchSize, count-done))
		for i := range programs {
			programs[i] = g.program()
		}
		for i, want := range record(t, python, programs) {
			imports += len(want.Imports)
			if want.Ended {
				ended++
			}
			compareImports(t, programs[i], want.Imports, want.Ended)
		}
	}
	t.Logf("%d programs, %d reached STOP, %d imports", count, ended, imports)
	if imports < count || ended < count/10 {
		t.Error("the generator makes too little sense to prove anything")
	}
}

// batchSize is the number of programs that one Python process runs.
const batchSize = 3000

// recorded is what CPython did with one program.
type recorded struct {
	Imports [][2]string
	Ended   bool
}

// record runs programs through CPython's unpickler.
func record(t *testing.T, python string, programs [][]byte) []recorded {
	t.Helper()
	var input bytes.Buffer
	for _, p := range programs {
		input.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(p))))
		input.Write(p)
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/record.py")
	cmd.Stdin = &input
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 1<<20)
	var out []recorded
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	if len(out) != len(programs) {
		t.Fatalf("CPython ran %d of %d programs", len(out), len(programs))
	}
	return out
}

// names collects what a scan says is imported.
type names struct {
	modelscan.Sink
	seen map[string]bool
	cut  bool
}

func (n *names) Finding(f modelscan.Finding)                    { n.cut = n.cut || f.Rule == rule.PickleFrameCut }
func (n *names) Gap(modelscan.Gap)                              {}
func (n *names) Note(string)                                    {}
func (n *names) Descend(context.Context, modelscan.Source) bool { return true }
func (n *names) Fact(f modelscan.Fact) {
	name := strings.TrimPrefix(f.Name, f.Value+".")
	module, name2 := load().modern(f.Value, name)
	n.seen[f.Name], n.seen[f.Value+"\n"+name], n.seen[module+"\n"+name2] = true, true, true
}

func compareImports(t *testing.T, program []byte, want [][2]string, ended bool) {
	t.Helper()
	lim := modelscan.DefaultLimits()
	lim.MaxFacts = 1000
	got := &names{seen: map[string]bool{}}
	src := modelscan.Source{R: bytes.NewReader(program), Size: int64(len(program))}
	_, err := Scan(t.Context(), &modelscan.Pass{Source: src, Limits: &lim, Emit: got}, Options{MaxStreams: 1})
	if ended && err != nil && !got.cut {
		t.Errorf("%q: CPython loads it, the machine says %v", program, err)
	}
	for _, pair := range want {
		if !got.seen[strings.Join(pair[:], "\n")] && !got.seen[clean(joinName(pair[0], pair[1]))] { // a fact's name is escaped
			t.Errorf("%q: CPython imports %q, the machine names %v", program, pair, got.seen)
		}
	}
}
