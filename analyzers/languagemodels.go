package analyzers

// languageModelLoaders are the libraries that load language models and embeddings through transformers, sentence-transformers
// or llama.cpp, from a folder or from the hub.
var languageModelLoaders = []*Loader{
	{Func: "from_quantized", Method: "from_quantized", Arg: Arg{0, []string{"quant_path", "model_name_or_path"}}, Takes: TakesHubOrPath, Judge: remoteCodeAlone},
	{Func: "load_adapter", Method: "load_adapter", Arg: Arg{0, []string{"peft_model_id", "model_id", "adapter_name_or_path"}}, Takes: TakesHubOrPath},
	{Func: "langchain_huggingface.HuggingFaceEmbeddings", Also: []string{"langchain.embeddings.HuggingFaceEmbeddings", "langchain_community.embeddings.HuggingFaceEmbeddings", "langchain.embeddings.HuggingFaceInstructEmbeddings",
		"langchain_community.embeddings.HuggingFaceInstructEmbeddings", "langchain_community.embeddings.HuggingFaceBgeEmbeddings", "langchain.embeddings.SentenceTransformerEmbeddings",
		"langchain_community.embeddings.SentenceTransformerEmbeddings", "llama_index.embeddings.huggingface.HuggingFaceEmbedding", "llama_index.llms.huggingface.HuggingFaceLLM"},
		Arg: Arg{-1, []string{"model_name"}}, Takes: TakesHubOrPath, When: given, Judge: remoteCodeAlone},
	{Func: "langchain_huggingface.HuggingFacePipeline.from_model_id", Also: []string{"langchain.llms.HuggingFacePipeline.from_model_id", "langchain_community.llms.HuggingFacePipeline.from_model_id",
		"langchain_community.llms.huggingface_pipeline.HuggingFacePipeline.from_model_id"}, Arg: Arg{0, []string{"model_id"}}, Takes: TakesHubOrPath},
	{Func: "langchain_community.llms.LlamaCpp", Also: []string{"langchain.llms.LlamaCpp", "langchain_community.chat_models.ChatLlamaCpp", "langchain_community.embeddings.LlamaCppEmbeddings", "langchain.embeddings.LlamaCppEmbeddings",
		"llama_index.llms.llama_cpp.LlamaCPP"}, Arg: Arg{-1, []string{"model_path"}}, When: given},
	{Func: "vllm.EngineArgs", Also: []string{"vllm.AsyncEngineArgs", "vllm.engine.arg_utils.EngineArgs", "vllm.engine.arg_utils.AsyncEngineArgs"}, Arg: Arg{0, []string{"model"}}, Takes: TakesHubOrPath, When: given, Judge: judgeHub},
	{Func: "sglang.Engine", Also: []string{"sglang.Runtime"}, Arg: Arg{-1, []string{"model_path"}}, Takes: TakesHubOrPath, When: given, Judge: remoteCodeAlone},
	{Func: "lmdeploy.pipeline", Arg: Arg{0, []string{"model_path"}}, Takes: TakesHubOrPath},
	{Func: "mlx_lm.load", Also: []string{"mlx_lm.utils.load", "mlx_vlm.load", "mlx_vlm.utils.load"}, Arg: Arg{0, []string{"path_or_hf_repo"}}, Takes: TakesHubOrPath},
	{Func: "FlagEmbedding.FlagModel", Also: []string{"FlagEmbedding.BGEM3FlagModel", "FlagEmbedding.FlagReranker", "FlagEmbedding.FlagLLMModel", "FlagEmbedding.FlagLLMReranker", "FlagEmbedding.LayerWiseFlagLLMReranker",
		"FlagEmbedding.FlagAutoModel.from_finetuned", "FlagEmbedding.FlagAutoReranker.from_finetuned"}, Arg: Arg{0, []string{"model_name_or_path"}}, Takes: TakesHubOrPath, Judge: remoteCodeAlone},
	{Func: "bertopic.BERTopic.load", Arg: Arg{0, []string{"path"}}, Takes: TakesHubOrPath, Judge: unpickles},
	{Func: "pyannote.audio.Inference", Also: []string{"pyannote.audio.core.inference.Inference"}, Arg: Arg{0, []string{"model"}}, Takes: TakesHubOrPath, Judge: unpickles},
	{Func: "onnxruntime_genai.Model", Arg: Arg{0, []string{"model_path"}}},
}

// remoteCodeAlone is the judgement of a loader that can be told to run a repository's code and not which revision of it.
func remoteCodeAlone(c *Call) Judgement {
	j, _ := c.remoteCode()
	j.Pin = nil
	return j
}
