using System.Globalization;
using System.Reflection;
using LLama;
using LLama.Common;
using LLama.Native;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Benchmarks.Peers;

/// <summary>The same BLOOM in llama.cpp, Q8_0, mean pooling, with the libraries that LLamaSharp brings; a batch is one call, a sentence a sequence of its own.</summary>
/// <remarks>
/// llama.cpp reads a table of the vocabulary for its output layer even where only vectors are asked for. The table is cut to a few rows, so that this costs nothing,
/// and token ids wrap around in it: a lookup costs the same in a small table.
/// </remarks>
internal sealed class LlamaBloom : IDisposable
{
    /// <summary>Of LLamaSharp, which says which llama.cpp it brings.</summary>
    public static readonly string Version = typeof(LlamaBloom).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "LLamaSharp").Value!;

    private const int Rows = 512;
    private readonly BloomConfig _config;
    private readonly int _vocabulary;
    private readonly LLamaWeights _model;
    private readonly ModelParams _parameters;
    private LLamaContext? _context;
    private TokenRows? _rows;
    private LLamaBatch? _batch;

    static LlamaBloom() => NativeLibraryConfig.All.WithLogCallback((level, message) =>
    {
        if (level == LLamaLogLevel.Error)
        {
            Console.Error.Write(message);
        }
    });

    public LlamaBloom(BloomWeights weights, int threads)
    {
        _config = weights.Config;
        _vocabulary = Math.Min(Rows, _config.VocabularySize);
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".gguf");
        try
        {
            Export(weights, path);
            _parameters = new ModelParams(path) { Threads = threads, BatchThreads = threads, Embeddings = true, PoolingType = LLamaPoolingType.Mean, GpuLayerCount = 0 };
            _model = LLamaWeights.LoadFromFile(_parameters);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Encodes a batch; the first call with a batch makes room for it.</summary>
    /// <returns>Mean-pooled vectors, [rows, hidden].</returns>
    public float[] Encode(TokenRows rows)
    {
        if (_rows != rows)
        {
            Prepare(rows);
        }
        _context!.NativeHandle.MemoryClear(false);
        DecodeResult result = _context.NativeHandle.Decode(_batch!);
        if (result != DecodeResult.Ok)
        {
            throw new InvalidOperationException($"llama.cpp answered {result} to a batch of {rows.Count} sentences.");
        }
        var vectors = new float[rows.Count * _config.HiddenSize];
        for (int row = 0; row < rows.Count; row++)
        {
            _context.NativeHandle.GetEmbeddingsSeq((LLamaSeqId)row).CopyTo(vectors.AsSpan(row * _config.HiddenSize));
        }
        return vectors;
    }

    public void Dispose()
    {
        _context?.Dispose();
        _model.Dispose();
    }

    private void Prepare(TokenRows rows)
    {
        _context?.Dispose();
        _rows = rows;
        _parameters.SeqMax = (uint)rows.Count;
        _parameters.ContextSize = (uint)(rows.Count * rows.Length);
        _parameters.BatchSize = _parameters.UBatchSize = (uint)(rows.Count * rows.Length);
        // Sentences of one length go through attention each by itself. Of several lengths they cannot: the rest of a longer one would come in a second step, and pooling sees one step.
        _parameters.KVUnified = rows.Rows.Any(row => row.Length != rows.Length);
        _context = _model.CreateContext(_parameters);
        _batch = new LLamaBatch();
        for (int row = 0; row < rows.Count; row++)
        {
            for (int position = 0; position < rows.Rows[row].Length; position++)
            {
                _batch.Add((LLamaToken)(rows.Rows[row][position] % _vocabulary), position, (LLamaSeqId)row, true);
            }
        }
    }

    private void Export(BloomWeights weights, string path)
    {
        int hidden = _config.HiddenSize;
        var file = new GgufWriter();
        file.Add("general.architecture", "bloom");
        file.Add("bloom.context_length", 2048);
        file.Add("bloom.embedding_length", hidden);
        file.Add("bloom.feed_forward_length", _config.FeedForwardSize);
        file.Add("bloom.block_count", _config.LayerCount);
        file.Add("bloom.attention.head_count", _config.HeadCount);
        file.Add("bloom.attention.layer_norm_epsilon", _config.LayerNormEpsilon);
        file.Add("bloom.vocab_size", _vocabulary);
        file.Add("tokenizer.ggml.model", "no_vocab");
        file.AddMatrix("token_embd.weight", _vocabulary, hidden, (row, values) => weights.WordEmbeddings.DequantizeRow(row, values));
        Norm("token_embd_norm", weights.WordEmbeddingsLayerNorm);
        Norm("output_norm", weights.FinalLayerNorm);
        for (int i = 0; i < weights.Blocks.Count; i++)
        {
            BloomBlockWeights block = weights.Blocks[i];
            string prefix = string.Create(CultureInfo.InvariantCulture, $"blk.{i}.");
            Norm(prefix + "attn_norm", block.InputLayerNorm);
            Linear(prefix + "attn_qkv", block.QueryKeyValue, HeadOrder.PartsFirst(_config));
            Linear(prefix + "attn_output", block.Dense);
            Norm(prefix + "ffn_norm", block.PostAttentionLayerNorm);
            Linear(prefix + "ffn_up", block.DenseHTo4H);
            Linear(prefix + "ffn_down", block.Dense4HToH);
        }
        file.Save(path);

        void Norm(string name, LayerNormWeights norm)
        {
            file.AddVector(name + ".weight", norm.Weight);
            file.AddVector(name + ".bias", norm.Bias);
        }

        void Linear(string name, LinearWeights linear, int[]? order = null)
        {
            WeightMatrix matrix = linear.Weight;
            file.AddMatrix(name + ".weight", matrix.Rows, matrix.Columns, (row, values) => matrix.DequantizeRow(order?[row] ?? row, values));
            file.AddVector(name + ".bias", [.. Enumerable.Range(0, matrix.Rows).Select(row => linear.Bias[order?[row] ?? row])]);
        }
    }
}
