package pickle

// Opcodes of protocols 0 to 5, named as CPython's Lib/pickletools.py names them.
const (
	opMark           = '('
	opStop           = '.'
	opPop            = '0'
	opPopMark        = '1'
	opDup            = '2'
	opFloat          = 'F'
	opInt            = 'I'
	opBinInt         = 'J'
	opBinInt1        = 'K'
	opLong           = 'L'
	opBinInt2        = 'M'
	opNone           = 'N'
	opPersID         = 'P'
	opBinPersID      = 'Q'
	opReduce         = 'R'
	opString         = 'S'
	opBinString      = 'T'
	opShortBinString = 'U'
	opUnicode        = 'V'
	opBinUnicode     = 'X'
	opAppend         = 'a'
	opBuild          = 'b'
	opGlobal         = 'c'
	opDict           = 'd'
	opEmptyDict      = '}'
	opAppends        = 'e'
	opGet            = 'g'
	opBinGet         = 'h'
	opInst           = 'i'
	opLongBinGet     = 'j'
	opList           = 'l'
	opEmptyList      = ']'
	opObj            = 'o'
	opPut            = 'p'
	opBinPut         = 'q'
	opLongBinPut     = 'r'
	opSetItem        = 's'
	opTuple          = 't'
	opEmptyTuple     = ')'
	opSetItems       = 'u'
	opBinFloat       = 'G'

	opProto    = 0x80
	opNewObj   = 0x81
	opExt1     = 0x82
	opExt2     = 0x83
	opExt4     = 0x84
	opTuple1   = 0x85
	opTuple2   = 0x86
	opTuple3   = 0x87
	opNewTrue  = 0x88
	opNewFalse = 0x89
	opLong1    = 0x8a
	opLong4    = 0x8b

	opBinBytes      = 'B'
	opShortBinBytes = 'C'

	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opFrozenSet       = 0x91
	opNewObjEx        = 0x92
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95

	opByteArray8     = 0x96
	opNextBuffer     = 0x97
	opReadOnlyBuffer = 0x98
)

// HighestProtocol is the newest pickle protocol known here; CPython refuses a PROTO above it.
const HighestProtocol = 5

// argKind says how an opcode's argument is written. The zero argKind means: not an opcode.
type argKind uint8

const (
	argInvalid argKind = iota
	argNone
	argU1    // 1 byte, unsigned
	argU2    // 2 bytes, little-endian, unsigned
	argI4    // 4 bytes, little-endian, signed
	argU4    // 4 bytes, little-endian, unsigned
	argU8    // 8 bytes, little-endian, unsigned
	argF8    // 8 bytes, big-endian IEEE 754
	argLen1  // 1-byte length, then the payload
	argLen4  // 4-byte unsigned length, then the payload
	argLen4s // 4-byte signed length (refused when negative), then the payload
	argLen8  // 8-byte length, then the payload
	argLine  // text up to a newline
	argLines // two lines
)

type opInfo struct {
	name string
	arg  argKind
}

// ops is indexed by the opcode byte.
var ops = [256]opInfo{
	opMark: {"MARK", argNone}, opStop: {"STOP", argNone}, opPop: {"POP", argNone}, opPopMark: {"POP_MARK", argNone}, opDup: {"DUP", argNone},
	opFloat: {"FLOAT", argLine}, opInt: {"INT", argLine}, opBinInt: {"BININT", argI4}, opBinInt1: {"BININT1", argU1}, opLong: {"LONG", argLine},
	opBinInt2: {"BININT2", argU2}, opNone: {"NONE", argNone}, opPersID: {"PERSID", argLine}, opBinPersID: {"BINPERSID", argNone}, opReduce: {"REDUCE", argNone},
	opString: {"STRING", argLine}, opBinString: {"BINSTRING", argLen4s}, opShortBinString: {"SHORT_BINSTRING", argLen1}, opUnicode: {"UNICODE", argLine},
	opBinUnicode: {"BINUNICODE", argLen4}, opAppend: {"APPEND", argNone}, opBuild: {"BUILD", argNone}, opGlobal: {"GLOBAL", argLines}, opDict: {"DICT", argNone},
	opEmptyDict: {"EMPTY_DICT", argNone}, opAppends: {"APPENDS", argNone}, opGet: {"GET", argLine}, opBinGet: {"BINGET", argU1}, opInst: {"INST", argLines},
	opLongBinGet: {"LONG_BINGET", argU4}, opList: {"LIST", argNone}, opEmptyList: {"EMPTY_LIST", argNone}, opObj: {"OBJ", argNone}, opPut: {"PUT", argLine},
	opBinPut: {"BINPUT", argU1}, opLongBinPut: {"LONG_BINPUT", argU4}, opSetItem: {"SETITEM", argNone}, opTuple: {"TUPLE", argNone},
	opEmptyTuple: {"EMPTY_TUPLE", argNone}, opSetItems: {"SETITEMS", argNone}, opBinFloat: {"BINFLOAT", argF8},
	opProto: {"PROTO", argU1}, opNewObj: {"NEWOBJ", argNone}, opExt1: {"EXT1", argU1}, opExt2: {"EXT2", argU2}, opExt4: {"EXT4", argI4},
	opTuple1: {"TUPLE1", argNone}, opTuple2: {"TUPLE2", argNone}, opTuple3: {"TUPLE3", argNone}, opNewTrue: {"NEWTRUE", argNone}, opNewFalse: {"NEWFALSE", argNone},
	opLong1: {"LONG1", argLen1}, opLong4: {"LONG4", argLen4s}, opBinBytes: {"BINBYTES", argLen4}, opShortBinBytes: {"SHORT_BINBYTES", argLen1},
	opShortBinUnicode: {"SHORT_BINUNICODE", argLen1}, opBinUnicode8: {"BINUNICODE8", argLen8}, opBinBytes8: {"BINBYTES8", argLen8},
	opEmptySet: {"EMPTY_SET", argNone}, opAddItems: {"ADDITEMS", argNone}, opFrozenSet: {"FROZENSET", argNone}, opNewObjEx: {"NEWOBJ_EX", argNone},
	opStackGlobal: {"STACK_GLOBAL", argNone}, opMemoize: {"MEMOIZE", argNone}, opFrame: {"FRAME", argU8}, opByteArray8: {"BYTEARRAY8", argLen8},
	opNextBuffer: {"NEXT_BUFFER", argNone}, opReadOnlyBuffer: {"READONLY_BUFFER", argNone},
}
