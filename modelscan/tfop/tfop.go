// Package tfop knows TensorFlow's operators that reach outside the graph.
package tfop

import (
	_ "embed" // operators.txt
	"strings"
	"sync"
)

//go:embed operators.txt
var operators string

// Known tells whether an operator comes with TensorFlow or a library of its own project. Any other, by which a
// graph may also mean a function of its own, needs a native library to be loaded first. Operators that a runtime
// makes of others begin with "_"; TensorFlow Addons' have a prefix.
func Known(op string) bool {
	return known()[op] || strings.HasPrefix(op, "_") || strings.HasPrefix(op, "Addons>")
}

var known = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(operators) {
		if line[0] == '#' {
			continue
		}
		for op := range strings.FieldsSeq(line) {
			set[op] = true
		}
	}
	return set
})

// Files tells whether an operator reads, writes or lists files by name, changes how files are reached, or calls
// other hosts. What every saved graph has (SaveV2, RestoreV2, ShardedFilename, MergeV2Checkpoints, and the tables
// initialised from assets) is not among them.
func Files(op string) bool { return files()[op] }

// Python tells whether an operator calls a function that the process registered; without it the operator fails.
func Python(op string) bool { return python()[op] }

// Input tells whether an operator is one of an input pipeline, left in the graph of a training run.
func Input(op string) bool { return input()[op] }

var files = words(`ReadFile WriteFile MatchingFiles FileSystemSetConfiguration GcsConfigureCredentials GcsConfigureBlockCache
	SaveDataset SaveDatasetV2 DistributedSave LoadDataset SnapshotDataset SnapshotDatasetV2 SnapshotDatasetReader CreateSummaryFileWriter CreateSummaryDbWriter ImportEvent
	SqlDataset ExperimentalSqlDataset DatasetToTFRecord ExperimentalDatasetToTFRecord SnapshotChunkDataset SnapshotNestedDatasetReader ListSnapshotChunksDataset DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset RegisterDatasetV2 BigQueryReader GenerateBigQueryReaderPartitions
	BigtableClient BigtableTable CloudBigtableClient IgniteDataset GrpcServer
	DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary DebugNumericSummaryV2
	Rpc TryRpc RpcCall RpcClient RpcServer RpcServerStart LMDBReader LoadAndRemapMatrix DumpTensor ImmutableConst`)

var python = words(`PyFunc PyFuncStateless EagerPyFunc`)

var input = words(`WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader TFRecordReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2
	TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2 CSVDataset CSVDatasetV2 LMDBDataset ExperimentalLMDBDataset ExperimentalCSVDataset MatchingFilesDataset ExperimentalMatchingFilesDataset CacheDataset CacheDatasetV2`)

// words is a set that is made when it is first asked for.
func words(list string) func() map[string]bool {
	return sync.OnceValue(func() map[string]bool {
		set := map[string]bool{}
		for w := range strings.FieldsSeq(list) {
			set[w] = true
		}
		return set
	})
}

// Symbol names the operator behind a function of the Python package, as Keras 2 writes it without its root:
// "io.read_file", "raw_ops.ReadFile". Other names are returned as they are.
func Symbol(name string) string {
	name = strings.TrimPrefix(name, "tf.")
	if op, ok := strings.CutPrefix(name, "raw_ops."); ok {
		return op
	}
	if op, ok := symbols[name]; ok {
		return op
	}
	return name
}

var symbols = map[string]string{
	"io.read_file": "ReadFile", "io.write_file": "WriteFile", "io.matching_files": "MatchingFiles", "io.gfile.glob": "MatchingFiles",
	"read_file": "ReadFile", "write_file": "WriteFile", "py_func": "PyFunc", "py_function": "EagerPyFunc", "numpy_function": "PyFunc",
	"compat.v1.py_func": "PyFunc", "compat.v1.read_file": "ReadFile", "compat.v1.write_file": "WriteFile", "audio.write_wav": "WriteFile",
	"load_op_library": "LoadLibrary", "load_library": "LoadLibrary",
}
