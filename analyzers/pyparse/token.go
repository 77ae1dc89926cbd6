package pyparse

// token is a kind of lexical element.
type token uint8

const (
	tokEnd token = iota
	tokNewline
	tokIndent
	tokDedent
	tokName
	tokInteger
	tokFloat
	tokString // its first quote or prefix: parser.str reads the rest

	kwFalse
	kwNone
	kwTrue
	kwAnd
	kwAs
	kwAssert
	kwAsync
	kwAwait
	kwBreak
	kwClass
	kwContinue
	kwDef
	kwDel
	kwElif
	kwElse
	kwExcept
	kwFinally
	kwFor
	kwFrom
	kwGlobal
	kwIf
	kwImport
	kwIn
	kwIs
	kwLambda
	kwNonlocal
	kwNot
	kwOr
	kwPass
	kwRaise
	kwReturn
	kwTry
	kwWhile
	kwWith
	kwYield

	opOpen        // (
	opClose       // )
	opOpenSquare  // [
	opCloseSquare // ]
	opOpenBrace   // {
	opCloseBrace  // }
	opComma
	opColon
	opSemicolon
	opDot
	opEllipsis
	opAssign
	opAugmented // += and its kin
	opWalrus
	opArrow
	opBang // ! in an f-string
	opCompare
	opPipe
	opCaret
	opAmpersand
	opShift
	opPlus
	opMinus
	opStar
	opSlash
	opTimes // // and %
	opAt
	opPower
	opTilde
	tokens
)

// keyword is the token of a name; most are no keyword.
func keyword(name []byte) token {
	if len(name) < 2 || len(name) > 8 {
		return tokName
	}
	if k, ok := keywords[string(name)]; ok {
		return k
	}
	return tokName
}

var keywords = map[string]token{
	"False": kwFalse, "None": kwNone, "True": kwTrue, "and": kwAnd, "as": kwAs, "assert": kwAssert, "async": kwAsync, "await": kwAwait, "break": kwBreak,
	"class": kwClass, "continue": kwContinue, "def": kwDef, "del": kwDel, "elif": kwElif, "else": kwElse, "except": kwExcept, "finally": kwFinally,
	"for": kwFor, "from": kwFrom, "global": kwGlobal, "if": kwIf, "import": kwImport, "in": kwIn, "is": kwIs, "lambda": kwLambda, "nonlocal": kwNonlocal,
	"not": kwNot, "or": kwOr, "pass": kwPass, "raise": kwRaise, "return": kwReturn, "try": kwTry, "while": kwWhile, "with": kwWith, "yield": kwYield,
}

// single are the operators of one character; doubled those of the same character twice; augmentable
// those that may be followed by =.
var (
	single = [128]token{
		'(': opOpen, ')': opClose, '[': opOpenSquare, ']': opCloseSquare, '{': opOpenBrace, '}': opCloseBrace, ',': opComma, ':': opColon, ';': opSemicolon,
		'.': opDot, '=': opAssign, '!': opBang, '<': opCompare, '>': opCompare, '|': opPipe, '^': opCaret, '&': opAmpersand, '+': opPlus, '-': opMinus, '*': opStar,
		'/': opSlash, '%': opTimes, '@': opAt, '~': opTilde,
	}
	doubled  = [128]token{'*': opPower, '/': opTimes, '<': opShift, '>': opShift}
	followed = [128]token{
		'=': opCompare, '!': opCompare, '<': opCompare, '>': opCompare, ':': opWalrus, '|': opAugmented, '^': opAugmented, '&': opAugmented, '+': opAugmented,
		'-': opAugmented, '*': opAugmented, '/': opAugmented, '%': opAugmented, '@': opAugmented,
	}
)

// binding is how tightly a binary operator binds; 0 is none.
var binding = [tokens]int8{
	opPipe: 1, opCaret: 2, opAmpersand: 3, opShift: 4, opPlus: 5, opMinus: 5, opStar: 6, opSlash: 6, opTimes: 6, opAt: 6, opPower: 8,
}

// bindingUnary is that of -x, +x, ~x and of await x.
const bindingUnary = 7

// begins holds the tokens that an expression may begin with.
var begins = [tokens]bool{
	tokName: true, tokInteger: true, tokFloat: true, tokString: true, kwFalse: true, kwNone: true, kwTrue: true, kwAwait: true, kwLambda: true, kwNot: true, kwYield: true,
	opOpen: true, opOpenSquare: true, opOpenBrace: true, opEllipsis: true, opPlus: true, opMinus: true, opTilde: true, opStar: true,
}
