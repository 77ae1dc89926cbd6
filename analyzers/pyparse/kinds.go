package pyparse

// Kind of a node. The zero Kind is one that nobody asks for.
type Kind uint16

// Kinds of node, named as in the grammar.
const (
	Other Kind = iota
	Error
	AliasedImport
	ArgumentList
	AsPattern
	AsPatternTarget
	AssertStatement
	Assignment
	Attribute
	AugmentedAssignment
	Await
	BinaryOperator
	Block
	BooleanOperator
	Call
	CaseClause
	CasePattern
	ClassDefinition
	Comment
	ComparisonOperator
	ConcatenatedString
	ConditionalExpression
	DecoratedDefinition
	Decorator
	DefaultParameter
	DeleteStatement
	Dictionary
	DictionaryComprehension
	DictionarySplat
	DictionarySplatPattern
	DottedName
	Ellipsis
	ElifClause
	ElseClause
	EscapeInterpolation
	EscapeSequence
	ExceptClause
	ExpressionList
	ExpressionStatement
	False
	FinallyClause
	Float
	ForInClause
	ForStatement
	FormatExpression
	FormatSpecifier
	FunctionDefinition
	FutureImportStatement
	GeneratorExpression
	GlobalStatement
	Identifier
	IfClause
	IfStatement
	ImportFromStatement
	ImportPrefix
	ImportStatement
	Integer
	Interpolation
	KeywordArgument
	Lambda
	LambdaParameters
	List
	ListComprehension
	ListPattern
	ListSplat
	ListSplatPattern
	MatchStatement
	Module
	NamedExpression
	None
	NonlocalStatement
	NotOperator
	Pair
	Parameters
	ParenthesizedExpression
	PatternList
	RaiseStatement
	RelativeImport
	ReturnStatement
	Set
	SetComprehension
	Slice
	String
	StringContent
	StringEnd
	StringStart
	Subscript
	True
	TryStatement
	Tuple
	TuplePattern
	Type
	TypeConversion
	TypedDefaultParameter
	TypedParameter
	UnaryOperator
	WhileStatement
	WildcardImport
	WithClause
	WithItem
	WithStatement
	Yield
)

var kindNames = [...]string{"", "ERROR", "aliased_import", "argument_list", "as_pattern", "as_pattern_target", "assert_statement",
	"assignment", "attribute", "augmented_assignment", "await", "binary_operator", "block", "boolean_operator", "call", "case_clause",
	"case_pattern", "class_definition", "comment", "comparison_operator", "concatenated_string", "conditional_expression",
	"decorated_definition", "decorator", "default_parameter", "delete_statement", "dictionary", "dictionary_comprehension",
	"dictionary_splat", "dictionary_splat_pattern", "dotted_name", "ellipsis", "elif_clause", "else_clause", "escape_interpolation",
	"escape_sequence", "except_clause", "expression_list", "expression_statement", "false", "finally_clause", "float", "for_in_clause",
	"for_statement", "format_expression", "format_specifier", "function_definition", "future_import_statement", "generator_expression",
	"global_statement", "identifier", "if_clause", "if_statement", "import_from_statement", "import_prefix", "import_statement", "integer",
	"interpolation", "keyword_argument", "lambda", "lambda_parameters", "list", "list_comprehension", "list_pattern", "list_splat",
	"list_splat_pattern", "match_statement", "module", "named_expression", "none", "nonlocal_statement", "not_operator", "pair",
	"parameters", "parenthesized_expression", "pattern_list", "raise_statement", "relative_import", "return_statement", "set",
	"set_comprehension", "slice", "string", "string_content", "string_end", "string_start", "subscript", "true", "try_statement", "tuple",
	"tuple_pattern", "type", "type_conversion", "typed_default_parameter", "typed_parameter", "unary_operator", "while_statement",
	"wildcard_import", "with_clause", "with_item", "with_statement", "yield"}

func (k Kind) String() string { return kindNames[k] }

// Field is a child's role in its parent. The zero Field is none.
type Field uint8

// Fields, named as in the grammar.
const (
	NoField Field = iota
	FieldAlias
	FieldAlternative
	FieldArgument
	FieldArguments
	FieldAttribute
	FieldBody
	FieldCondition
	FieldConsequence
	FieldDefinition
	FieldExpression
	FieldFunction
	FieldKey
	FieldLeft
	FieldModuleName
	FieldName
	FieldObject
	FieldOperator
	FieldOperators
	FieldParameters
	FieldReturnType
	FieldRight
	FieldSubscript
	FieldSuperclasses
	FieldType
	FieldValue
	fieldOther
)

var fieldNames = [...]string{"", "alias", "alternative", "argument", "arguments", "attribute", "body", "condition", "consequence",
	"definition", "expression", "function", "key", "left", "module_name", "name", "object", "operator", "operators", "parameters",
	"return_type", "right", "subscript", "superclasses", "type", "value"}

// errorSymbol is tree-sitter's ts_builtin_sym_error.
const errorSymbol = 0xffff

// tables translate a grammar's numbers into ours.
type tables struct {
	kind  [1024]Kind
	field [256]Field
	known bool // the grammar told all of them
}

func newTables(symbol, field func(name string) uint32) *tables {
	t := &tables{known: true}
	for i, name := range kindNames[Error+1:] {
		n := symbol(name)
		t.known = t.known && n > 0
		t.kind[n%1024] = Error + 1 + Kind(i)
	}
	for i := range t.field[1:] {
		t.field[i+1] = fieldOther
	}
	for i, name := range fieldNames[1:] {
		n := field(name)
		t.known = t.known && n > 0
		t.field[n%256] = Field(i + 1)
	}
	t.kind[0], t.field[0] = Other, NoField
	return t
}

// translate rewrites the grammar's numbers in place.
func (t *tables) translate(nodes []Node) {
	for i := range nodes {
		n := &nodes[i]
		if n.Kind == errorSymbol {
			n.Kind = Error
		} else {
			n.Kind = t.kind[n.Kind%1024]
		}
		n.Field = t.field[n.Field]
	}
}
