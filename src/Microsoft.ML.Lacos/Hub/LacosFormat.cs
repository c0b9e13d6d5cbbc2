namespace Microsoft.ML.Lacos.Hub;

/// <summary>Names of the parts of a <c>.lacos</c> file, which is one safetensors file.</summary>
/// <remarks>
/// Metadata: <see cref="Version"/>, <see cref="Config"/>, <see cref="Settings"/>, <see cref="Quantization"/>, <see cref="Provenance"/>, all but the first JSON.
/// Tensors, under the names of the Hugging Face checkpoint: vectors as F32; a matrix <c>M.weight</c> as F32, as I8 with <c>M.weight.SCB</c> (row-wise),
/// or as U8 codes with <c>M.weight.absmax</c> and <c>M.weight.quant_map</c> (block-wise). In version 2 the linear layers are row-wise and packed: U8 [panels, groups, width, group]. The tokenizer's bytes are the U8 tensor <see cref="Tokenizer"/>.
/// </remarks>
internal static class LacosFormat
{
    /// <summary>Version written where linear layers are row-major.</summary>
    public const string RowsVersion = "1";

    /// <summary>Version written where linear layers are packed.</summary>
    public const string PanelsVersion = "2";

    public const string Version = "lacos.format";
    public const string Config = "config";
    public const string Settings = "sentence_settings";
    public const string Quantization = "quantization";
    public const string Panels = "panels";
    public const string Provenance = "provenance";

    public const string Tokenizer = "tokenizer.json";

    public const string RowScales = ".SCB";
    public const string BlockScales = ".absmax";
    public const string CodeBook = ".quant_map";
}
