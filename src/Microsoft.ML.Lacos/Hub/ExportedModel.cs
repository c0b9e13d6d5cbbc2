namespace Microsoft.ML.Lacos.Hub;

/// <summary>What an exported folder holds beside the weights.</summary>
/// <param name="TokenizerJson">Bytes of <c>tokenizer.json</c>.</param>
/// <param name="Settings">Pooling, normalisation, prompts, token limit.</param>
/// <param name="Provenance">For the model card.</param>
internal sealed record ExportedModel(ReadOnlyMemory<byte> TokenizerJson, SentenceSettings Settings, IReadOnlyDictionary<string, string> Provenance);
