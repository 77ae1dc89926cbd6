// Package formats lists every format the scanner reads. It is the only place that knows them all.
package formats

import (
	"slices"
	"sync"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/catboost"
	"github.com/secure-torch/secure-torch/modelscan/compress"
	"github.com/secure-torch/secure-torch/modelscan/coreml"
	"github.com/secure-torch/secure-torch/modelscan/executable"
	"github.com/secure-torch/secure-torch/modelscan/gguf"
	"github.com/secure-torch/secure-torch/modelscan/hdf5"
	"github.com/secure-torch/secure-torch/modelscan/hydra"
	"github.com/secure-torch/secure-torch/modelscan/identified"
	"github.com/secure-torch/secure-torch/modelscan/joblib"
	"github.com/secure-torch/secure-torch/modelscan/keras"
	"github.com/secure-torch/secure-torch/modelscan/lfs"
	"github.com/secure-torch/secure-torch/modelscan/lightgbm"
	"github.com/secure-torch/secure-torch/modelscan/media"
	"github.com/secure-torch/secure-torch/modelscan/msgpack"
	"github.com/secure-torch/secure-torch/modelscan/mxnet"
	"github.com/secure-torch/secure-torch/modelscan/numpy"
	"github.com/secure-torch/secure-torch/modelscan/onnx"
	"github.com/secure-torch/secure-torch/modelscan/openvino"
	"github.com/secure-torch/secure-torch/modelscan/ort"
	"github.com/secure-torch/secure-torch/modelscan/paddle"
	"github.com/secure-torch/secure-torch/modelscan/pmml"
	"github.com/secure-torch/secure-torch/modelscan/rds"
	"github.com/secure-torch/secure-torch/modelscan/safetensors"
	"github.com/secure-torch/secure-torch/modelscan/sentencepiece"
	"github.com/secure-torch/secure-torch/modelscan/sevenzip"
	"github.com/secure-torch/secure-torch/modelscan/skops"
	"github.com/secure-torch/secure-torch/modelscan/tar"
	"github.com/secure-torch/secure-torch/modelscan/tensorflow"
	"github.com/secure-torch/secure-torch/modelscan/tflite"
	"github.com/secure-torch/secure-torch/modelscan/torch"
	"github.com/secure-torch/secure-torch/modelscan/xgboost"
	"github.com/secure-torch/secure-torch/modelscan/zip"
)

// All returns the formats in the order in which their findings are reported. A format that covers another
// stands before it.
func All() []*modelscan.Format { return slices.Clone(all()) }

var all = sync.OnceValue(list)

func list() []*modelscan.Format {
	return slices.Concat([]*modelscan.Format{
		tar.New(torch.Tar),
		zip.New(joblib.Literal, profiles()...),
		sevenzip.Format,
		lfs.Format,
		torch.Legacy,
		safetensors.Format,
		onnx.Format,
		joblib.Format,
		numpy.Format,
		msgpack.Format,
		gguf.Format,
		keras.Format,
		tensorflow.Format,
		tensorflow.Text,
		tflite.Format,
		coreml.Format,
		coreml.Manifest,
		coreml.Weights,
		skops.Format,
		sentencepiece.Format,
		hydra.Format,
		pmml.Format,
		openvino.Format,
		ort.Format,
		paddle.Program,
		paddle.Params,
		mxnet.Params,
		mxnet.Symbol,
		lightgbm.Format,
		catboost.Format,
		catboost.JSON,
		xgboost.JSON,
		xgboost.UBJSON,
		xgboost.Binary,
		hdf5.Format,
		executable.Format,
		media.Format,
	}, compress.Formats, rds.Formats(), identified.Formats())
}

// profiles are the loaders that give the members of a zip their meaning.
func profiles() []*zip.Profile {
	return []*zip.Profile{
		torch.Zip,
		torch.Mar,
		numpy.Npz,
		keras.Profile,
		skops.Profile,
	}
}
