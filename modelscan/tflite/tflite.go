// Package tflite reads TensorFlow Lite models, which are FlatBuffers (schema.fbs, identifier TFL3):
// operators that need somebody's code, TensorFlow operators that open files, shapes that overflow.
package tflite

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/flatbuffer"
	"github.com/secure-torch/secure-torch/modelscan/tfop"
	"github.com/secure-torch/secure-torch/modelscan/window"
)

// Format is a TensorFlow Lite model.
var Format = &modelscan.Format{Name: "tflite", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if len(p.Head) >= 8 && string(p.Head[4:8]) == "TFL3" {
		return modelscan.Yes
	}
	return modelscan.No
}, Scan: scan}

// Slots of the tables, in the order of the schema.
const (
	modelOperatorCodes = 1
	modelSubgraphs     = 2
	modelBuffers       = 4
	codeDeprecated     = 0
	codeCustom         = 1
	codeBuiltin        = 3
	graphTensors       = 0
	tensorShape        = 0
	tensorName         = 3
	bufferData         = 0
	bufferOffset       = 1
	bufferSize         = 2
)

// customOp is BuiltinOperator_CUSTOM.
const customOp = 32

const (
	maxText  = 4096
	maxDims  = 64
	maxSteps = 1 << 22 // subgraphs can share a vector of tensors, so that a small file has many
)

// providedOps are custom operators that come with TensorFlow Lite, MediaPipe and Coral.
var providedOps = map[string]bool{
	"TFLite_Detection_PostProcess": true, "Convolution2DTransposeBias": true, "MaxPoolingWithArgmax2D": true, "MaxUnpooling2D": true, "Mfcc": true,
	"AudioSpectrogram": true, "NumericVerify": true, "RFFT2D": true, "Transform": true, "TransformTensorBilinear": true, "TransformLandmarks": true,
	"Landmarks2TransformMatrix": true, "AlignCorners": true, "edgetpu-custom-op": true, "Table": true, "SignalFftAutoScale": true, "Densify": true,
	"aeq.Quantize": true, "VisionEncoder": true, "odml.update_kv_cache": true, "odml.scaled_dot_product_attention": true,
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	w := window.New(p.R, p.Size)
	model := flatbuffer.Root(w)
	operators(p, model.Vector(modelOperatorCodes, 4))
	graphs := model.Vector(modelSubgraphs, 4)
	seen := int64(0)
	for i := range graphs.Len {
		tensors := graphs.Table(i).Vector(graphTensors, 4)
		for k := range tensors.Len {
			if err := ctx.Err(); err != nil {
				return err
			}
			if seen += 1 + shape(p, tensors.Table(k)); w.Err != nil || seen > maxSteps {
				return cmp.Or(w.Err, fmt.Errorf("more than %d dimensions: %w", maxSteps, modelscan.ErrLimit))
			}
		}
	}
	if err := buffers(p, w, model.Vector(modelBuffers, 4)); err != nil {
		return err
	}
	return verify(ctx, model)
}

func operators(p *modelscan.Pass, codes flatbuffer.Vector) {
	for i := range codes.Len {
		code := codes.Table(i)
		name := code.Text(codeCustom, maxText)
		if name == "" || code.Uint(codeDeprecated, 1) != customOp && code.Uint(codeBuiltin, 4) != customOp {
			continue
		}
		op, flex := strings.CutPrefix(name, "Flex")
		switch {
		case flex && tfop.Files(op):
			finding(p, rule.TensorflowFileOperator, code, name, "the TensorFlow operator %s reaches files or hosts of the model's choice", op)
		case !flex && !providedOps[name]:
			finding(p, rule.TfliteCustomOperator, code, name, "the operator %q needs a custom operator library", name)
		}
	}
}

// shape: interpreters multiply the dimensions in 32 or 64 bits to size a buffer. It returns how many it looked at.
func shape(p *modelscan.Pass, tensor flatbuffer.Table) int64 {
	const most = 1 << 40
	dims := tensor.Vector(tensorShape, 4)
	elements := int64(1)
	for i := range min(dims.Len, maxDims) {
		if d := int64(int32(dims.Uint(i, 4))); d > 0 {
			elements *= d
		}
		if elements > most || i == maxDims-1 {
			name := tensor.Text(tensorName, maxText)
			finding(p, rule.TfliteShapeOverflow, tensor, name, "the shape of tensor %q has more elements or dimensions than any interpreter takes", name)
			return i
		}
	}
	return dims.Len
}

// buffers: data may lie behind the FlatBuffer, at an offset that must be in the file.
func buffers(p *modelscan.Pass, w *window.Window, all flatbuffer.Vector) error {
	for i := range all.Len {
		b := all.Table(i)
		b.Vector(bufferData, 1)
		off, n := b.Uint(bufferOffset, 8), b.Uint(bufferSize, 8)
		if off > 1 && (off > uint64(p.Size) || n > uint64(p.Size)-off) {
			return fmt.Errorf("buffer %d lies outside the file", i)
		}
		if w.Err != nil {
			return w.Err
		}
	}
	return w.Err
}

func finding(p *modelscan.Pass, id rule.ID, t flatbuffer.Table, subject, format string, args ...any) {
	p.Emit.Finding(modelscan.Finding{Rule: id, Path: p.Name, Offset: t.Off(), Subject: subject, Message: fmt.Sprintf(format, args...)})
}
