package catboost

import "github.com/secure-torch/secure-torch/modelscan/flatbuffer"

// version is the only format that a core has (CURRENT_CORE_FORMAT_STRING).
const version = "FlabuffersModel_v1"

func scalar(n int64) flatbuffer.Field {
	return flatbuffer.Field{Kind: flatbuffer.Scalar, Size: n}
}

func numbers(n, align int64) flatbuffer.Field {
	return flatbuffer.Field{Kind: flatbuffer.Numbers, Size: n, Align: align}
}

func tables(s flatbuffer.Schema) flatbuffer.Field {
	return flatbuffer.Field{Kind: flatbuffer.Tables, Of: &s}
}

func sub(s flatbuffer.Schema) flatbuffer.Field {
	return flatbuffer.Field{Kind: flatbuffer.Sub, Of: &s}
}

// schemas are those of the core and of a table of categories (model.fbs, features.fbs, ctr_data.fbs), with what CatBoost 1.2
// writes behind those fields of the trees.
func schemas() (core, table *flatbuffer.Schema) {
	text := flatbuffer.Field{Kind: flatbuffer.String}
	needed := flatbuffer.Field{Kind: flatbuffer.String, Required: true}
	texts := flatbuffer.Field{Kind: flatbuffer.Strings}
	ints, floats, doubles, octets := numbers(4, 4), numbers(4, 4), numbers(8, 8), numbers(1, 1)
	pairs := numbers(8, 4) // of a feature and what it is compared with

	base := sub(flatbuffer.Schema{sub(flatbuffer.Schema{ints, pairs, pairs}), scalar(1)})
	ctr := sub(flatbuffer.Schema{base, scalar(4), scalar(4), scalar(4), scalar(4), scalar(4)})
	number := flatbuffer.Schema{scalar(1), scalar(4), scalar(4), floats, text, scalar(1)}
	category := flatbuffer.Schema{scalar(4), scalar(4), text, scalar(1)}
	trees := flatbuffer.Schema{
		scalar(4), ints, ints, ints,
		tables(category), tables(number), tables(flatbuffer.Schema{scalar(4), ints, texts}), tables(flatbuffer.Schema{ctr, floats}),
		doubles, doubles, numbers(4, 2), ints,
		tables(category), tables(flatbuffer.Schema{scalar(4), scalar(4), scalar(4), floats}), scalar(8), scalar(8),
		doubles, numbers(4, 2), tables(flatbuffer.Schema{scalar(4), scalar(4), text, scalar(4), scalar(1)}),
	}
	return &flatbuffer.Schema{text, sub(trees), tables(flatbuffer.Schema{needed, needed}), texts},
		&flatbuffer.Schema{base, octets, octets, scalar(4), scalar(4)}
}
