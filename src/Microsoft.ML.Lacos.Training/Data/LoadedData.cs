namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Everything that a run has read.</summary>
/// <param name="Datasets">The data sets, that of <c>Fit</c> first.</param>
/// <param name="Tokens">The token ids of their texts.</param>
/// <param name="PoolFrom">Leading tokens that pooling leaves out.</param>
/// <param name="LongTexts">Texts that were cut at the token limit.</param>
internal sealed record LoadedData(IReadOnlyList<LoadedDataset> Datasets, TokenStore Tokens, int PoolFrom, int LongTexts) : IDisposable
{
    /// <summary>Rows of all data sets.</summary>
    public int Rows => Datasets.Sum(dataset => dataset.Rows.Count);

    public void Dispose() => Tokens.Dispose();
}
